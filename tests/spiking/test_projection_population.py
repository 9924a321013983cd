"""Layers with a projection in Brian2: rule and feedback do as in rate layers, and ON and OFF cells send it."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cortexsim.config.building import assemble
from cortexsim.config.overrides import changed
from cortexsim.config.registry import read_model
from cortexsim.learners import BrianLearner, Segment
from cortexsim.learners.segment import fingerprints
from cortexsim.rate import Layer, Plasticity
from cortexsim.rate.layer import Response
from cortexsim.rules import Rule, known_rules
from cortexsim.spiking import Stream
from cortexsim.spiking.wiring import connectivity
from cortexsim.tasks.rhm import Hierarchy
from tests.quick import slow_but
from tests.spiking.agreement import CELLS, PATCH, POSITIONS
from tests.spiking.test_agreement import membrane, read_activity, triangle

RULES = known_rules()
NAMES = ("lpl", "vicreg_local", "barlow_local", "clapp", "softhebb")
ETA, PROJECTED = 1e-8, 4  # So small that one update does not change the next.
TEXT = f"""
learner = "local"
[rule]
name = "lpl"
[network]
substrate = "spiking"
cells = {CELLS}
projection = {PROJECTED}
[spiking]
centred = false
homeostasis = 0.0
mean_rate = 0.0
encoding = "regular"
[training]
eta = {ETA}
epochs = 1
"""
STEADY = {
    "network.substrate": "brian-rate",
    "spiking.fixation": "300 ms",
    "spiking.tau_eligibility": "8 ms",
    "spiking.encoding": "poisson",
}
ONE_SPIKE = {
    "spiking.fixation": "40 ms",
    "spiking.input_rate": "25 Hz",
    "spiking.gain": 0.5,
    "spiking.tau_eligibility": "30 ms",
    "spiking.tau_activity": "50 ms",
}
STATISTICS = {"lateral1.w": "projection1.variance", "lateral_view1.w": "projection1.cross"}
"""Weights of lateral synapses within a projection, and the variables of cells that hold those onto themselves."""


def learner(folder: Path, depth: int, target: str = "numpy", **settings: Any) -> BrianLearner:
    """Columns with a projection, in double precision; those of the lowest layer have the sizes of `agreement`."""
    (folder / "mine.toml").write_text(TEXT)
    if "covariance" in RULES[str(settings.get("rule.name", "lpl"))].requires:
        settings = {"spiking.covariance_rate": 0.0, **settings}
    model = changed(read_model(folder / "mine.toml"), settings)
    built = assemble(model, Hierarchy(features=2, multiplicity=2, depth=depth), seed=3, target=target)
    assert isinstance(built, BrianLearner)
    for tensor in built.network.state().values():
        tensor.data = tensor.data.double()
    return built


def randomise(segment: Segment, context: float = 1.0) -> Layer:
    """Draw weights and running statistics of the lowest layer, and copy it; context weights have a given deviation."""
    layer, draw = segment.layers[0], np.random.default_rng(4)
    cells, stack = layer.learning_cells, segment.stack(0)
    for tensor in (layer.bias, cells.bias, cells.mean):
        tensor.copy_(torch.from_numpy(draw.uniform(1.05, 1.6, tensor.shape)))
    if cells.context is not None:
        cells.context.weights.copy_(torch.from_numpy(draw.normal(0, context, cells.context.weights.shape)))
    for key in stack.initial_state():
        if key.endswith(("view_mean", "variance")):
            segment.brian_state[key] = draw.uniform(0.05, 0.2, POSITIONS * PROJECTED)
    lateral = {name: draw.normal(0.3, 0.5, (POSITIONS, PROJECTED, PROJECTED)) for name in STATISTICS}
    for key, own in STATISTICS.items():
        diagonal = lateral[key][:, range(PROJECTED), range(PROJECTED)] = draw.uniform(0.2, 0.4, (POSITIONS, PROJECTED))
        if own in stack.initial_state():
            segment.brian_state[own] = diagonal.ravel()
        if (name := key.removesuffix(".w")) in stack.connectivity:
            segment.brian_state[key] = lateral[key].ravel()[stack.connectivity[name].place]
    cells.has_varied, cells.mean_rate, cells.covariance_rate = True, 0.0, 0.0
    if cells.covariance is not None:
        cells.covariance.copy_(torch.diag_embed(_cells(segment, "variance")))
        if "lateral1.w" in segment.brian_state:
            cells.covariance.copy_(torch.from_numpy(lateral["lateral1.w"]))
    if (views := cells.view_statistics) is not None and "projection1.cross" in segment.brian_state:
        views.mean.copy_(_cells(segment, "view_mean"))
        views.variance.copy_(_cells(segment, "view_variance"))
        views.covariance.copy_(torch.from_numpy(lateral["lateral_view1.w"]))
    return deepcopy(layer)


def _cells(segment: Segment, name: str) -> Tensor:
    return torch.from_numpy(segment.brian_state[f"projection1.{name}"].reshape(POSITIONS, PROJECTED))


def changes(segment: Segment, below: Tensor, learning: np.ndarray, stimulus_id: np.ndarray) -> dict[str, Tensor]:
    """What the lowest layer learns from a stream, by the names of its tensors, per unit of eta."""
    layer = segment.layers[0]
    before = {name: tensor.clone() for name, tensor in layer.state().items()}
    segment.learn(0, below, torch.eye(2)[torch.arange(len(below)) % 2], learning, stimulus_id, seed=0)
    return {name: (tensor - before[name]) / ETA for name, tensor in layer.state().items()}


def assert_agree(got: Mapping[str, Tensor], want: Mapping[str, Tensor]) -> None:
    for name, update in want.items():
        if name == "bias":  # That of homeostasis.
            continue
        assert update.abs().max() > 1e-3, f"nothing to compare in {name}"
        torch.testing.assert_close(got[name], update, rtol=1e-6, atol=1e-6 * float(update.abs().max()))


# Rate cells: at the end of a long fixation everything is at its steady state, which is the rate layer of torch.


@pytest.mark.parametrize("below", ["kolen_pollack", "fa"])
@pytest.mark.parametrize("name", NAMES)
def test_a_projection_in_brian_learns_what_it_learns_in_torch(name: str, below: str, tmp_path: Path) -> None:
    settings = {**STEADY, "rule.name": name, "rule.below_projection": below}
    segment = learner(tmp_path, 2, **settings).network.segments[0]
    layer, rule = randomise(segment), RULES[name]
    batch = rule.saccades + 1 if rule.context is not None else 1
    inputs = torch.from_numpy(np.random.default_rng(1).uniform(0, 1, (batch, POSITIONS * 2, 2)))
    # A batch is periodic: its last fixations come before it.
    number = np.arange(-rule.saccades, batch) % batch
    got = changes(segment, inputs[number], (np.arange(len(number)) >= rule.saccades).astype(float), number)
    want = Plasticity(rule, below_projection=RULES[below]).updates(layer, layer.respond(inputs))
    assert ("feedback" in want) == (below == "kolen_pollack")
    assert_agree(got, {key: update * batch for key, update in want.items()})


# Spiking cells: one presynaptic spike each, and a membrane worked out by hand.


def one_spike_each(name: str, folder: Path) -> tuple[dict[str, Tensor], "Spikes"]:
    """What a layer learns from a fixation after an equal one, and all from which that follows."""
    segment = learner(folder, 2, **ONE_SPIKE, **{"rule.name": name}).network.segments[0]
    # Both fixations have the same context: a score beyond the margin, so that they do not cancel.
    layer, count = randomise(segment, context=10.0), 1 + RULES[name].saccades
    stack, ones = segment.stack(0), torch.ones(count, POSITIONS * 2, 2, dtype=torch.float64)
    state, chosen = segment.state(stack), segment.settings
    recorded = segment.record_all(ones[:1], 0, 0).events["input"]
    steps = np.zeros(POSITIONS * PATCH, dtype=int)
    steps[recorded[1]] = recorded[0]
    spikes = np.zeros((chosen.timing.steps, POSITIONS * PATCH))
    spikes[steps, range(POSITIONS * PATCH)] = 1
    before = {"feedforward1.w": state["feedforward1.w"], "layer1.bias": state["layer1.bias"]}
    cells = membrane(SimpleNamespace(before=before), chosen, spikes)  # type: ignore[arg-type]
    learning = np.zeros(count)
    learning[-1] = 1
    number = fingerprints(np.ones((count, POSITIONS * PATCH)))
    got = changes(segment, ones, learning, number)
    return got, Spikes(layer, cells, steps, chosen)


class Spikes:
    """Cells in one fixation in which every input spikes once.

    Attributes:
        layer: their weights before.
        pre: traces of the input spikes at its end, (positions, inputs).
        slope: derivative of each cell when an input spikes, (positions, cells, inputs).
        activity: at its end, (1, positions, cells).
    """

    def __init__(self, layer: Layer, cells: Any, steps: np.ndarray, chosen: Any) -> None:
        self.layer = layer
        tau, dt = chosen.tau_eligibility, chosen.timing.dt
        window = tau * (1 - np.exp(-chosen.timing.fixation / tau))
        trace = np.exp((steps * dt - chosen.timing.period) / tau) / (chosen.input_rate * window)
        self.pre = torch.from_numpy(trace.reshape(POSITIONS, PATCH))
        psi = triangle(cells.voltage)[steps.reshape(POSITIONS, PATCH), np.arange(POSITIONS)[:, None]]
        self.slope = torch.from_numpy(psi).transpose(1, 2)
        self.activity = torch.from_numpy(read_activity(cells.fired, chosen)[-1]).unsqueeze(0)

    def updates(self, rule: Rule, below: Rule) -> dict[str, Tensor]:
        """Work out the update, input by input, for a cell differs from one presynaptic spike to the next."""
        columns = []
        for k in range(PATCH):
            # The derivative of a cell that is linear is 1: as a bias learns, without it, from what feedback brings.
            response = Response(self.pre[None], torch.ones_like(self.activity), self.activity)
            found = Plasticity(rule, below_projection=below).updates(deepcopy(self.layer), response)
            columns.append(found["feedforward"][..., k] * self.slope[..., k])
        return {**found, "feedforward": torch.stack(columns, -1)}


@pytest.mark.parametrize("name", slow_but(["clapp"], NAMES[:4]))
def test_a_single_spike_changes_weights_as_the_error_of_the_projection_says(name: str, tmp_path: Path) -> None:
    got, spikes = one_spike_each(name, tmp_path)
    assert_agree(got, spikes.updates(RULES[name], RULES["kolen_pollack"]))


@pytest.mark.parametrize("name", slow_but(["clapp"], NAMES[:4]))
def test_mutations_do_not_pass(name: str, tmp_path: Path) -> None:
    got, spikes = one_spike_each(name, tmp_path)
    rule, below = RULES[name], RULES["kolen_pollack"]
    flipped = replace(rule, feedforward=replace(rule.feedforward, third=f"-({rule.feedforward.third})"))
    wrong = {
        "projection.feedforward": spikes.updates(flipped, below),
        "feedforward": spikes.updates(rule, replace(below, feedforward=replace(below.feedforward, third="error_post"))),
        "feedback": spikes.updates(rule, replace(below, feedback=replace(below.feedback, third="1"))),
    }
    for key, updates in wrong.items():
        assert not torch.allclose(got[key], updates[key], rtol=1e-2), key
    timeless = deepcopy(spikes)
    timeless.pre = torch.full_like(spikes.pre, spikes.pre.mean().item())
    transported = deepcopy(spikes)
    assert transported.layer.feedback is not None
    transported.layer.feedback.weights.copy_(spikes.layer.learning_cells.feedforward.weights.transpose(1, 2))
    for other in (timeless, transported):
        assert not torch.allclose(got["feedforward"], other.updates(rule, below)["feedforward"], rtol=1e-2)


# Networks: what is sent, and what passes from run to run.

SENDING = {
    "rule.name": "vicreg_local",
    "network.sends": "projection",
    "training.eta": 0.002,
    "training.weight_decay": 0.01,
    "spiking.mean_rate": 0.1,
    "spiking.covariance_rate": 0.05,
    "spiking.unit_rate": "100 Hz",
    "spiking.homeostasis": 0.01,
    "spiking.input_rate": "400 Hz",
}


def show(built: BrianLearner, stage: int, parts: list[int], begin: int = 0) -> None:
    """Show a stream, from a fixation on, to the layer of a stage, some fixations at a time."""
    leaves = torch.rand(begin + sum(parts), 8, 2, generator=torch.Generator().manual_seed(5))
    for number in np.split(np.arange(begin, len(leaves)), np.cumsum(parts)[:-1]):
        count = len(number)
        built.network.segments[0].learn(stage, leaves[number], torch.zeros(count, 2), np.ones(count), number, seed=0)


def state_of(built: BrianLearner) -> dict[str, Tensor]:
    return {name: value for name, value in built.state().items() if isinstance(value, Tensor)}


@pytest.mark.slow
def test_a_run_that_is_cut_and_resumed_ends_like_one_that_is_not(tmp_path: Path) -> None:
    whole, cut, resumed = (learner(tmp_path, 3, **SENDING) for _ in range(3))
    before = whole.network.layers[0].learning_cells.feedforward.weights.clone()
    for stage in (0, 1):
        show(whole, stage, [5, 7])
        show(cut, stage, [5])
        resumed.load(cut.state())
        show(resumed, stage, [7], begin=5)
        cut.load(resumed.state())
    assert not torch.allclose(whole.network.layers[0].learning_cells.feedforward.weights, before, atol=1e-5)
    want = state_of(whole)
    assert {"layer1.feedback", "layer1.projection.bias", "segment1.on_off1.power"} <= want.keys()
    assert want.keys() == state_of(resumed).keys()
    for name, tensor in state_of(resumed).items():
        assert torch.equal(tensor, want[name]), name


@pytest.mark.slow
def test_the_compiled_program_learns_what_the_interpreted_one_learns(tmp_path: Path) -> None:
    interpreted, compiled = (learner(tmp_path, 3, target, **SENDING) for target in ("numpy", "cpp"))
    for built in (interpreted, compiled):
        show(built, 0, [6])
        show(built, 1, [6])
    want = state_of(interpreted)
    for name, tensor in state_of(compiled).items():
        torch.testing.assert_close(tensor, want[name], rtol=1e-9, atol=1e-12, msg=name)
    leaves = torch.rand(3, 8, 2, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    for one, other in zip(interpreted.network.activities(leaves), compiled.network.activities(leaves), strict=True):
        torch.testing.assert_close(one, other)


def test_on_and_off_cells_are_driven_as_in_the_rate_layer(tmp_path: Path) -> None:
    layer = learner(tmp_path, 3, **SENDING).network.layers[0]
    activity = torch.rand(1, layer.positions, CELLS, dtype=torch.float64)
    sizes = {"positions": layer.positions, "cells": PROJECTED, "patch": CELLS}
    pre, post, place = connectivity("on_off", sizes)
    drive = np.zeros(layer.positions * 2 * PROJECTED)
    np.add.at(
        drive, post, layer.learning_cells.feedforward.weights.numpy().ravel()[place] * activity.numpy().ravel()[pre]
    )
    on, off = np.split(drive.reshape(layer.positions, -1), 2, axis=1)
    np.testing.assert_array_equal(on, off)
    np.testing.assert_allclose(on.clip(min=0), layer.send(activity)[0, :, :PROJECTED], rtol=1e-12)


def test_on_cells_fire_where_the_projection_is_above_its_mean_and_off_cells_below(tmp_path: Path) -> None:
    built = learner(tmp_path, 3, **{**SENDING, "spiking.encoding": "regular"})
    network, layer = built.network, built.network.layers[0]
    layer.feedforward.weights.abs_().add_(1)
    layer.mean.fill_(0.1)
    leaves = torch.zeros(40, 8, 2)
    leaves[:, :, 1] = 1
    network.segments[0].learn(1, leaves, torch.zeros(40, 2), np.zeros(40), np.arange(40), seed=0)
    sent = network.activities(leaves[:1], 1)[0][0]
    segment, rows = network.segments[0], leaves[:1].double().numpy().reshape(1, -1)
    alone = segment._stack([replace(segment._spec(0, False), sends="activity")])
    outcome, _ = alone.run(Stream(rows, fingerprints(rows)), segment.state(alone), network.seed)
    activity = torch.from_numpy(outcome.activity["layer1"]).view(1, layer.positions, CELLS)
    expected = layer.learning_cells.feedforward(activity - layer.mean)[0]
    assert sent.shape == (4, 2 * PROJECTED)
    clear = expected.abs() > 0.2 * expected.square().mean().sqrt()  # Spikes differ from fixation to fixation.
    assert clear.sum() > 10
    for polarity, cells in ((1, sent[:, :PROJECTED]), (-1, sent[:, PROJECTED:])):
        assert ((polarity * expected > 0) == (cells > 0))[clear].all()
    assert 0 < (expected > 0).double().mean() < 1
