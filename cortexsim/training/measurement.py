"""One trial: its data and learner are prepared, the learner is trained, and its representations are measured."""

import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from cortexsim import contexts
from cortexsim.analysis.probes import activities, code_geometry
from cortexsim.config import building
from cortexsim.config.schema import Model
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.learners import START, Callback, Cursor, Event, HybridNetwork, Learner, Pairs, train
from cortexsim.rate import to_tensor
from cortexsim.rate.threads import one_thread
from cortexsim.seeds import stream
from cortexsim.tasks import UNLABELLED, Data
from cortexsim.tasks.protocol import check_chance, check_drawn
from cortexsim.training.alignment_monitor import AlignmentMonitor

COSTED = 512  # Number of test samples in which spikes are counted.


class CheckpointCallback(Protocol):
    """A training callback that stores checkpoints, implemented by `training.checkpointing.Checkpointer`.

    Attributes:
        spent: seconds of training before the run was resumed.
    """

    spent: float

    def session(self, alignment: AlignmentMonitor) -> AbstractContextManager[Cursor]:
        """Yield the position to train from, and write a checkpoint when training ends."""
        ...

    def __call__(self, event: Event) -> None:
        """Called at the end of each batch and epoch."""
        ...


@dataclass
class Prepared:
    """A learner and its data.

    Attributes:
        learner: the learner, untrained at first.
        inputs: training samples on the learner's device, (samples, positions, channels).
        labels: (samples,); `UNLABELLED` for samples without a label.
        test: test samples.
        views: if the context is a second view of each sample, one such view of all samples for each layer that learns,
            (samples, positions, channels).
        pairs: draws two random views of samples, if the learner sees such pairs.
    """

    learner: Learner
    inputs: Tensor
    labels: Tensor
    test: Data
    views: tuple[Tensor, ...] = ()
    pairs: Pairs | None = None


def prepare(trial: Trial) -> Prepared:
    """Draw the samples and the initial weights of a trial, and compile the code of spiking layers.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> trial = Trial(find_model("clapp"), Hierarchy(depth=2), samples=64, test_samples=32, grammar_seed=10, seed=0)
    >>> prepared = prepare(trial)
    >>> tuple(prepared.inputs.shape), type(prepared.learner).__name__
    ((64, 4, 8), 'Local')

    Raises:
        UserError: model and task do not fit together, the task returns invalid samples, or labels are missing.
    """
    learner = building.assemble(trial.model, trial.task, trial.seed, trial.device, trial.target)
    samples, test = trial.task.draw(trial.samples, trial.test_samples, trial.grammar_seed, trial.seed)
    check_chance(trial.task)
    check_drawn(trial.task, samples, trial.samples, "training")
    check_drawn(trial.task, test, trial.test_samples, "test")
    if isinstance(learner.network, HybridNetwork):
        learner.network.compile_programs()
    inputs, labels = _tensors(samples, learner)
    if learner.uses_labels and (missing := int((labels == UNLABELLED).sum())):
        raise UserError(
            f"{trial.model.name}: {missing} of {len(labels)} training samples have no label, and its layers learn from"
            " labels (choose a model in which only the readout does, such as clapp)"
        )
    views, pairs = _views(trial, samples, learner), _pairs(trial, samples, learner)
    return Prepared(learner, inputs, labels, test, views, pairs)


def run(trial: Trial) -> Row:
    """Train and measure a trial; see `prepare` and `train_and_measure`."""
    return train_and_measure(trial, prepare(trial))


def train_and_measure(
    trial: Trial,
    prepared: Prepared,
    callbacks: Sequence[Callback] = (),
    checkpointer: CheckpointCallback | None = None,
) -> Row:
    """Train a prepared learner and measure what it has learned.

    Args:
        trial: the trial that was prepared.
        prepared: the learner, untrained, and its data.
        callbacks: called at the end of each batch and epoch.
        checkpointer: stores checkpoints and resumes from them; by default training is not stored.

    Returns:
        The measurements by name; see `api.load_results` for the most important ones.
    """
    start, cpu, key = time.perf_counter(), cpu_seconds(), trial.key
    with one_thread():
        inputs, labels, budget = prepared.inputs, prepared.labels, building.budget(trial.model)
        alignment = AlignmentMonitor(prepared.learner, inputs, labels, budget.epochs)
        called: list[Callback] = [alignment, *callbacks, *([] if checkpointer is None else [checkpointer])]
        with nullcontext(START) if checkpointer is None else checkpointer.session(alignment) as begin:
            train(prepared.learner, inputs, labels, budget, trial.seed, called, begin, prepared.views, prepared.pairs)
        start -= 0.0 if checkpointer is None else checkpointer.spent
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
            "chance": float(trial.task.chance),
            **asdict(code_geometry(network, prepared.test, trial.seed)),
            **_cost(prepared),
            "alignment": alignment.history,
            "diverged": not all(bool(tensor.isfinite().all()) for tensor in network.state().values()),
            "seconds_training": trained,
            "seconds": time.perf_counter() - start,
            "cpu_seconds": cpu_seconds() - cpu,
            "key": key,
        }


def cpu_seconds() -> float:
    """Return the CPU time of this process and its finished child processes, in seconds."""
    return sum(os.times()[:4])


def substrate_name(model: Model) -> str:
    """Join the substrates of a model's layers, from the lowest, by ``+``."""
    return "+".join(model.network.substrate)


