"""A trial run: its learner prepared, trained and measured."""

import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from cortexsim import contexts
from cortexsim.analysis.probes import activities, code_geometry
from cortexsim.config import building
from cortexsim.config.schema import Model
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.learners import START, Callback, Cursor, Event, Learner, MixedNetwork, train
from cortexsim.rate import to_tensor
from cortexsim.rate.threads import one_thread
from cortexsim.seeds import stream
from cortexsim.tasks import UNLABELLED, Data
from cortexsim.tasks.protocol import see_announced
from cortexsim.training.alignment_monitor import AlignmentMonitor

COSTED = 512  # Samples that spikes are counted in.


class Keeper(Protocol):
    """What keeps a training in a folder.

    Attributes:
        spent: seconds that went into it before it was gone on with.
    """

    spent: float

    def kept(self, following: AlignmentMonitor) -> AbstractContextManager[Cursor]:
        """Say where training begins, and keep where it ends."""
        ...

    def __call__(self, event: Event) -> None:
        """Hear what has ended."""
        ...


@dataclass
class Prepared:
    """Hold a learner before its training, and its data on its device."""

    learner: Learner
    inputs: Tensor  # (samples, positions, channels)
    labels: Tensor  # (samples,)
    test: Data
    views: tuple[Tensor, ...] = ()  # One for each layer that learns, where they hear second views, each like inputs.


def prepare(trial: Trial) -> Prepared:
    """Draw the task's samples and the learner's first weights, and compile what is to be compiled."""
    learner = building.assemble(trial.model, trial.task, trial.seed, trial.device, trial.target)
    samples, test = trial.task.draw(trial.samples, trial.test_samples, trial.grammar_seed, trial.seed)
    see_announced(trial.task, samples, trial.samples, "training")
    see_announced(trial.task, test, trial.test_samples, "test")
    if isinstance(learner.network, MixedNetwork):
        learner.network.compile_programs()
    inputs, labels = _tensors(samples, learner)
    if learner.uses_labels and (missing := int((labels == UNLABELLED).sum())):
        raise UserError(
            f"{trial.model.name}: {missing} of {len(labels)} training samples have no label, and its layers learn from"
            " labels (a model whose readout alone does, such as clapp)"
        )
    return Prepared(learner, inputs, labels, test, _views(trial, samples, learner))


def run(trial: Trial) -> Row:
    """Train, measure, and answer with one row of a result."""
    return train_and_measure(trial, prepare(trial))


def train_and_measure(
    trial: Trial,
    prepared: Prepared,
    callbacks: Sequence[Callback] = (),
    keeper: Keeper | None = None,
) -> Row:
    """Train a prepared learner and answer with one row of a result.

    Args:
        trial: what the learner was prepared for.
        prepared: the learner, untrained, and its data.
        callbacks: told every batch and epoch that ends.
        keeper: trains in a folder, from a checkpoint on; None trains from the beginning.
    """
    start, cpu = time.perf_counter(), cpu_seconds()
    with one_thread():
        inputs, labels, budget = prepared.inputs, prepared.labels, building.budget(trial.model)
        alignment = AlignmentMonitor(prepared.learner, inputs, labels, budget.epochs)
        told: list[Callback] = [alignment, *callbacks, *([] if keeper is None else [keeper])]
        with nullcontext(START) if keeper is None else keeper.kept(alignment) as begin:
            train(prepared.learner, inputs, labels, budget, trial.seed, told, begin, prepared.views)
        start -= 0.0 if keeper is None else keeper.spent
        trained = time.perf_counter() - start
        network = prepared.learner.network
        by_layer = None if prepared.learner.stages else _readouts(trial, prepared)
        trained_layers = prepared.learner.trained_layers
        return {
            "learner": trial.model.name,
            "rule": trial.model.rule_name,
            "substrate": substrate_name(trial.model),
            "context": context_name(trial.model),
            "samples": trial.samples,
            "test_samples": len(prepared.test),
            "labels": labels_seen(trial, prepared),
            "labels_for": "layers" if prepared.learner.uses_labels else "readout",
            "grammar_seed": trial.grammar_seed,
            "seed": trial.seed,
            "trained_layers": trained_layers if prepared.learner.stages else 0,
            "accuracy": _accuracy(trial, prepared) if by_layer is None else by_layer[trained_layers - 1],
            "readout_by_layer": by_layer,
            "chance": trial.task.chance,
            **asdict(code_geometry(network, prepared.test, trial.seed)),
            **_cost(prepared),
            "alignment": alignment.found,
            "diverged": not all(bool(tensor.isfinite().all()) for tensor in network.state().values()),
            "seconds_training": trained,
            "seconds": time.perf_counter() - start,
            "cpu_seconds": cpu_seconds() - cpu,
            "key": trial.key,
        }


