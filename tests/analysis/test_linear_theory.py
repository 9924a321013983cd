"""Local and end-to-end updates agree with autograd of the losses, and with the theory."""

import runpy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from torch import Tensor

from cortexsim.analysis import linear_theory as theory
from cortexsim.analysis.linear_theory import DeepNetwork, Pairs
from cortexsim.config.registry import find_experiment_file
from cortexsim.seeds import stream
from cortexsim.storage.committed_rows import ROWS, read_rows
from cortexsim.studies.engine import Engine
from cortexsim.studies.experiment import open_experiment

DEPTH, CELLS = 6, 128
EQUAL = [CELLS] * (DEPTH + 1)
SHRINKING = [128, 116, 104, 92, 80, 68, 56]
WRITTEN: dict[str, Callable[[Tensor], Tensor]] = {  # Losses of y u.
    "linear": torch.neg,
    "softplus": lambda right: torch.logaddexp(torch.zeros(()), 1 - right),
    "identity": torch.neg,
}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Several threads would be slower for such small matrices."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pairs(inputs: int, seed: int = 0, batch: int = 32) -> Pairs:
    """Positive and negative pairs with random weights."""
    contrast = Pairs.contrast(*views(inputs, seed, batch))
    unequal = torch.from_numpy(stream(seed, "control").uniform(0.2, 1, 2 * batch))
    return Pairs(contrast.inputs, contrast.contexts, contrast.signs * unequal)


def views(inputs: int, seed: int = 0, batch: int = 32) -> tuple[Tensor, Tensor]:
    """Two noisy views of random objects, (batch, inputs) each."""
    common, *own = torch.from_numpy(stream(seed, "data").normal(size=(3, batch, inputs)))
    return common + own[0], common + own[1]


def activity(x: Tensor, weights: Sequence[Tensor], rectified: bool = False) -> Tensor:
    for w in weights:
        x = torch.clamp(x @ w.T, min=0) if rectified else x @ w.T
    return x


def written_loss(weights: list[Tensor], batch: Pairs, layer: int, context: int, rectified: bool, kind: str) -> Tensor:
    """The loss of a layer at the optimal B; its gradient flows through z only."""
    z = activity(batch.inputs, weights[:layer], rectified)
    c = activity(batch.contexts, weights[:context], rectified).detach()

    def loss(z: Tensor, matrix: Tensor) -> Tensor:
        scores = torch.einsum("ki,ij,kj->k", z, matrix, c)
        return WRITTEN[kind](batch.signs * scores).mean() + 0.01 / 2 * (matrix**2).sum()

    if kind == "identity":
        return loss(z, torch.eye(z.shape[1], c.shape[1], dtype=torch.float64))
    return loss(z, minimum(lambda matrix: loss(z.detach(), matrix), (z.shape[1], c.shape[1])))


def minimum(loss: Callable[[Tensor], Tensor], shape: tuple[int, int]) -> Tensor:
    """The matrix that minimises a loss."""
    matrix = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [matrix], max_iter=1000, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def evaluate() -> Tensor:
        optimizer.zero_grad()
        (value := loss(matrix)).backward()
        return value

    optimizer.step(evaluate)
    return matrix.detach()


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize(
    ("kind", "direct"),
    [("linear", False), ("linear", True), ("softplus", False), ("softplus", True), ("identity", False)],
)
def test_updates_are_autograd_of_the_written_losses(rectified: bool, kind: str, direct: bool) -> None:
    batch, near = pairs(10, batch=8), {"rtol": 1e-7, "atol": 1e-9}
    network = DeepNetwork(theory.default_weights([10, 9, 8, 6], stream(2, "weights")), rectified)
    loss = getattr(theory, kind)
    local = theory.local_updates(network, batch, loss, direct)
    end_to_end = theory.end_to_end_updates(network, batch, loss)
    weights = [w.clone().requires_grad_() for w in network.weights]
    for layer in (1, 2, 3):
        written = written_loss(weights, batch, layer, 3 if direct else layer, rectified, kind)
        expected = -torch.autograd.grad(written, weights[layer - 1])[0]
        assert expected.abs().max() > 1e-4
        torch.testing.assert_close(local[layer - 1], expected, **near)
    written = written_loss(weights, batch, 3, 3, rectified, kind)
    for found, gradient in zip(end_to_end, torch.autograd.grad(written, weights), strict=True):
        torch.testing.assert_close(found, -gradient, **near)


def test_negative_pairs_take_the_context_of_another_input_with_the_opposite_sign() -> None:
    batch = Pairs.contrast(torch.arange(3.0)[:, None], torch.arange(10.0, 13)[:, None])
    assert batch.inputs.flatten().tolist() == [0, 1, 2, 0, 1, 2]
    assert batch.contexts.flatten().tolist() == [
        10,
        11,
        12,
        2,
        10,
        11,
    ]  # The first one takes the last input.
    assert batch.signs.tolist() == [1, 1, 1, -1, -1, -1]


