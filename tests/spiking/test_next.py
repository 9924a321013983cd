"""Layers whose context is themselves in the fixation before, against NumPy on what they did."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cortexsim.config.building import assemble
from cortexsim.config.registry import read_model
from cortexsim.errors import UserError
from cortexsim.learners import HybridNetwork
from cortexsim.rules import known_rules
from cortexsim.spiking import NEXT, LayerSpec, Settings, Stack, Stream, Translation, describe
from cortexsim.tasks.sequence import ObjectSequence

CELLS, PATCH, FIXATIONS = 3, 4, 8
SETTINGS = Settings(eta=0.02, context_eta=3.0, weight_decay=0.0, homeostasis=0.0, mean_rate=0.0)
CONTRAST = np.where(np.arange(FIXATIONS) % 2, 1.0, -1.0)


def stack(substrate: str) -> Stack:
    rate = SETTINGS.input_rate if substrate == "spiking" else 0.0
    spec = LayerSpec(1, 1, CELLS, PATCH, substrate, True, NEXT, False, rate, context_sources=((0,),))
    return Stack(*describe([spec], 2, known_rules()["clapp"], SETTINGS, FIXATIONS), "numpy")


@pytest.mark.parametrize("substrate", ["spiking", "brian-rate"])
@pytest.mark.parametrize("scale", [0.1, 3.0])  # Of context weights: surprised in all fixations, or in few.
def test_context_weights_follow_the_fixation_before_with_the_sign_of_its_object(substrate: str, scale: float) -> None:
    layer = stack(substrate)
    draw, state = np.random.default_rng(0), layer.initial_state()
    state["feedforward1.w"] = draw.normal(0.6, 0.5, CELLS * PATCH)
    state["layer1.mean"] = mean = draw.uniform(0, 0.1, CELLS)
    b = draw.normal(0, scale, (CELLS, CELLS))
    state["context1.w"] = b.ravel()[layer.connectivity["context1"].place]
    inputs = draw.uniform(0.2, 1.0, (FIXATIONS, PATCH))
    stream = Stream(inputs, np.arange(FIXATIONS), eta_factor=np.ones(FIXATIONS), contrast=CONTRAST)
    outcome, after = layer.run(stream, state, seed=1)
    surprises, before = 0, np.zeros(CELLS)
    for activity, y in zip(outcome.activity["layer1"], CONTRAST, strict=True):
        z = activity - mean
        surprised = y * (z @ b @ before) < 1
        surprises += surprised
        b += SETTINGS.eta * SETTINGS.context_eta * y * surprised * np.outer(z, before)
        before = z
    assert outcome.activity["layer1"].max() > 0.2
    assert 0 < surprises < FIXATIONS if scale > 1 else surprises > 0
    found = np.empty(CELLS * CELLS)
    found[layer.connectivity["context1"].place] = after["context1.w"]
    np.testing.assert_allclose(found.reshape(CELLS, CELLS), b, rtol=1e-6, atol=1e-9)


def test_there_is_one_sample_an_update_and_the_dendrite_gates_the_eligibility() -> None:
    translation = Translation(known_rules()["clapp"], context=True, successive=True)
    (sample,) = translation.samples
    assert (sample.sign, sample.signal) == ("contrast(t)", "previous_signal")
    assert translation.third_factor == "(modulator_surprise * dendrite)"
    assert "previous_dendrite" not in "".join(group.model for group in stack("spiking").description.groups)


def test_a_stream_that_is_cut_learns_the_same() -> None:
    layer = stack("spiking")
    draw, state = np.random.default_rng(0), layer.initial_state()
    state["feedforward1.w"] = draw.normal(0.6, 0.5, CELLS * PATCH)
    state["context1.w"] = draw.normal(0, 0.5, CELLS * CELLS)
    inputs = draw.uniform(0.2, 1.0, (FIXATIONS, PATCH))
    stream = Stream(inputs, np.arange(FIXATIONS), eta_factor=np.ones(FIXATIONS), contrast=CONTRAST)
    whole, cut = layer.run(stream, state, seed=1)[1], layer.run(stream, state, seed=1, chunk=3)[1]
    for key in ("feedforward1.w", "context1.w"):
        np.testing.assert_allclose(cut[key], whole[key], rtol=1e-9)
        assert not np.array_equal(whole[key], state[key])


MODEL = """
learner = "local"
[task]
name = "sequence"
[[layer]]
size = "all"
[rule]
name = "{rule}"
context = "next"
{keys}
[network]
substrate = {substrate}
cells = 3
{network}
[spiking]
{spiking}
"""


def text(**keys: str) -> str:
    given = {"rule": "clapp", "keys": "", "substrate": '"spiking"', "network": "", "spiking": ""}
    return MODEL.format(**given | keys)


def test_a_learner_shows_every_sample_and_then_its_next_fixation(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "mine.toml").write_text(text())
    task = ObjectSequence()
    shown: list[tuple[Stream, Any]] = []
    learner = assemble(read_model(tmp_path / "mine.toml"), task, seed=0, target="numpy")
    data, _ = task.draw(6, 1, 0, 0)
    views = [torch.from_numpy(data.second_view(1, np.random.default_rng(0)).inputs)]
    inputs, labels = torch.from_numpy(data.inputs), torch.from_numpy(data.labels)
    run = Stack.run

    def noted(stack: Stack, stream: Stream, *arguments: Any) -> Any:
        shown.append((stream, arguments[-1]))
        return run(stack, stream, *arguments)

    monkeypatch.setattr(Stack, "run", noted)

    observed: list[int] = []

    class Third:
        def due(self, samples: int) -> list[int]:
            assert samples == 6
            return [2]

        def observe(self, samples: int, tensors: Any) -> None:
            observed.append(samples)

    assert isinstance(learner.network, HybridNetwork)
    learner.network.segments[0].observer = Third()
    learner.step(0, learner.stage_inputs(0, inputs, *views), labels, 0.5)
    (stream, cuts) = shown[0]
    np.testing.assert_allclose(stream.inputs[::2], inputs.flatten(1), rtol=1e-6)
    np.testing.assert_allclose(stream.inputs[1::2], views[0].flatten(1), rtol=1e-6)
    assert stream.contrast.tolist() == [-1, 1] * 6
    assert stream.labels.argmax(1).tolist() == labels.repeat_interleave(2).tolist()
    assert (np.diff(stream.eta_factor) < 0).all()
    assert (cuts, observed) == ([4], [2])


def test_samples_that_are_recorded_are_other_objects(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(text())
    task = ObjectSequence()
    learner = assemble(read_model(tmp_path / "mine.toml"), task, seed=0, target="numpy")
    assert isinstance(learner.network, HybridNetwork)
    outcome = learner.network.segments[0].record_all(torch.from_numpy(task.draw(3, 1, 0, 0)[0].inputs), 0, seed=0)
    assert outcome.modulators["surprise1"].tolist() == [[-1], [-1], [-1]]  # Nothing is expected yet.


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"rule": "infonce"}, "in Brian2 a rule needs context synapses, .*; rule 'infonce' has not"),
        ({"rule": "lpl", "spiking": "centred = false"}, "rule 'lpl' has not"),
        ({"rule": "clapp_bidirectional"}, "rule 'clapp_bidirectional' has not"),
        (
            {"spiking": 'dendrite = "psp"\nblank = "6 ms"'},
            r"spiking.dendrite = 'psp': .* do not support it \('trace'\)",
        ),
        ({"network": 'sends = "prediction"'}, r"network.sends = 'prediction': .* \('activity'\)"),
        ({"network": "projection = 4"}, r"network.projection = 4: .* \(0\)"),
        ({"keys": 'top = "label"'}, r"rule.top = 'label': .* \('readout'\)"),
        ({"substrate": '["spiking", "rate"]', "network": "shared = false"}, "one substrate for all"),
    ],
)
def test_what_cannot_be_its_own_context_is_refused(tmp_path: Path, keys: dict[str, str], message: str) -> None:
    (tmp_path / "mine.toml").write_text(text(**keys))
    with pytest.raises(UserError, match=message):
        read_model(tmp_path / "mine.toml")
