"""Local and end-to-end updates, held against autograd of the written losses and against what the theory says."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import cortexsim
from cortexsim.analysis import linear_theory as theory
from cortexsim.analysis.linear_theory import DeepNetwork, Pairs
from cortexsim.seeds import stream

DEPTH, CELLS = 6, 128
EQUAL = [CELLS] * (DEPTH + 1)
SHRINKING = [128, 116, 104, 92, 80, 68, 56]
EXPERIMENT = Path(cortexsim.__file__).parents[1] / "experiments" / "linear_theory" / "linear_theory.py"


def pairs(inputs: int, seed: int = 0, batch: int = 32) -> Pairs:
    """Positive and negative pairs, each with a slope of its own."""
    generator = stream(seed, "data")
    common, *own = torch.from_numpy(generator.normal(size=(3, batch, inputs)))
    contrast = Pairs.contrast(common + own[0], common + own[1])
    unequal = torch.from_numpy(generator.uniform(0.2, 1, 2 * batch))
    return Pairs(contrast.inputs, contrast.contexts, contrast.slopes * unequal)


def written_loss(weights: list[Tensor], batch: Pairs, layer: int, heard: int, rectified: bool, best: bool) -> Tensor:
    """Write out the loss of a layer, pair by pair; its derivative goes through z alone."""

    def activity(x: Tensor, layers: int) -> Tensor:
        for w in weights[:layers]:
            x = torch.clamp(w @ x, min=0) if rectified else w @ x
        return x

    def loss(matrix: Tensor) -> Tensor:
        scores = [
            activity(x, layer) @ matrix @ activity(c, heard).detach()
            for x, c in zip(batch.inputs, batch.contexts, strict=True)
        ]
        return -sum(batch.slopes * torch.stack(scores)) / len(scores) + 0.01 / 2 * (matrix**2).sum()

    shape = (len(weights[layer - 1]), len(weights[heard - 1]))
    if not best:
        return loss(torch.eye(*shape, dtype=torch.float64))
    # Quadratic in B, with curvature 0.01 in every direction: one Newton step from anywhere finds the optimum.
    start = torch.ones(shape, dtype=torch.float64, requires_grad=True)
    return loss((start - torch.autograd.grad(loss(start), start)[0] / 0.01).detach())


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("context", ["same", "top", "identity"])
def test_updates_are_autograd_of_the_written_losses(rectified: bool, context: str) -> None:
    generator, batch = stream(2, "weights"), pairs(10, batch=8)
    network = DeepNetwork(theory.default_weights([10, 9, 8, 6], generator), rectified)
    matrix = theory.identity if context == "identity" else theory.optimal
    local = theory.local_updates(network, batch, matrix, direct=context == "top")
    end_to_end = theory.end_to_end_updates(network, batch, matrix)
    weights = [w.clone().requires_grad_() for w in network.weights]
    for layer in (1, 2, 3):
        heard = 3 if context == "top" else layer
        loss = written_loss(weights, batch, layer, heard, rectified, context != "identity")
        expected = -torch.autograd.grad(loss, weights[layer - 1])[0]
        torch.testing.assert_close(local[layer - 1], expected, rtol=1e-9, atol=1e-12)
    loss = written_loss(weights, batch, 3, 3, rectified, context != "identity")
    for found, gradient in zip(end_to_end, torch.autograd.grad(loss, weights), strict=True):
        torch.testing.assert_close(found, -gradient, rtol=1e-9, atol=1e-12)


def test_negative_pairs_take_the_context_of_another_input_with_the_opposite_sign() -> None:
    batch = Pairs.contrast(torch.arange(3.0)[:, None], torch.arange(3.0)[:, None])
    assert batch.inputs.flatten().tolist() == [0, 1, 2, 0, 1, 2]
    assert batch.contexts.flatten().tolist() == [0, 1, 2, 2, 0, 1]
    assert batch.slopes.tolist() == [1, 1, 1, -1, -1, -1]


def test_swapped_pairs_add_the_derivative_through_the_context() -> None:
    batch = pairs(10)
    weights = theory.default_weights([10, 9], stream(0, "weights"))[0].requires_grad_()
    network = DeepNetwork((weights.detach(),))
    z, c = batch.inputs @ weights.T, batch.contexts @ weights.T
    matrix = theory.optimal(z.detach(), c.detach(), batch.slopes)
    loss = -(batch.slopes * torch.einsum("ki,ij,kj->k", z, matrix, c)).mean()
    found = theory.local_updates(network, batch)[0] + theory.local_updates(network, batch.swapped())[0]
    torch.testing.assert_close(found, -torch.autograd.grad(loss, weights)[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("matrix", "direct"), [("optimal", False), ("optimal", True), ("identity", False)])
@pytest.mark.parametrize("own", [False, True], ids=["sibling", "own activity"])
def test_orthonormal_weights_make_local_updates_end_to_end(matrix: str, direct: bool, own: bool) -> None:
    batch = pairs(CELLS)
    batch = Pairs(batch.inputs, batch.inputs, batch.slopes) if own else batch  # As forward-forward learning has it.
    network = DeepNetwork(theory.semi_orthogonal(EQUAL, stream(0, "weights")))
    context_weights = getattr(theory, matrix)
    local = theory.local_updates(network, batch, context_weights, direct)
    end_to_end = theory.end_to_end_updates(network, batch, context_weights)
    found = theory.cosines(local, end_to_end)
    assert len(found) == DEPTH
    assert min(found) > 1 - 1e-6
    for one, other in zip(local, end_to_end, strict=True):  # Length too, not the direction alone.
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(widths=st.lists(st.integers(2, 12), min_size=2, max_size=6), seed=st.integers(0, 1000))
def test_orthonormal_columns_above_the_first_layer_suffice(widths: list[int], seed: int) -> None:
    generator, batch = stream(seed, "weights"), pairs(7, seed)
    first = theory.default_weights([7, min(widths)], generator)
    network = DeepNetwork((*first, *theory.semi_orthogonal(sorted(widths), generator)))
    found = theory.cosines(theory.local_updates(network, batch), theory.end_to_end_updates(network, batch))
    assert min(found) > 1 - 1e-6


def test_orthonormal_layers_score_a_pair_alike() -> None:
    """So that the slopes, which depend on the score, are the same in all layers by themselves."""
    batch, network = pairs(CELLS), DeepNetwork(theory.semi_orthogonal(EQUAL, stream(0, "weights")))
    layers = zip(network.activities(batch.inputs)[1:], network.activities(batch.contexts)[1:], strict=True)
    scores = [((z @ theory.optimal(z, c, batch.slopes)) * c).sum(1) for z, c in layers]
    for score in scores[1:]:
        torch.testing.assert_close(score, scores[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_direct_feedback_is_closer_where_layers_shrink(seed: int) -> None:
    batch, network = pairs(CELLS, seed), DeepNetwork(theory.semi_orthogonal(SHRINKING, stream(seed, "weights")))
    end_to_end = theory.end_to_end_updates(network, batch)
    same = theory.cosines(theory.local_updates(network, batch), end_to_end)
    direct = theory.cosines(theory.local_updates(network, batch, direct=True), end_to_end)
    assert all(d > s + 0.005 for d, s in zip(direct[:-1], same[:-1], strict=True)), (direct, same)
    assert direct[-1] == pytest.approx(1)
    assert same[-1] == pytest.approx(1)
    assert max(same[:-1]) < 0.95


@pytest.mark.parametrize("seed", range(3))
def test_default_weights_part_the_two_as_their_product_does(seed: int) -> None:
    """With B = I the cosine is that of G and I, 1/sqrt(1 + layers above), from Fuss-Catalan moments."""
    batch, network = pairs(CELLS, seed), DeepNetwork(theory.default_weights(EQUAL, stream(seed, "weights")))
    local = theory.local_updates(network, batch, theory.identity)
    found = theory.cosines(local, theory.end_to_end_updates(network, batch, theory.identity))
    assert found == pytest.approx([1 / np.sqrt(1 + above) for above in range(DEPTH - 1, -1, -1)], abs=0.06)


def test_weights_are_drawn_as_they_are_named() -> None:
    shrinking, growing = theory.semi_orthogonal([9, 4, 7], stream(0, "weights"))
    torch.testing.assert_close(shrinking @ shrinking.T, torch.eye(4, dtype=torch.float64))
    torch.testing.assert_close(growing.T @ growing, torch.eye(4, dtype=torch.float64))
    drawn = theory.default_weights([100, 200], stream(0, "weights"))[0]
    assert 0.099 < float(drawn.abs().max()) <= 0.1
    assert float(drawn.std()) == pytest.approx(0.1 / np.sqrt(3), rel=0.02)


def test_the_experiment_at_toy_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXPERIMENT))["main"](["--out", str(tmp_path), "--seeds", "2", "--batch", "8"])
    found = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert set(found) == {"Random Hierarchy Model", "Gaussian"}
    for rows in found.values():
        assert np.shape(rows["default"]) == (2, DEPTH)
        assert np.min([rows["orthonormal"], rows["orthonormal, B = I"]]) > 1 - 1e-6
        assert np.max(rows["default"], axis=0)[0] < 0.6
        assert np.abs(rows["random direction"]).max() < 0.05
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert "direct feedback is closer in" in capsys.readouterr().out