@pytest.mark.parametrize("kind", ["linear", "softplus"])
def test_both_ways_are_the_published_loss(kind: str) -> None:
    """Views are stacked and projected by their own B; a negative pair takes the projection of the next row."""
    first, second = views(10)
    matrices, weights = [], theory.default_weights([10, 9], stream(0, "weights"))[0].requires_grad_()
    both = Pairs.both_ways(first, second)
    for way in both:
        z, c = activity(way.inputs, [weights]).detach(), activity(way.contexts, [weights]).detach()
        matrices.append(getattr(theory, kind)(z, c, way.signs)[0].requires_grad_())
    one, other = activity(first, [weights]), activity(second, [weights])
    projected = torch.cat([one @ matrices[0], other @ matrices[1]])
    reference = torch.cat([other, one]).detach()
    positive, negative = (projected * reference).sum(1), (projected.roll(-1, 0) * reference).sum(1)
    loss = (WRITTEN[kind](positive) + WRITTEN[kind](-negative)).mean()
    loss = loss + 0.01 * ((matrices[0] ** 2).sum() + (matrices[1] ** 2).sum()) / 2
    gradient, *rest = torch.autograd.grad(loss, [weights, *matrices])
    network = DeepNetwork((weights.detach(),))
    ways = [theory.local_updates(network, way, getattr(theory, kind))[0] for way in both]
    torch.testing.assert_close(ways[0] + ways[1], -gradient, rtol=1e-7, atol=1e-9)
    for of_matrix in rest:
        assert of_matrix.abs().max() < 1e-7


@settings(deadline=None, max_examples=30)
@given(cells=st.integers(1, 12), contexts=st.integers(1, 12), scale=st.floats(-2, 1), seed=st.integers(0, 1000))
@example(cells=4, contexts=4, scale=1.0, seed=5)  # Where full Newton steps diverge.
def test_softplus_minimises_its_loss(cells: int, contexts: int, scale: float, seed: int) -> None:
    generator = stream(seed, "data")
    z, c = (10**scale * torch.from_numpy(generator.normal(size=(20, width))) for width in (cells, contexts))
    signs = torch.from_numpy(generator.choice([-1.0, 1.0], 20))
    gradients = []
    for matrix, slopes in (theory.softplus(z, c, signs), theory.linear(z, c, signs)):
        matrix.requires_grad_()
        scores = torch.einsum("ki,ij,kj->k", z, matrix, c)
        loss = WRITTEN["softplus"](signs * scores).mean() + 0.01 / 2 * (matrix**2).sum()
        gradients.append(torch.autograd.grad(loss, matrix)[0].abs().max() / 100**scale)
        right = signs * torch.sigmoid(1 - signs * scores) if len(gradients) == 1 else signs
        torch.testing.assert_close(slopes, right, rtol=0, atol=1e-8)
    assert gradients[0] < 1e-8 < 1e-4 < gradients[1]


def test_no_convergence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theory, "STEPS", 1)
    with pytest.raises(ArithmeticError, match="not converged in 1 steps"):
        theory.softplus(*views(4), torch.ones(32, dtype=torch.float64))


@pytest.mark.parametrize(
    ("kind", "direct"),
    [("linear", False), ("linear", True), ("softplus", False), ("softplus", True), ("identity", False)],
)
@pytest.mark.parametrize("own", [False, True], ids=["sibling", "own activity"])
def test_orthonormal_weights_make_local_updates_end_to_end(kind: str, direct: bool, own: bool) -> None:
    batch, loss = pairs(CELLS), getattr(theory, kind)
    batch = Pairs(batch.inputs, batch.inputs, batch.signs) if own else batch  # As in forward-forward learning.
    network = DeepNetwork(theory.semi_orthogonal(EQUAL, stream(0, "weights")))
    local = theory.local_updates(network, batch, loss, direct)
    end_to_end = theory.end_to_end_updates(network, batch, loss)
    found = theory.cosines(local, end_to_end)
    assert len(found) == DEPTH
    assert min(found) > 1 - 1e-6
    for one, other in zip(local, end_to_end, strict=True):  # Also their lengths.
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-7 if kind == "softplus" else 1e-9)


@settings(deadline=None, max_examples=30)
@given(
    widths=st.lists(st.integers(2, 12), min_size=2, max_size=6),
    seed=st.integers(0, 1000),
    kind=st.sampled_from(["linear", "softplus"]),
)
def test_orthonormal_columns_above_the_first_layer_suffice(widths: list[int], seed: int, kind: str) -> None:
    generator, batch, loss = stream(seed, "weights"), pairs(7, seed), getattr(theory, kind)
    first = theory.default_weights([7, min(widths)], generator)
    network = DeepNetwork((*first, *theory.semi_orthogonal(sorted(widths), generator)))
    found = theory.cosines(theory.local_updates(network, batch, loss), theory.end_to_end_updates(network, batch, loss))
    assert min(found) > 1 - 1e-6


