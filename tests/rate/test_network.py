import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cortexsim.rate import TRANSFERS, Architecture, Network, Projection, VectorNetwork
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build

SMALL = Hierarchy(features=4, multiplicity=2, depth=3)


def test_columns_form_the_tree() -> None:
    network = build(Architecture(cells=5), SMALL, 0)
    codes = network.activities(torch.rand(2, 8, 4))
    assert [tuple(code.shape) for code in codes] == [(2, 4, 5), (2, 2, 5), (2, 1, 5)]
    assert network.classify(codes[-1]).shape == (2, 4)


def test_a_column_sees_its_patch_alone() -> None:
    network = build(Architecture(cells=5), SMALL, 0)
    leaves = torch.rand(1, 8, 4)
    other = leaves.clone()
    other[:, 2:4] += 1
    changed = [(a != b).any(2)[0].tolist() for a, b in zip(*map(network.activities, (leaves, other)), strict=True)]
    assert changed == [[False, True, False, False], [True, False], [True]]


@pytest.mark.parametrize(("shared", "groups"), [(True, 1), (False, 4)])
def test_weights_are_shared_or_not(shared: bool, groups: int) -> None:
    layer = build(Architecture(cells=5, shared=shared), SMALL, 0, context=("sibling", "sibling", "none")).layers[0]
    assert layer.feedforward.weights.shape == (groups, 5, 8)
    assert layer.context is not None
    assert layer.context.weights.shape == (2 if shared else 4, 5, 5)
    same = layer(torch.rand(1, 2, 4).repeat(1, 4, 1))
    assert bool((same == same[:, :1]).all()) == shared


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_projection_is_a_matrix_at_every_position(groups: int) -> None:
    generator = torch.Generator().manual_seed(0)
    projection = Projection(torch.randn(groups, 3, 4, generator=generator, dtype=torch.float64))
    pre = torch.randn(5, 6, 4, generator=generator, dtype=torch.float64)
    post = torch.randn(5, 6, 3, generator=generator, dtype=torch.float64)
    weights = projection.weights[torch.arange(6) % groups]
    torch.testing.assert_close(projection(pre), torch.einsum("pij,bpj->bpi", weights, pre))
    products = torch.einsum("bpi,bpj->pij", post, pre).view(6 // groups, groups, 3, 4).sum(0) / (5 * 6 / groups)
    torch.testing.assert_close(projection.correlate(post, pre), products)
    torch.testing.assert_close(projection.average(post), post.view(5, 6 // groups, groups, 3).mean((0, 1)))


def siblings(positions: int, size: int) -> list[list[int]]:
    """Name the other columns under each column's parent."""
    return [[q for q in range(positions) if q != p and q // size == p // size] for p in range(positions)]


@pytest.mark.parametrize("size", [2, 3])
def test_siblings_are_those_of_the_hierarchy(size: int) -> None:
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=3, tuple_size=size)
    layer = build(Architecture(cells=2), hierarchy, 0, context=("sibling",) * 2 + ("none",)).layers[0]
    activity = torch.rand(3, layer.positions, 2)
    context_activity = layer.gather_context(activity)
    for position, others in enumerate(siblings(layer.positions, size)):
        assert (context_activity[:, position] == torch.cat([activity[:, other] for other in others], 1)).all()


@pytest.mark.parametrize("name", sorted(TRANSFERS))
def test_derivatives_are_those_of_the_rates(name: str) -> None:
    drive = torch.tensor([-2.0, -0.5, 0.3, 1.0, 4.0], dtype=torch.float64, requires_grad=True)
    TRANSFERS[name].rate(drive).sum().backward()
    assert drive.grad is not None
    torch.testing.assert_close(TRANSFERS[name].derivative(drive.detach()), drive.grad)


def test_saturating_cells_saturate() -> None:
    rates = TRANSFERS["saturating"].rate(torch.tensor([-1.0, 0.0, 1.0, 1e9]))
    assert rates.tolist() == pytest.approx([0, 0, 0.5, 1.0])


def test_synaptic_scaling_follows_the_input_only_while_learning() -> None:
    layer = build(Architecture(cells=5, input_rms=0.5), SMALL, 0).layers[0]
    loud = 10 * torch.rand(64, 8, 4)
    for _ in range(3):
        response = layer.respond(loud, learning=True)
    assert response.pre.square().mean().sqrt().item() == pytest.approx(0.5, rel=1e-5)
    before = layer.input_scaling.square.clone()
    layer.respond(torch.rand(64, 8, 4))
    assert layer.input_scaling.square == before


def test_scaled_by_sample_an_input_says_nothing_by_its_length() -> None:
    layer = build(Architecture(cells=5, input_rms=0.5, input_scaling="sample"), SMALL, 0).layers[0]
    below, before = torch.rand(64, 8, 4), {name: tensor.clone() for name, tensor in layer.state().items()}
    found = layer.respond(below, learning=True)
    torch.testing.assert_close(found.pre.square().mean(2).sqrt(), torch.full((64, 4), 0.5))
    columns = below.unflatten(1, (4, 2))
    for louder in (10 * below, (columns * torch.rand(64, 4, 1, 1).add(0.5)).flatten(1, 2)):
        torch.testing.assert_close(layer.respond(louder).activity, found.activity, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(layer.respond(below[:1]).activity, found.activity[:1])
    assert (layer.respond(torch.zeros(1, 8, 4)).pre == 0).all()
    assert all(torch.equal(tensor, before[name]) for name, tensor in layer.state().items())  # It follows nothing.


def test_first_weights_depend_on_the_seed_alone() -> None:
    def weights(seed: int, **kwargs) -> torch.Tensor:
        return build(Architecture(cells=5), SMALL, seed, **kwargs).layers[1].feedforward.weights

    assert (weights(0) == weights(0, context=("sibling",) * 2 + ("none",), feedback="direct")).all()
    assert (weights(0) != weights(1)).all()


@pytest.mark.parametrize(
    ("kind", "sends"), [(Network, "activity"), (Network, "prediction"), (VectorNetwork, "activity")]
)
@pytest.mark.parametrize("shared", [True, False])
def test_multiply_adds_are_those_that_torch_counts(kind: type[Network], sends: str, shared: bool) -> None:
    architecture = Architecture(cells=6, shared=shared, sends=sends)
    network = build(architecture, SMALL, 0, kind, context=("sibling", "sibling", "none"))
    with FlopCounterMode(display=False) as counter:
        network.activities(torch.rand(7, 8, 4))
    gates = sum(layer.positions * 6 * 4 for layer in network.layers) if kind is VectorNetwork else 0
    assert network.multiply_adds - gates == counter.get_total_flops() / 2 / 7


@pytest.mark.parametrize("sends", ["activity", "prediction"])
def test_multiply_adds_by_zero_can_be_left_out(sends: str) -> None:
    network = build(Architecture(cells=6, sends=sends), Hierarchy(depth=2), 4, context=("sibling", "none"))
    shown = torch.eye(8)[torch.tensor([[0, 3, 3, 7], [1, 1, 2, 5], [6, 4, 0, 0]])]  # One of eight channels is active.
    lower, below = network.layers[0], network.activities(shown)[0]
    inputs = [4 * 6, int((below != 0).sum()) / 3 * 6]  # Each is read by one column.
    second = int((lower.respond(shown).activity != 0).sum()) / 3 * 6 if sends == "prediction" else 0
    assert network.used_multiply_adds(shown) == pytest.approx(sum(inputs) + second)
    assert network.used_multiply_adds(torch.ones(3, 4, 8)) > network.used_multiply_adds(shown)
    assert network.used_multiply_adds(torch.ones(3, 4, 8)) <= network.multiply_adds
