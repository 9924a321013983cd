"""Labels in spikes: cells that fire while their label is shown, dendrites that receive them, and cells that answer."""

from dataclasses import replace

import numpy as np
import pytest

from cortexsim.rules import known_rules
from cortexsim.spiking import CLASSES, LayerSpec, Settings, Stack, State, Stream, Timing, describe
from tests.spiking.test_constraints import equal

FIXATIONS, LABELS = 12, 3
SETTINGS = Settings(
    input_rate=400.0, eta=0.3, context_eta=3.0, homeostasis=0.01, target_activity=0.2, mean_rate=0.1, labels="spikes"
)
PSP = replace(SETTINGS, dendrite="psp", timing=Timing(1e-3, 60e-3, 4e-3))


def stack_of(settings: Settings, fixations: int = FIXATIONS) -> Stack:
    spec = LayerSpec(1, 1, 12, 9, "spiking", True, "label", False, settings.input_rate)
    return Stack(*describe([spec], LABELS, known_rules()["clapp"], settings, fixations, 0), "numpy")


def begun(stack: Stack) -> State:
    draw, state = np.random.default_rng(0), stack.initial_state()
    return state | {"feedforward1.w": np.abs(draw.normal(0, 0.5, len(state["feedforward1.w"])))}


def stream(fixations: int = FIXATIONS, learning: bool = True, labelled: bool = True) -> Stream:
    """Each label comes with three inputs of its own."""
    label = np.random.default_rng(1).integers(LABELS, size=fixations)
    one_hot = np.eye(LABELS)[label]
    factor = np.ones(fixations) if learning else None
    return Stream(one_hot.repeat(3, axis=1), np.arange(fixations), one_hot if labelled else None, factor)


@pytest.mark.parametrize("settings", [SETTINGS, PSP], ids=["trace", "psp"])
def test_a_label_cell_fires_at_its_rate_while_its_label_is_shown(settings: Settings) -> None:
    shown, timing = stream(learning=False), settings.timing
    steps, cells = stack_of(settings).run(shown, begun(stack_of(settings)), seed=5)[0].events["labels"]
    fixation, step = np.divmod(steps, timing.steps)
    assert (shown.labels.argmax(1)[fixation] == cells).all()
    assert step.min() * timing.dt >= timing.blank
    rate = len(steps) / (FIXATIONS * timing.fixation)
    assert rate == pytest.approx(settings.unit_rate, rel=0.15)
    assert len({*fixation}) == FIXATIONS


def test_without_labels_they_are_silent() -> None:
    stack = stack_of(SETTINGS)
    assert stack.run(stream(learning=False, labelled=False), begun(stack), seed=5)[0].spikes["labels"] == 0


@pytest.mark.parametrize("settings", [SETTINGS, pytest.param(PSP, marks=pytest.mark.slow)], ids=["trace", "psp"])
def test_class_cells_learn_to_answer_with_the_label(settings: Settings) -> None:
    stack = stack_of(settings, 120)
    _, after = stack.run(stream(120), begun(stack), seed=5)
    asked = stream(FIXATIONS, learning=False, labelled=False)
    outcome, unchanged = stack.run(asked, after, seed=6)
    right = stream(FIXATIONS).labels.argmax(1)
    assert (outcome.activity[CLASSES].argmax(1) == right).mean() > 0.8
    before = stack.run(asked, begun(stack), seed=6)[0].activity[CLASSES]
    assert np.ptp(before, axis=1).max() == 0  # None knows anything.
    assert equal(after, unchanged)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [SETTINGS, PSP], ids=["trace", "psp"])
def test_chunks_of_any_size_give_the_same_spikes_and_weights(settings: Settings) -> None:
    stack = stack_of(settings)
    (first, state), (second, after) = (stack.run(stream(), begun(stack), seed=5, chunk=size) for size in (12, 5))
    assert first.spikes == second.spikes
    assert equal(state, after)


def test_dendrites_receive_labels_less_their_running_mean() -> None:
    stack = stack_of(replace(SETTINGS, eta=1e-9), 40)
    after = stack.run(stream(40), begun(stack), seed=5)[1]
    shown = stream(40).labels
    mean = np.zeros(LABELS)
    for each in shown:
        mean += SETTINGS.mean_rate * (each - mean)
    assert after["labels.mean"] == pytest.approx(mean, abs=0.1)
    assert after["labels.previous_signal"].argmax() == shown[-1].argmax()