@pytest.mark.parametrize("draw", [theory.semi_orthogonal, theory.default_weights])
def test_only_orthonormal_layers_give_a_pair_equal_scores(draw: Callable[..., tuple[Tensor, ...]]) -> None:
    """Hence the slopes, which depend on the score, are the same in all layers."""
    batch, network = pairs(CELLS), DeepNetwork(draw(EQUAL, stream(0, "weights")))
    layers = zip(network.activities(batch.inputs)[1:], network.activities(batch.contexts)[1:], strict=True)
    slopes = [theory.softplus(z, c, batch.signs)[1] for z, c in layers]
    apart = max(float((other - slopes[0]).abs().max()) for other in slopes[1:])
    assert apart < 1e-8 if draw is theory.semi_orthogonal else apart > 0.1


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
def test_cosines_with_default_weights_follow_their_product(seed: int) -> None:
    """With B = I the cosine is that of G and I, 1/sqrt(1 + layers above), from Fuss-Catalan moments."""
    batch, network = pairs(CELLS, seed), DeepNetwork(theory.default_weights(EQUAL, stream(seed, "weights")))
    local = theory.local_updates(network, batch, theory.identity)
    found = theory.cosines(local, theory.end_to_end_updates(network, batch, theory.identity))
    assert found == pytest.approx([1 / np.sqrt(1 + above) for above in range(DEPTH - 1, -1, -1)], abs=0.06)


def test_weights_have_the_stated_distributions() -> None:
    shrinking, growing = theory.semi_orthogonal([9, 4, 7], stream(0, "weights"))
    torch.testing.assert_close(shrinking @ shrinking.T, torch.eye(4, dtype=torch.float64))
    torch.testing.assert_close(growing.T @ growing, torch.eye(4, dtype=torch.float64))
    drawn = theory.default_weights([100, 200], stream(0, "weights"))[0]
    assert 0.099 < float(drawn.abs().max()) <= 0.1
    assert float(drawn.std()) == pytest.approx(0.1 / np.sqrt(3), rel=0.02)


@pytest.fixture(scope="module")
def experiment() -> dict[str, Any]:
    return runpy.run_path(str(find_experiment_file("linear_theory")))


def test_the_experiment_at_toy_size(tmp_path: Path) -> None:
    opened = open_experiment("linear_theory", quick=True)
    assert "figure.png" in opened.run(Engine(tmp_path, Console(quiet=True)))
    found: dict[str, dict[str, list[list[float]]]] = {}
    for row in read_rows(tmp_path / ROWS):
        found.setdefault(row["input"], {}).setdefault(row["condition"], []).append(row["cosines"])
    assert list(found) == ["digits", "hierarchy", "Gaussian", "digits x 1/7", "hierarchy x 7"]
    assert found["digits"]["default"] == pytest.approx(np.array(found["digits x 1/7"]["default"]), abs=1e-4)
    for rows in found.values():
        assert np.shape(rows["default"]) == (2, DEPTH)
        assert np.min([rows["orthonormal"], rows["orthonormal, softplus"], rows["orthonormal, B = I"]]) > 1 - 1e-5
        assert np.max(rows["default"], axis=0)[0] < 0.6
        assert np.abs(rows["random direction"]).max() < 0.05
        assert rows["default"] != rows["default, softplus"]
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert "| `default, softplus` | " in opened.from_rows(tmp_path / ROWS)[0]["published"]


def test_patches_of_digits_are_adjacent(experiment: dict[str, Any]) -> None:
    upper, lower = (view.reshape(2, 32, 14, 14) for view in experiment["INPUTS"]["digits"](0, 32))  # Left and right.
    edges = [(upper[..., -1, :], lower[..., 0, :]), (upper[0, ..., -1], upper[1, ..., 0])]
    edges.append((lower[0, ..., -1], lower[1, ..., 0]))
    for one, other in edges:
        assert torch.cosine_similarity(one, other, -1).mean() > 0.9
        assert torch.cosine_similarity(one, other.roll(1, -2), -1).mean() < 0.85
    everything = torch.cat([experiment["INPUTS"]["digits"](seed, 512)[0] for seed in range(3)])
    assert float(everything.std()) == pytest.approx(1, abs=0.05)


def test_the_other_inputs_are_64_pairs_of_two_views(experiment: dict[str, Any]) -> None:
    first, second = experiment["INPUTS"]["Gaussian"](0, 32)
    assert first.shape == second.shape == (64, CELLS)
    assert float(torch.cosine_similarity(first, second).mean()) == pytest.approx(0.5, abs=0.03)
    first, second = experiment["INPUTS"]["hierarchy"](0, 32)
    assert first.shape == second.shape == (64, CELLS)
    assert first.reshape(64, 4, 32).sum(2).unique().tolist() == [1]
    assert not torch.equal(first, second)
    longer = experiment["INPUTS"]["hierarchy x 7"](0, 32)
    assert torch.equal(longer[0], 7 * first)
    assert torch.equal(longer[1], 7 * second)