def cpu_seconds() -> float:
    """Say how long processors have worked for this process, and for those that it has started and seen end."""
    return sum(os.times()[:4])


def substrate_name(model: Model) -> str:
    """Name what simulates a model's layers, from below."""
    return "+".join(model.network.substrate)


def _cost(prepared: Prepared) -> dict[str, float | None]:
    """Say what a test sample costs from the input to the highest layer, without the readout.

    Where cells spike, that is measured: spikes, and synapses that they reach. Where none does, it follows from the
    sizes of the network: multiply-adds, one a synapse, whether its input is silent or not. Beside it stands what share
    of the activity below spiking layers was clipped, as their input spikes could not carry it.
    """
    network = prepared.learner.network
    if not isinstance(network, MixedNetwork):
        costs = dict.fromkeys(("spikes", "synaptic_operations", "clipped"))
        return {**costs, "multiply_adds": network.multiply_adds}
    inputs, _ = _tensors(prepared.test, prepared.learner)
    shown = inputs[:COSTED]
    found = network.respond(shown)[1]
    counts = {name: found[name] / len(shown) for name in ("spikes", "synaptic_operations")}
    return {**counts, "clipped": found["clipped"], "multiply_adds": None}


def context_name(model: Model) -> str:
    """Name what a model's dendrites hear."""
    if model.training.loss != "labels":
        return "sibling"
    if model.rule is None or "context" not in model.plasticity_rule().requires:
        return "none"
    also = "+label" if model.rule.top == "label" and "label" not in model.rule.context else ""
    return model.rule.context + also


def layer_accuracy(trial: Trial, prepared: Prepared, layer: int, kind: str | None = None) -> float:
    """Score a readout, of the model's kind unless another is named, from one layer, counted from 0."""
    return _readouts(trial, prepared, [layer], kind)[0]


def _readouts(
    trial: Trial, prepared: Prepared, layers: Sequence[int] | None = None, kind: str | None = None
) -> list[float]:
    """Score a readout from each of some layers, or of all."""
    learner, readout = prepared.learner, building.readout(trial.model, kind)
    test_inputs, truth = _tensors(prepared.test, learner)
    told = (prepared.labels != UNLABELLED).nonzero().flatten()[: labels_seen(trial, prepared)]
    codes, test_codes = (activities(learner.network, values) for values in (prepared.inputs[told], test_inputs))
    fit = partial(readout.accuracy, labels=prepared.labels[told], test_labels=truth)
    chosen = range(len(codes)) if layers is None else layers
    return [fit(train=codes[k], test=test_codes[k], classes=trial.task.classes, seed=trial.seed) for k in chosen]


def labels_seen(trial: Trial, prepared: Prepared) -> int:
    """Count the samples that come with a label: all that have one, or those that the readout is told the labels of."""
    known, learner = int((prepared.labels != UNLABELLED).sum()), prepared.learner
    told = trial.model.readout.labels
    return known if told is None or learner.uses_labels else min(told, known)


def _accuracy(trial: Trial, prepared: Prepared) -> float:
    """Score the learner's own answer, or else a readout from the last layer that it has shaped."""
    test_inputs, truth = _tensors(prepared.test, prepared.learner)
    answers = [prepared.learner.classify(chunk) for chunk in test_inputs.split(1024)]
    found = [answer.argmax(1) for answer in answers if answer is not None]
    if not found:
        return layer_accuracy(trial, prepared, prepared.learner.trained_layers - 1)
    return float((torch.cat(found) == truth).float().mean())


def _views(trial: Trial, samples: Data, learner: Learner) -> tuple[Tensor, ...]:
    """Draw a second view of every sample for each layer that learns, where they hear any."""
    if trial.model.rule is None or not contexts.second_views(trial.model.rule.context):
        return ()
    numbers = range(1, learner.trained_layers + 1)
    drawn = (samples.second_view(k, stream(trial.seed, "views", k)) for k in numbers)
    return tuple(_tensors(view, learner)[0] for view in drawn)


def _tensors(samples: Data, learner: Learner) -> tuple[Tensor, Tensor]:
    like = learner.network.output.detach()
    labels = torch.from_numpy(samples.labels.astype("int64")).to(like.device)
    return to_tensor(samples.inputs, like), labels
