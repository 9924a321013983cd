"""Prediction cells: what drives them, and how strongly."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cortexsim.config.building import assemble
from cortexsim.config.registry import read_model
from cortexsim.errors import UserError
from cortexsim.learners import HybridNetwork
from cortexsim.learners.segment import fingerprints
from cortexsim.rate import Architecture
from cortexsim.rules import known_rules
from cortexsim.spiking import LayerSpec, Settings, Stack, Stream, describe
from cortexsim.spiking.wiring import connectivity
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build
from tests.quick import slow_but

CELLS = 3
TEXT = """
learner = "local"
[rule]
name = "clapp"
[network]
substrate = "spiking"
cells = 3
sends = "prediction"
[spiking]
encoding = "regular"
unit_rate = "100 Hz"
target_drive = 0.7
"""


@pytest.mark.parametrize("size", [2, 3])
def test_prediction_cells_are_driven_as_in_the_rate_layer(size: int) -> None:
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=2, tuple_size=size)
    architecture = Architecture(cells=CELLS, shared=False, sends="prediction", transfer="linear")
    synapses = {"context": ("sibling", "none"), "context_synapses": "random"}
    network = build(architecture, hierarchy, 0, dtype=torch.float64, **synapses)
    layer = network.layers[0]
    assert layer.context is not None
    activity = torch.rand(1, layer.positions, CELLS, dtype=torch.float64)
    pre, post, place = connectivity("onward", {"sources": layer.context_index.tolist(), "cells": CELLS})
    drive = np.zeros(layer.positions * CELLS)
    np.add.at(drive, post, layer.context.weights.numpy().ravel()[place] * activity.numpy().ravel()[pre])
    np.testing.assert_allclose(drive, layer.send(activity).numpy().ravel(), rtol=1e-12)


@pytest.fixture
def network(tmp_path: Path) -> HybridNetwork:
    return trained(tmp_path, TEXT)


def trained(tmp_path: Path, text: str) -> HybridNetwork:
    """A spiking network of three levels with weights as if its first layer had been trained."""
    (tmp_path / "mine.toml").write_text(text)
    built = assemble(read_model(tmp_path / "mine.toml"), Hierarchy(4, 2, 3), seed=3, target="numpy").network
    assert isinstance(built, HybridNetwork)
    first = built.layers[0]
    assert first.context is not None
    first.feedforward.weights.abs_().add_(1)
    first.context.weights.copy_(torch.linspace(-1, 2, first.context.weights.numel()).view_as(first.context.weights))
    first.mean.fill_(0.1)
    return built


def show(network: HybridNetwork, times: int) -> torch.Tensor:
    """Show one sample again and again to the second layer as it learns, and answer with what the first one predicts."""
    leaves = torch.zeros(times, 8, 4)
    leaves[:, :, 1] = 1
    segment = network.segments[0]
    segment.learn(1, leaves, torch.zeros(times, 4), np.zeros(times), np.arange(times), seed=0)
    first = network.layers[0]
    first.sends = "activity"
    segment._stacks.clear()
    activity = network.activities(leaves[:1], 3)[0] - first.mean
    first.sends = "prediction"
    segment._stacks.clear()
    return first._prediction_weights()(activity.double() if first.bias.dtype == torch.float64 else activity)


def test_the_power_of_a_drive_is_followed(network: HybridNetwork) -> None:
    expected = show(network, 30).flatten().numpy()
    share = 1 - (1 - network.segments[0].settings.mean_rate) ** 30
    found = network.segments[0].brian_state["prediction1.power"]
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected**2 * share, rtol=0.1)  # Spikes differ from fixation to fixation.


@pytest.mark.slow
def test_prediction_cells_fire_where_more_than_the_mean_is_expected(network: HybridNetwork) -> None:
    expected = show(network, 200).flatten()
    leaves = torch.zeros(1, 8, 4)
    leaves[:, :, 1] = 1
    sent = network.activities(leaves, 1)[0].flatten()
    assert ((expected > 0) == (sent > 0)).all()
    assert 0 < (expected > 0).float().mean() < 1


def test_off_cells_fire_where_less_than_the_mean_is_expected(tmp_path: Path) -> None:
    expected = show(trained(tmp_path, TEXT), 20)[0]
    network = trained(tmp_path, TEXT.replace("[spiking]", "on_off = true\n[spiking]"))
    leaves = torch.zeros(20, 8, 4)
    leaves[:, :, 1] = 1
    network.segments[0].learn(1, leaves, torch.zeros(20, 4), np.zeros(20), np.arange(20), seed=0)
    on, off = network.activities(leaves[:1], 1)[0][0].split(CELLS, 1)
    assert torch.equal(on > 0, expected > 0)
    assert torch.equal(off > 0, expected < 0)


@pytest.mark.slow
def test_rates_of_prediction_cells_grow_with_their_target_drive(tmp_path: Path) -> None:
    """Given their power, the drive grows with its target, and the rates with the drive."""
    sent, leaves = [], torch.eye(4)[torch.arange(16) % 4].view(2, 8, 4)
    for target in (0.35, 1.4):
        network = trained(tmp_path, TEXT.replace("target_drive = 0.7", f"target_drive = {target}"))
        show(network, 10)
        sent.append(float(network.activities(leaves, 1)[0].mean()))
    assert 0 < sent[0] < 0.5 * sent[1]


@pytest.mark.slow
def test_what_prediction_cells_send_does_not_depend_on_the_sample_before(network: HybridNetwork) -> None:
    show(network, 10)
    leaves = torch.eye(4)[(torch.arange(24) * 5 // 3) % 4].view(3, 8, 4)
    together = network.activities(leaves, 1)[0]
    alone = torch.cat([network.activities(leaves[k : k + 1], 1)[0] for k in range(3)])
    assert (together > 0).float().mean() > 0.2
    torch.testing.assert_close(together, alone, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dendrite", ["trace", "psp"])
def test_taught_synapses_learn_to_predict_the_sibling(tmp_path: Path, dendrite: str) -> None:
    text = TEXT + f'dendrite = "{dendrite}"\nfixation = "59 ms"\nprediction_synapses = "taught"\neta = 0.05\n'
    network = trained(tmp_path, text)
    leaves = torch.eye(4)[(torch.arange(5 * 8) * 7 // 3) % 4].view(5, 8, 4)
    order = np.arange(15) % 5
    segment, first = network.segments[0], network.layers[0]
    rows = leaves.numpy().astype(float).reshape(5, -1)
    segment.learn(1, leaves[order], torch.zeros(15, 4), np.ones(15), fingerprints(rows)[order], seed=3)
    found = segment.brian_state["prediction_input1.w"]
    first.sends = "activity"
    segment._stacks.clear()
    activity = (network.activities(leaves, 3)[0] - first.mean).numpy().astype(float)  # (samples, columns, cells)
    weights = np.zeros((4, CELLS, CELLS))
    for sample in order:
        own, sibling = activity[sample], activity[sample][[1, 0, 3, 2]]
        error = sibling - np.einsum("pij,pj->pi", weights, own)
        weights += 0.05 * np.einsum("pi,pj->pij", error, own)
    pre, post, _ = connectivity("onward", {"sources": first.context_index.tolist(), "cells": CELLS})
    assert np.abs(found).max() > 0.01
    np.testing.assert_allclose(found, weights[post // CELLS, post % CELLS, pre % CELLS], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("dendrite", "late"),
    slow_but([("trace", False), ("psp", True)], [(name, late) for name in ("trace", "psp") for late in (False, True)]),
)
def test_synapses_that_follow_the_same_rule_equal_the_context_synapses(
    tmp_path: Path, dendrite: str, late: bool
) -> None:
    text = TEXT + f'dendrite = "{dendrite}"\nfixation = "59 ms"\nprediction_synapses = "kolen-pollack"\neta = 0.05\n'
    if late:
        text += 'tag_stages = 2\n[modulator.surprise]\ndelay = "128 ms"\n'
    network = trained(tmp_path, text)
    segment, first = network.segments[0], network.layers[0]
    assert first.context is not None
    first.context.weights.zero_()
    leaves = torch.eye(4)[(torch.arange(5 * 8) * 7 // 3) % 4].view(5, 8, 4)
    order = np.arange(15) % 5
    rows = leaves.numpy().astype(float).reshape(5, -1)
    segment.learn(0, leaves[order], torch.zeros(15, 4), np.ones(15), fingerprints(rows)[order], seed=3)
    learned = segment.brian_state["prediction_input1.w"]
    _, _, place = connectivity("onward", {"sources": first.context_index.tolist(), "cells": CELLS})
    assert np.abs(learned).max() > 0.01
    np.testing.assert_allclose(learned, first.context.weights.numpy().ravel()[place], rtol=1e-5, atol=1e-8)
    segment.learn(1, leaves[order], torch.zeros(15, 4), np.ones(15), fingerprints(rows)[order], seed=3)
    assert np.array_equal(segment.brian_state["prediction_input1.w"], learned), "the layer has learned before"


def test_synapses_that_follow_the_same_rule_converge_as_weights_decay(tmp_path: Path) -> None:
    text = TEXT + 'prediction_synapses = "kolen-pollack"\neta = 0.05\nweight_decay = 0.5\n'
    network = trained(tmp_path, text)
    segment, first = network.segments[0], network.layers[0]
    assert first.context is not None
    leaves = torch.eye(4)[(torch.arange(5 * 8) * 7 // 3) % 4].view(5, 8, 4)
    rows = leaves.numpy().astype(float).reshape(5, -1)
    _, _, place = connectivity("onward", {"sources": first.context_index.tolist(), "cells": CELLS})

    def apart() -> np.ndarray:
        return segment.brian_state["prediction_input1.w"] - first.context.weights.numpy().ravel()[place]

    segment.brian_state["prediction_input1.w"] = np.random.default_rng(0).normal(size=len(place))
    before = apart()
    segment.learn(0, leaves, torch.zeros(5, 4), np.ones(5), fingerprints(rows), seed=3)
    np.testing.assert_allclose(apart(), before * (1 - 0.05 * 0.5) ** 5, rtol=1e-5, atol=1e-6)


def test_context_synapses_that_decay_by_themselves_cannot_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "decaying.py").write_text(
        "from dataclasses import replace\nfrom cortexsim.rules import load_rule\nclapp = load_rule('clapp')\n"
        "RULE = replace(clapp, name='decaying', context=replace(clapp.context, decay='1'))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    text = TEXT.replace('name = "clapp"', 'name = "decaying:RULE"') + 'prediction_synapses = "kolen-pollack"\n'
    with pytest.raises(UserError, match=r"'kolen-pollack': context synapses of rule '.*' decay by themselves"):
        trained(tmp_path, text)


def test_prediction_cells_without_spikes_send_the_scaled_prediction(tmp_path: Path) -> None:
    text = TEXT.replace('"spiking"', '"brian-rate"').replace('unit_rate = "100 Hz"\n', "")
    text = text.replace('encoding = "regular"', 'fixation = "200 ms"')
    network = trained(tmp_path, text)
    expected = show(network, 30).flatten()
    leaves = torch.zeros(1, 8, 4)
    leaves[:, :, 1] = 1
    sent = network.activities(leaves, 1)[0].flatten()
    share = 1 - (1 - network.segments[0].settings.mean_rate) ** 30
    wanted = torch.relu(0.7 * expected / (expected.square() * share).sqrt())
    torch.testing.assert_close(sent, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("synapses", ["copied", "taught", "kolen-pollack"])
def test_chunks_of_any_size_give_the_same_spikes_where_columns_learn_what_they_predict(synapses: Any) -> None:
    settings = Settings(input_rate=400.0, eta=0.3, context_eta=3.0, homeostasis=0.1, mean_rate=0.1)
    settings = replace(settings, prediction_synapses=synapses)
    specs = [
        LayerSpec(1, 2, 8, 8, "spiking", True, "sibling", False, 400.0, "prediction", ((1,), (0,))),
        LayerSpec(2, 1, 8, 16, "spiking", False, "none", False, settings.unit_rate),
    ]
    stack = Stack(*describe(specs, 4, known_rules()["clapp"], settings, 12), "numpy")
    draw, state = np.random.default_rng(0), stack.initial_state()
    state |= {key: draw.normal(0, 0.4, len(state[key])) for key in state if key.endswith(".w")}
    shown = (draw.uniform(size=(12, 16)) < 0.4).astype(float)
    stream = Stream(shown, np.arange(12), eta_factor=np.ones(12))
    (first, after), (second, other) = (stack.run(stream, state, seed=5, chunk=size) for size in (12, 5))
    assert first.spikes["prediction1"] > 20
    assert first.spikes == second.spikes
    assert all(np.array_equal(after[key], other[key]) for key in after)
