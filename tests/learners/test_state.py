"""What a learner's state promises: it is everything. Cut anywhere, training goes on to the same weights."""

from pathlib import Path
from typing import Any

import pytest
import torch

from cortexsim.analysis.probes import code_geometry
from cortexsim.config.registry import find_model, model_paths
from cortexsim.config.schema import Model
from cortexsim.config.trial import Trial
from cortexsim.learners import BatchEnd, Budget, Cursor, Event, HybridNetwork, Learner, State, load_exactly, train
from cortexsim.storage.checkpoint import Checkpoint, Checkpoints
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import Prepared, prepare
from tests.quick import slow_but

EXTRA = {  # What no model of the package has: other optimisers, feedback and masks, layers at once, substrates mixed.
    "sgd": ("clapp", {"training": {"optimizer": "sgd"}}),
    "at once": ("clapp", {"rule": {"name": "clapp", "schedule": "simultaneous"}}),
    "fresh magnitudes": ("dfa", {"rule": {"name": "bp", "feedback": "brSF"}}),
    "fixed magnitudes": ("dfa", {"rule": {"name": "bp", "feedback": "frSF"}}),
    "chains": ("dfa", {"rule": {"name": "dfa", "masks": "shuffled"}}),
    "lpl": ("hebb", {"rule": {"name": "lpl"}}),
    "vicreg": ("hebb", {"rule": {"name": "vicreg_local"}}),
    "hybrids": ("hebb", {"rule": {"name": "forward_forward"}}),
    "unshared views": ("barlow", {"network": {"shared": False}}),
    "synonyms": ("clapp", {"rule": {"name": "infonce", "context": "synonym", "schedule": "simultaneous"}}),
    "synonyms, siblings": ("clapp", {"rule": {"name": "clapp", "context": "sibling+synonym"}}),
    "synonyms, one to one": ("hebb", {"rule": {"name": "barlow_local", "context": "sibling+synonym"}}),
    "normalised": ("backprop", {"network": {"normalisation": "batch", "input_rms": 0.7, "sends": "prediction"}}),
    "normalised by layer": ("bp-clapp", {"network": {"normalisation": "layer", "shared": False}}),
    "brian-rate": ("clapp-spiking", {"network": {"substrate": ["brian-rate", "rate"], "sends": "activity"}}),
    "rate below": ("clapp-spiking", {"network": {"substrate": ["rate", "spiking"], "sends": "activity"}}),
    "delayed": ("clapp-spiking", {"modulator": {"surprise": {"delay": "20 ms", "tau_filter": "50 ms"}}}),
    "all carried": ("clapp-spiking", {"spiking": {"reset_traces": False}}),
    "dale": ("clapp-spiking", {"spiking": {"dale": True, "homeostasis": 0.1}}),
    "levels, release": (
        "clapp-spiking",
        {"spiking": {"w_max": 1.0, "weight_bits": 8, "release_probability": 0.5, "eta": 1.0}},
    ),
}
NAMES = [*sorted(model_paths()), *EXTRA]
IN_BRIAN = {name for name in NAMES if find_model(EXTRA[name][0] if name in EXTRA else name).in_brian}
QUICK = {*NAMES} - IN_BRIAN | {"clapp-spiking"}


def model(name: str) -> Model:
    found, tables = find_model(EXTRA[name][0] if name in EXTRA else name), EXTRA.get(name, ("", {}))[1]
    values = found.model_dump() | {
        key: (found.model_dump()[key] if key != "rule" else {}) | table for key, table in tables.items()
    }
    values["network"] = values["network"] | {"cells": 6 if found.in_brian else 16}
    if found.in_brian:
        values["spiking"] = values["spiking"] | {"fixation": "16 ms", "blank": "4 ms"}
        if values["spiking"]["weight_bits"]:
            values["spiking"]["eta"] = 8.0  # So that a few steps come to a level.
        for modulator in values["modulator"].values():
            modulator["delay"] = modulator["delay"] if modulator["delay"] == "0 ms" else "40 ms"
    changed = Model.model_validate(values)
    changed._name, changed._path = found._name, found._path
    return changed


def prepared(name: str) -> Prepared:
    """A small learner; layers in Brian2 run without a compiler."""
    found = model(name)
    depth, samples = (2, 6) if found.in_brian else (3, 20)
    return prepare(Trial(found, Hierarchy(4, 2, depth), samples, 4, 0, 0, target="numpy"))


def equal(one: State, other: State) -> bool:
    assert one.keys() == other.keys()
    return all(bits(value) == bits(other[name]) for name, value in one.items())


def bits(value: Any) -> Any:
    return value.numpy().tobytes() if isinstance(value, torch.Tensor) else value


def taught(learner: Learner, work: Prepared, **options: Any) -> None:
    epochs = 2 if isinstance(learner.network, HybridNetwork) else 3
    train(learner, work.inputs, work.labels, Budget(epochs, batch=8), 0, views=work.views, **options)


@pytest.mark.parametrize("name", slow_but(QUICK, NAMES))
def test_training_cut_anywhere_goes_on_from_its_checkpoint_to_the_same_state(name: str, tmp_path: Path) -> None:
    whole = prepared(name)
    seen: list[tuple[Cursor, State]] = []

    def keep(event: Event) -> None:
        if isinstance(event, BatchEnd):
            seen.append((event.cursor, whole.learner.state()))

    taught(whole.learner, whole, callbacks=[keep])
    if whole.learner.stages == 0:
        assert seen == []
        return
    begun = prepared(name).learner.state()
    assert not any(torch.equal(seen[-1][1][key], value) for key, value in begun.items() if key == "layer1.feedforward")
    cuts = (
        [(len(seen) - 1) // 2]
        if isinstance(whole.learner.network, HybridNetwork)
        else [0, len(seen) // 2, len(seen) - 1]
    )
    checkpoints = Checkpoints(tmp_path)
    for cursor, state in [seen[cut] for cut in cuts]:
        checkpoints.write(Checkpoint(cursor, state, 0.0))
        found = checkpoints.newest(pytest.fail)
        assert found is not None
        again = prepared(name)
        load_exactly(again.learner, found.state)
        taught(again.learner, again, begin=found.cursor)
        assert equal(again.learner.state(), whole.learner.state()), cursor


@pytest.mark.parametrize("name", slow_but(QUICK, sorted(model_paths())))
def test_evaluation_leaves_no_trace_in_the_state(name: str) -> None:
    work = prepared(name)
    taught(work.learner, work)
    before, drawn = work.learner.state(), torch.get_rng_state()
    code_geometry(work.learner.network, work.test, 0)
    work.learner.classify(work.inputs)
    assert equal(before, work.learner.state())
    assert torch.equal(drawn, torch.get_rng_state())


def test_a_state_is_a_copy() -> None:
    work = prepared("clapp")
    before = work.learner.state()
    kept = {name: value.clone() for name, value in before.items() if isinstance(value, torch.Tensor)}
    taught(work.learner, work)
    assert all(torch.equal(before[name], value) for name, value in kept.items())
