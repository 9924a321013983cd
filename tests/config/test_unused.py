"""No key of a model is ignored: another value gives another result, or one line that names the key."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest
import torch

from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model, NetworkTable, ReadoutTable, RuleTable, TrainingTable
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import layer_accuracy, prepare, train_and_measure
from tests.studies.test_comparison import TIMES

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
OTHER: dict[str, list[Any]] = {  # The first value that the model does not have is what it is given.
    "network.cells": [10],
    "network.layers": [2],
    "network.top_cells": [5],
    "network.units": ["scalar", "vector"],
    "network.shared": [True, False],
    "network.transfer": ["saturating", "relu"],
    "network.initial": ["uniform"],
    "network.initial_scale": [0.8],
    "network.input_rms": [0.9],
    "network.input_scaling": ["sample", "synaptic"],
    "network.normalisation": ["batch", "layer"],
    "network.sends": ["prediction", "activity"],
    "network.on_off": [True],
    "network.projection": [6],
    "network.mean_rate": [0.5],
    "network.covariance_rate": [0.5],
    "rule.name": ["hebb", "fa", "dfa"],
    "rule.context": ["cousin", "sibling"],
    "rule.schedule": ["simultaneous", "greedy"],
    "rule.top": ["label", "readout"],
    "rule.feedback": ["uSF"],
    "rule.masks": ["shuffled"],
    "rule.below_projection": ["fa"],
    "training.epochs": [4],
    "training.batch": [12],
    "training.loss": ["clapp", "labels"],
    "training.context": ["view"],
    "training.optimizer": ["sgd", "adamw"],
    "training.eta": [0.0123],
    "training.context_eta": [33.0],
    "training.feedback_eta": [7.0],
    "training.weight_decay": [0.77],
    "training.warm_up": [0.5],
    "training.schedule": ["constant"],
    "readout.labels": [9],
    "readout.layers": ["all"],
    "readout.places": [[1, 1, 1]],
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
    "rule.scope",  # Seen where scores reach the margin, below.
    "rule.constants",  # Tables with keys of the rule's own, below.
    "rule.gain",
}


def small(name: str) -> Model:
    found, values = find_model(name), {"network.cells": 8, "readout.epochs": 3}
    if found.learner != "untrained":
        values |= {"training.epochs": 3}
    if found.network.projection:
        values |= {"network.projection": 8}
    return changed(found, values)


def other(model: Model, key: str) -> Any:
    table, name = key.split(".")
    old = getattr(getattr(model, table), name)
    return next(value for value in OTHER[key] if value != old)


class Trained:
    """A model after training, with all that it tells."""

    def __init__(self, model: Model) -> None:
        self.trial = Trial(model, Hierarchy(4, 2, 3), 24, 100, 0, 0)
        self.prepared = prepare(self.trial)
        row = train_and_measure(self.trial, self.prepared)
        told = {key: value for key, value in row.items() if key not in (*TIMES, "key", "learner", "rule", "context")}
        weights = {name: tensor.tolist() for name, tensor in self.prepared.learner.network.state().items()}
        self.told = repr((told, weights))

    @cached_property
    def readouts(self) -> list[float]:
        """Accuracies of every layer."""
        kinds, layers = ("linear", "two-layer"), len(self.prepared.learner.network.layers)
        return [layer_accuracy(self.trial, self.prepared, layer, kind) for layer in range(layers) for kind in kinds]

    def equals(self, other: "Trained") -> bool:
        """Whether the row, the weights and the readouts of every layer are the same."""
        return self.told == other.told and self.readouts == other.readouts


def ignored(name: str) -> list[str]:
    """Keys whose other value is neither refused by name nor seen in the result."""
    model, found = small(name), []
    before = Trained(model)
    asked = [(key, key, other(model, key)) for key in OTHER if model.rule is not None or not key.startswith("rule")]
    if model.rule is not None:
        rule = model.plasticity_rule()
        owned = set(rule.constants).union(
            *(m.constants for m in rule.modulators), rule.path.constants if rule.path else ()
        )
        asked += [(f"rule.constants.{key}", "rule.constants", {key: -0.217}) for key in sorted(owned)]
        asked += [(f"rule.gain.{m.name}", "rule.gain", {m.name: 0.45}) for m in rule.modulators]
    for shown, key, value in asked:
        try:
            if Trained(changed(model, {key: value})).equals(before):
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


def test_the_scope_of_scores_is_not_ignored() -> None:
    model = changed(small("clapp"), {"rule.constants": {"margin": 1e-4, "margin_after": 1e-4}})
    assert not Trained(model).equals(Trained(changed(model, {"rule.scope": "layer"})))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("network.transfer", "saturating"),
        ("network.input_rms", 0.7),
        ("network.input_scaling", "sample"),
        ("network.normalisation", "batch"),
        ("network.mean_rate", 0.5),
        ("network.covariance_rate", 0.5),
        ("training.batch", 12),
        ("training.optimizer", "sgd"),
        ("training.feedback_eta", 7.0),
        ("spiking.bound_exponent", 0.0),
        ("spiking.release_sites", 5),
        ("spiking.release_gain", 2.0),
        ("spiking.tag_stages", 3),
        ("spiking.tau_dendrite", "20 ms"),
    ],
)
def test_layers_in_brian_refuse_what_they_do_not_read(key: str, value: Any) -> None:
    with pytest.raises(UserError, match=rf"{key} = .*leave it out"):
        changed(find_model("clapp-spiking"), {key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spiking.cell", "alif"),
        ("spiking.encoding", "regular"),
        ("spiking.input_rate", "300 Hz"),
        ("spiking.unit_rate", "100 Hz"),
        ("spiking.tau_activity", "20 ms"),
        ("spiking.parameters", {"tau_membrane": "20 ms"}),
    ],
)
def test_layers_without_spikes_refuse_what_belongs_to_spikes(key: str, value: Any) -> None:
    model = changed(find_model("clapp-spiking"), {"network.substrate": "brian-rate"})
    with pytest.raises(UserError, match=rf"{key}.*: no layer spikes .*leave it out"):
        changed(model, {key: value})


def test_layers_without_spikes_need_no_room_for_spikes() -> None:
    step = {"spiking.dt": "2.5 ms", "spiking.blank": "0 ms"}  # Of 600 Hz, three spikes in two steps.
    with pytest.raises(UserError, match="dt has room for one spike"):
        changed(find_model("clapp-spiking"), step)
    assert changed(find_model("clapp-spiking"), step | {"network.substrate": "brian-rate"}).spiking.blank == "0 ms"


@pytest.mark.parametrize(
    ("name", "why"), [("dfa", "errors are propagated"), ("backprop-plain", "without network.input_rms")]
)
def test_inputs_are_scaled_by_sample_where_they_are_scaled_and_no_error_path_runs(name: str, why: str) -> None:
    asked = {"network.input_rms": 0.7 if name == "dfa" else "none", "network.input_scaling": "sample"}
    with pytest.raises(UserError, match=rf"network.input_scaling = 'sample': {why}"):
        changed(find_model(name), asked)
    assert changed(find_model("untrained"), asked | {"network.input_rms": 0.7}).network.input_rms == 0.7


def test_prediction_synapses_are_refused_where_nothing_is_predicted() -> None:
    asked = {"network.sends": "activity", "spiking.prediction_synapses": "taught"}
    with pytest.raises(UserError, match=r"spiking.prediction_synapses = 'taught': no layer sends a prediction"):
        changed(find_model("clapp-spiking"), asked)


def test_a_rate_that_another_stands_for_is_refused() -> None:
    for name in ("eta", "context_eta", "weight_decay"):
        with pytest.raises(UserError, match=rf"training.{name} = .*: spiking.{name} is used instead"):
            changed(find_model("clapp-spiking"), {f"spiking.{name}": 0.5})
