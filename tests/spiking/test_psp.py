"""Dendrites driven by their siblings' spikes with a delay of half a fixation, against NumPy on the recorded spikes."""

from dataclasses import replace

import numpy as np
import pytest

from cortexsim.rules import known_rules
from cortexsim.spiking import LayerSpec, Settings, Stack, Stream, Timing, describe
from cortexsim.spiking.plasticity_equations import MEANS_OF_HALVES

POSITIONS, CELLS, PATCH, FIXATIONS = 2, 3, 4, 6
SETTINGS = Settings(
    timing=Timing(1e-3, 40e-3, 4e-3),
    dendrite="psp",
    input_rate=400.0,
    eta=0.02,
    context_eta=3.0,
    weight_decay=0.0,
    homeostasis=0.0,
    mean_rate=0.0,
)
HALF = SETTINGS.timing.steps // 2
MEANS = (("mean", "psp_mean"), ("half_mean", "half_psp_mean"))  # Of what is read at saccades, and between them.


def test_context_weights_follow_the_delayed_spikes_of_both_halves() -> None:
    rule = known_rules()["clapp"]
    spec = LayerSpec(
        1, POSITIONS, CELLS, PATCH, "spiking", True, "sibling", False, SETTINGS.input_rate, context_sources=((1,), (0,))
    )
    stack = Stack(*describe([spec], 2, rule, SETTINGS, FIXATIONS, traced_cell=0), "numpy")
    draw, state = np.random.default_rng(0), stack.initial_state()
    state["feedforward1.w"] = draw.normal(0.5, 0.5, len(state["feedforward1.w"]))
    state["context1.w"] = draw.normal(0, 1.0, len(state["context1.w"]))
    for mean in ("mean", "half_mean", "psp_mean", "half_psp_mean"):
        state[f"layer1.{mean}"] = draw.uniform(0, 0.1, POSITIONS * CELLS)
    shown = (draw.uniform(size=(FIXATIONS, POSITIONS * PATCH)) < 0.6).astype(float)
    outcome, after = stack.run(Stream(shown, np.arange(FIXATIONS), eta_factor=np.ones(FIXATIONS)), state, seed=1)
    assert outcome.spikes["layer1"] > 20

    steps, dt = FIXATIONS * 2 * HALF, SETTINGS.timing.dt
    fired = np.zeros((steps, POSITIONS * CELLS))
    fired[tuple(outcome.events["layer1"])] = 1
    delayed = np.concatenate([np.zeros((HALF, POSITIONS * CELLS)), fired])[:steps]
    b = np.empty(POSITIONS * CELLS * CELLS)
    b[stack.connectivity["context1"][2]] = state["context1.w"]
    b = b.reshape(POSITIONS, CELLS, CELLS)
    window = dt * (1 - np.exp(-HALF * dt / SETTINGS.tau_dendrite)) / (1 - np.exp(-dt / SETTINGS.tau_dendrite))
    for tick in range(1, 2 * FIXATIONS + 1):
        end, contrast = tick * HALF, 1.0 if tick % 2 == 0 else -1.0
        ages = end - 1 - np.arange(end)
        psp = (delayed[:end] * np.exp(-ages * dt / SETTINGS.tau_dendrite)[:, None]).sum(0)
        z_mean, psp_mean = (state[f"layer1.{mean}"] for mean in MEANS[tick % 2])
        delayed_signal = (psp / (SETTINGS.unit_rate * window) - psp_mean).reshape(POSITIONS, CELLS)
        onset = (tick - 1) // 2 * 2 * HALF
        ages = end - 1 - np.arange(onset, end)
        recent = (fired[onset:end] * np.exp(-ages * dt / SETTINGS.tau_activity)[:, None]).sum(0)
        share = 1 - np.exp(-((end - onset) * dt - SETTINGS.timing.blank) / SETTINGS.tau_activity)
        rate = recent * (1 - np.exp(-dt / SETTINGS.tau_activity)) / dt / share
        z = (rate / SETTINGS.unit_rate - z_mean).reshape(POSITIONS, CELLS)
        context = delayed_signal[::-1]  # Of two columns, each is the context of the other.
        dendrite = np.einsum("pik,pk->pi", b, context)
        u = (z * dendrite).sum(1)
        gate = contrast * (contrast * u < 1)
        b += SETTINGS.eta * SETTINGS.context_eta * gate[:, None, None] * z[:, :, None] * context[:, None, :]
    found = np.empty(b.size)
    found[stack.connectivity["context1"][2]] = after["context1.w"]
    assert np.abs(b.ravel() - found).max() < 1e-10
    assert np.abs(after["context1.w"] - state["context1.w"]).max() > 1e-2


def test_means_follow_what_is_read_at_saccades_and_between_them() -> None:
    settings = replace(SETTINGS, eta=0.0, mean_rate=0.1)
    spec = LayerSpec(
        1, POSITIONS, CELLS, PATCH, "spiking", True, "sibling", False, SETTINGS.input_rate, context_sources=((1,), (0,))
    )
    stack = Stack(*describe([spec], 2, known_rules()["clapp"], settings, 200), "numpy")
    state = stack.initial_state()
    state["feedforward1.w"] = np.full(len(state["feedforward1.w"]), 0.5)
    shown = np.ones((60, POSITIONS * PATCH))
    outcome, after = stack.run(Stream(shown, np.arange(60), eta_factor=np.ones(60)), state, seed=1)
    weights = 0.1 * 0.9 ** np.arange(60)[::-1]
    np.testing.assert_allclose(after["layer1.mean"], weights @ outcome.activity["layer1"], rtol=1e-9)
    means = {name: after[f"layer1.{name}"].mean() for name in ("mean", *MEANS_OF_HALVES)}
    assert means["half_mean"] == pytest.approx(means["mean"], rel=0.3)
    assert 0 < means["psp_mean"] < means["half_psp_mean"]  # The first half of a fixation has a blank and an onset.
