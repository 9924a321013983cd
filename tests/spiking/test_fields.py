"""Columns in Brian2 whose receptive fields overlap: wired from the tables of the rate layers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cortexsim import topology
from cortexsim.config.registry import read_model
from cortexsim.config.schema import Model
from cortexsim.config.trial import Trial
from cortexsim.learners import Budget, HybridNetwork, train
from cortexsim.rate import Architecture, Network
from cortexsim.spiking.wiring import connectivity
from cortexsim.training.measurement import Prepared, prepare

DOUBLE = torch.float64
TEXT = """
learner = "local"
[task]
name = "sequence"
objects = 3
positions = 12
size = 4
shift = 3
[[layer]]
size = 4
stride = 2
cells = 5
[[layer]]
size = 2
stride = 1
[rule]
name = "clapp"
context = "neighbour"
[network]
substrate = "spiking"
cells = 8
shared = false
sends = "SENDS"
[spiking]
encoding = "regular"
fixation = "60 ms"
gain = 6.0
[training]
epochs = 1
"""


def test_every_synapse_of_a_table_has_the_weight_of_the_rate_layer() -> None:
    columns = topology.convolution((5, 4), size=2, stride=1)
    network = Network.build(
        Architecture(cells=3, shared=False), topology.stacked((5, 4), 2, (columns,)), 2, 0, dtype=DOUBLE
    )
    layer, below = network.layers[0], torch.rand(1, 20, 2, dtype=DOUBLE)
    sizes = {"sources": columns.fields.tolist(), "below": 20, "width": 2, "cells": 3}
    pre, post, place = connectivity("table", sizes)
    assert (np.diff(pre) >= 0).all()
    assert np.array_equal(np.sort(place), np.arange(layer.feedforward.weights.numel()))
    drive = np.zeros(layer.positions * 3)
    np.add.at(drive, post, layer.feedforward.weights.numpy().ravel()[place] * below.numpy().ravel()[pre])
    np.testing.assert_allclose(drive, layer.respond(below).drive.numpy().ravel(), rtol=1e-12)


def learned(folder: Path, sends: str, target: str) -> Prepared:
    model = read(folder, sends)
    prepared = prepare(Trial(model, model.own_task(), 12, 6, 0, 0, target=target))
    train(prepared.learner, prepared.inputs, prepared.labels, Budget(epochs=1, batch=4), 0)
    return prepared


def spikes(prepared: Prepared) -> tuple[list[torch.Tensor], dict[str, float]]:
    network = prepared.learner.network
    assert isinstance(network, HybridNetwork)
    return network.respond(prepared.inputs)


@pytest.mark.slow
def test_columns_that_overlap_learn_from_their_neighbours_in_every_layer(tmp_path: Path) -> None:
    before = prepare(Trial(model := read(tmp_path, "activity"), model.own_task(), 12, 6, 0, 0, target="numpy"))
    after = learned(tmp_path, "activity", "numpy")
    assert [layer.positions for layer in after.learner.network.layers] == [5, 4]
    assert after.learner.trained_layers == 2
    for old, new in zip(before.learner.network.layers, after.learner.network.layers, strict=True):
        assert not torch.equal(old.feedforward.weights, new.feedforward.weights)
        assert new.context is not None
        assert new.context.weights.any()


def read(folder: Path, sends: str) -> Model:
    (folder / "mine.toml").write_text(TEXT.replace("SENDS", sends))
    return read_model(folder / "mine.toml")


def test_a_spike_reaches_as_many_synapses_as_fields_hold_it(tmp_path: Path) -> None:
    prepared = learned(tmp_path, "activity", "numpy")
    network = prepared.learner.network
    assert isinstance(network, HybridNetwork)
    stack = network.segments[0].last_stack
    held = np.bincount(network.topology.layers[0].fields.ravel(), minlength=12)
    assert stack.fan_out["input"].tolist() == (5 * held).tolist()
    assert len(set(held)) > 1


@pytest.mark.parametrize("sends", ["activity", pytest.param("prediction", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_the_compiled_program_runs_through_rows_of_different_numbers(tmp_path: Path, sends: str) -> None:
    slow, fast = (learned(tmp_path, sends, target) for target in ("numpy", "cpp"))
    for one, other in zip(slow.learner.network.layers, fast.learner.network.layers, strict=True):
        torch.testing.assert_close(one.feedforward.weights, other.feedforward.weights, rtol=1e-4, atol=1e-6)
    (codes, cost), (compiled, measured) = spikes(slow), spikes(fast)
    assert cost == measured
    for one, other in zip(codes, compiled, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
