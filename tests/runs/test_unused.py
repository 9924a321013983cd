"""No key of a model is ignored: another value gives another result, or one line that names the key."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from cortexsim.errors import UserError
from cortexsim.hierarchy import Hierarchy
from cortexsim.learners import train
from cortexsim.runs.assemble import budget
from cortexsim.runs.change import changed
from cortexsim.runs.configuration import Model, NetworkTable, ReadoutTable, RuleTable, TrainingTable
from cortexsim.runs.locate import find_model
from cortexsim.runs.measure import Prepared, labels_seen, layer_accuracy, prepare, train_and_measure
from cortexsim.runs.trial import Trial
from tests.runs.test_compare import TIMES

RATE = [
    *(
        "backprop",
        "backprop-plain",
        "bp-clapp",
        "bp-infonce",
        "untrained",
        "dfa",
        "kolen-pollack",
        "gevb",
        "predictive-coding",
    ),
    *("pc-clapp", "clapp", "clapp-guided", "clapp-label", "clapp-sgd", "hebb", "lpl", "barlow", "spectral", "scff"),
]
SPIKING = ["clapp-spiking", "clapp-label-spiking", "clapp-mixed", "dfa-spiking", "untrained spiking"]
OTHER: dict[str, list[Any]] = {  # The first value that the model does not have is what it is given.
    "network.cells": [10],
    "network.units": ["scalar", "vector"],
    "network.shared": [True, False],
    "network.transfer": ["saturating", "relu"],
    "network.initial_scale": [0.8],
    "network.input_rms": [0.9],
    "network.normalisation": ["batch", "layer"],
    "network.sends": ["prediction", "activity"],
    "network.mean_rate": [0.5],
    "network.covariance_rate": [0.5],
    "rule.name": ["hebb", "fa", "dfa"],
    "rule.context": ["cousin", "sibling"],
    "rule.schedule": ["simultaneous", "greedy"],
    "rule.top": ["label", "readout"],
    "rule.feedback": ["uSF"],
    "rule.masks": ["shuffled"],
    "training.epochs": [4],
    "training.batch": [12],
    "training.loss": ["clapp", "labels"],
    "training.optimizer": ["sgd", "adamw"],
    "training.eta": [0.0123],
    "training.context_eta": [33.0],
    "training.feedback_eta": [7.0],
    "training.weight_decay": [0.77],
    "training.warm_up": [0.5],
    "readout.labels": [9],
    "readout.kind": ["linear"],
    "readout.hidden": [5],
    "readout.epochs": [7],
    "readout.batch": [11],
    "readout.eta": [0.004],
    "readout.weight_decay": [40.0],
}
ELSEWHERE = {
    "network.substrate",  # Every row names it.
    "training.samples",  # Of `cortexsim train`, and of no trial.
    "rule.constants",  # Tables with keys of the rule's own, below.
    "rule.gain",
}


def small(name: str) -> Model:
    if name == "untrained spiking":
        spikes = {"network.substrate": "spiking", "spiking.fixation": "16 ms", "spiking.blank": "4 ms"}
        return changed(find_model("untrained"), spikes | {"network.cells": 6, "readout.epochs": 3})
    found, values = find_model(name), {"network.cells": 8, "readout.epochs": 3}
    if found.learner != "untrained":
        values |= {"training.epochs": 3}
    if found.in_brian:
        values |= {"network.cells": 6, "spiking.fixation": "16 ms", "spiking.blank": "4 ms"}
    return changed(found, values)


def other(model: Model, key: str) -> Any:
    table, name = key.split(".")
    old = getattr(getattr(model, table), name)
    return next(value for value in OTHER[key] if value != old)


def result(model: Model) -> str:
    """All that training tells: the row, the readouts of every layer, and the weights."""
    trial = Trial(model, Hierarchy(4, 2, 3), 24, 100, 0, 0)
    prepared = prepare(trial)
    row = train_and_measure(trial, prepared)
    kinds = ("linear", "two-layer")
    readouts = [layer_accuracy(trial, prepared, layer, kind) for layer in range(3) for kind in kinds]
    told = {key: value for key, value in row.items() if key not in (*TIMES, "key", "learner", "rule", "context")}
    return repr((told, readouts, weights(prepared)))


def spiking_result(model: Model) -> str:
    """The weights, and what a few samples then evoke: the readouts are those of rate layers."""
    trial = Trial(model, Hierarchy(4, 2, 2), 6, 4, 0, 0, target="numpy")
    prepared = prepare(trial)
    train(prepared.learner, prepared.leaves, prepared.labels, budget(model), 0)
    evoked = [code.tolist() for code in prepared.learner.network.activities(prepared.leaves)]
    return repr((evoked, weights(prepared), labels_seen(trial, prepared.learner)))


def weights(prepared: Prepared) -> dict[str, Any]:
    return {name: tensor.tolist() for name, tensor in prepared.learner.network.state().items()}


def ignored(name: str) -> list[str]:
    """Keys whose other value is neither refused by name nor seen in the result."""
    model, found = small(name), []
    result_of = spiking_result if model.in_brian else result
    before = result_of(model)
    left_out = tuple(["readout"] * model.in_brian + ["rule"] * (model.rule is None))
    asked = [(key, key, other(model, key)) for key in OTHER if not key.startswith(left_out)]
    if model.rule is not None:
        rule = model.plasticity_rule()
        owned = set(rule.constants).union(
            *(m.constants for m in rule.modulators), rule.path.constants if rule.path else ()
        )
        asked += [(f"rule.constants.{key}", "rule.constants", {key: -0.217}) for key in sorted(owned)]
        asked += [(f"rule.gain.{m.name}", "rule.gain", {m.name: 0.45}) for m in rule.modulators]
    for shown, key, value in asked:
        try:
            if result_of(changed(model, {key: value})) == before:
                found.append(shown)
        except UserError as error:
            named = ["rule"] if key == "rule.name" else key.split(".")
            if not all(word in str(error) for word in named):
                found.append(f"{shown}: {error}")
    return found


def test_every_key_is_asked_for() -> None:
    tables = {"network": NetworkTable, "rule": RuleTable, "training": TrainingTable, "readout": ReadoutTable}
    assert {f"{name}.{key}" for name, table in tables.items() for key in table.model_fields} == {*OTHER, *ELSEWHERE}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", RATE)
def test_no_key_is_ignored(name: str) -> None:
    assert ignored(name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SPIKING)
def test_no_key_is_ignored_where_cells_spike(name: str) -> None:
    alone = "rate" not in small(name).network.substrate
    assert ignored(name) == (["network.shared"] if alone else [])  # Columns in Brian2 share nothing in any case.