def _cost(prepared: Prepared) -> dict[str, float | None]:
    """Return the computational cost of one test sample, from the input to the highest layer, without the readout.

    For networks with spiking layers it is measured: the number of spikes and of synaptic operations, that is, of
    synapses that these spikes reach, and the fraction of input activity that was clipped because spikes could not
    encode it. For rate networks it is the number of synapses, each of which takes one multiply-add, and the number of
    those whose presynaptic activity is not zero.
    """
    network = prepared.learner.network
    inputs, _ = _tensors(prepared.test, prepared.learner)
    shown = inputs[:COSTED]
    if not isinstance(network, HybridNetwork):
        costs = dict.fromkeys(("spikes", "synaptic_operations", "clipped"))
        used = network.used_multiply_adds(shown)
        return {**costs, "multiply_adds": network.multiply_adds, "used_multiply_adds": used}
    cost = network.respond(shown)[1]
    counts = {name: cost[name] / len(shown) for name in ("spikes", "synaptic_operations")}
    return {**counts, "clipped": cost["clipped"], "multiply_adds": None, "used_multiply_adds": None}


def context_name(model: Model) -> str:
    """Name the context that a model's dendrites receive; ``none`` if its rule uses no context."""
    if model.training.loss != "labels":
        return model.training.context
    if model.rule is None or "context" not in model.plasticity_rule().requires:
        return "none"
    also = "+label" if model.rule.top == "label" and "label" not in model.rule.context else ""
    return model.rule.context + also


@one_thread()
def layer_accuracy(trial: Trial, prepared: Prepared, layer: int, kind: str | None = None) -> float:
    """Train a readout on the activity of one layer and return its test accuracy.

    Args:
        trial: the trial.
        prepared: its learner and data.
        layer: index of the layer, from 0.
        kind: ``linear`` or ``two-layer``; the kind of the model's readout by default.
    """
    return _readouts(trial, prepared, [layer], kind)[0]


def _readouts(
    trial: Trial, prepared: Prepared, layers: Sequence[int] | None = None, kind: str | None = None
) -> list[float]:
    """Train a readout on each of some layers, by default all, and return their test accuracies."""
    learner, readout = prepared.learner, building.readout(trial.model, kind)
    test_inputs, truth = _tensors(prepared.test, learner)
    labelled = (prepared.labels != UNLABELLED).nonzero().flatten()[: labels_seen(trial, prepared)]
    pools = building.readout_pools(trial.model, learner.network)
    shown = prepared.inputs[labelled], test_inputs
    codes, test_codes = (activities(learner.network, values, pools) for values in shown)
    fit = partial(readout.accuracy, labels=prepared.labels[labelled], test_labels=truth)
    chosen = range(len(codes)) if layers is None else layers
    several = trial.model.readout.layers == "all"
    features = [(_joined(codes, k), _joined(test_codes, k)) if several else (codes[k], test_codes[k]) for k in chosen]
    return [fit(train=one, test=other, classes=trial.task.classes, seed=trial.seed) for one, other in features]


def _joined(codes: Sequence[Tensor], highest: int) -> Tensor:
    """Join the codes of all layers up to one, from 0, as features, (samples, features)."""
    return torch.cat([code.flatten(1) for code in codes[: highest + 1]], 1)


def labels_seen(trial: Trial, prepared: Prepared) -> int:
    """Count the labels used in training: all there are, or as many as ``readout.labels`` allows the readout."""
    available, limit = int((prepared.labels != UNLABELLED).sum()), trial.model.readout.labels
    return available if limit is None or prepared.learner.uses_labels else min(limit, available)


def _accuracy(trial: Trial, prepared: Prepared) -> float:
    """Return the test accuracy of the learner's own output, or else of a readout on the highest trained layer."""
    test_inputs, truth = _tensors(prepared.test, prepared.learner)
    answers = [prepared.learner.classify(chunk) for chunk in test_inputs.split(1024)]
    predicted = [answer.argmax(1) for answer in answers if answer is not None]
    if not predicted:
        return layer_accuracy(trial, prepared, prepared.learner.trained_layers - 1)
    return float((torch.cat(predicted) == truth).float().mean())


def _views(trial: Trial, samples: Data, learner: Learner) -> tuple[Tensor, ...]:
    """Draw a second view of every sample for each layer that learns, if the context is such a view."""
    if trial.model.rule is None or not contexts.second_views(trial.model.rule.context):
        return ()
    numbers = range(1, learner.trained_layers + 1)
    drawn = (_view(trial, samples, k, stream(trial.seed, "views", k)) for k in numbers)
    return tuple(_tensors(view, learner)[0] for view in drawn)


def _pairs(trial: Trial, samples: Data, learner: Learner) -> Pairs | None:
    """Return the function that draws pairs of random views, if the learner sees them."""
    if not trial.model.sees_pairs:
        return None
    like = learner.network.output.detach()

    def pairs(chosen: Tensor, generator: np.random.Generator) -> Tensor:
        some = samples[chosen.cpu().numpy()]
        return torch.stack([to_tensor(_view(trial, some, 1, generator).inputs, like) for _ in range(2)], 1)

    return pairs


def _view(trial: Trial, samples: Data, layer: int, generator: np.random.Generator) -> Data:
    """Draw a second view of every sample, and check it."""
    view = samples.second_view(layer, generator)
    check_drawn(trial.task, view, len(samples), "second-view")
    return view


def _tensors(samples: Data, learner: Learner) -> tuple[Tensor, Tensor]:
    like = learner.network.output.detach()
    labels = torch.from_numpy(samples.labels.astype("int64")).to(like.device)
    return to_tensor(samples.inputs, like), labels
