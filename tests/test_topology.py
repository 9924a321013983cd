"""Receptive fields as index tables: what they are, and that columns see through them."""

import numpy as np
import pytest
import torch

from cortexsim import contexts, topology
from cortexsim.errors import UserError
from cortexsim.rate import Architecture, FeedbackPathway, Network
from cortexsim.rules import ErrorPath
from cortexsim.topology import Topology

DOUBLE = torch.float64


def image(size: int = 7, overlap: bool = True) -> Topology:
    """Columns over a square of pixels, two channels each, and one column on top."""
    first = topology.convolution((size, size), 3, 2 if overlap else 3)
    second = topology.convolution(first.grid, 2, 1)
    return topology.stacked((size, size), 2, (first, second, topology.all_to_all(second.grid)))


def test_a_convolution_sees_windows_row_by_row() -> None:
    found = topology.convolution((4, 5), size=2, stride=2)
    assert found.grid == (2, 2)
    assert found.fields.tolist() == [[0, 1, 5, 6], [2, 3, 7, 8], [10, 11, 15, 16], [12, 13, 17, 18]]
    assert found.coordinates.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_receptive_fields_overlap_up_to_the_spacing() -> None:
    for size, stride in ((3, 1), (3, 2), (4, 3), (2, 2), (5, 2)):
        found = topology.convolution((20,), size, stride)
        distance = found.spacing[0]
        for column in range(found.positions - distance):
            own, near = set(found.fields[column]), set(found.fields[column + distance - 1])
            assert not own & set(found.fields[column + distance])
            assert distance == 1 or own & near


def test_a_tree_is_a_convolution_whose_stride_is_its_size() -> None:
    found = topology.tree(3, 3, 5)
    assert found.positions == (9, 3, 1)
    assert all(layer.contiguous for layer in found.layers)
    assert [layer.fields.shape[1] for layer in found.layers] == [3, 3, 3]


def test_columns_of_one_parent_follow_each_other_in_two_dimensions_too() -> None:
    found = topology.pyramid((8, 8), 1, 3)
    assert found.positions == (16, 4, 1)
    assert [layer.contiguous for layer in found.layers] == [False, True, True]
    seen = [set(found.layers[0].fields[block].ravel()) for block in np.arange(16).reshape(4, 4)]
    quarters = [{8 * r + c for r in range(a, a + 4) for c in range(b, b + 4)} for a in (0, 4) for b in (0, 4)]
    assert seen == quarters
    assert contexts.column_table("sibling", found, 1)[5].tolist() == [4, 6, 7]
    assert contexts.column_table("cousin", found, 1)[5].tolist() == [0, 1, 2, 3, *range(8, 16)]


def test_a_pyramid_sees_all_of_any_grid() -> None:
    for size in range(4, 12):
        found = topology.pyramid((size,), 1, 3)
        assert found.positions == (4, 2, 1)
        assert set(found.layers[0].fields.ravel()) == set(range(size))
    for grid in ((3, 8), (7, 3), (5, 6), (1, 9)):
        found = topology.pyramid(grid, 1, 3)
        assert found.positions[-1] == 1
        assert all(set(layer.fields.ravel()) == set(range(layer.below)) for layer in found.layers)
    with pytest.raises(UserError, match="3 layers need 4 positions along an axis"):
        topology.pyramid((3,), 1, 3)


@pytest.mark.parametrize("shape", [(5,), (4, 4), (1, 6), (2, 2)])
def test_every_column_has_as_many_neighbours_as_context_and_never_itself(shape: tuple[int, ...]) -> None:
    layer = topology.convolution(shape, 1, 1)
    neighbours = contexts.column_table("neighbour", topology.stacked(shape, 1, (layer,)), 1)
    assert neighbours.shape == (layer.positions, 2 * sum(size > 1 for size in shape))
    assert (neighbours != np.arange(layer.positions)[:, None]).all()
    apart = np.abs(layer.coordinates[neighbours] - layer.coordinates[:, None]).sum(2)
    assert (apart == 1).all()


def test_every_other_column_can_be_context() -> None:
    assert contexts.column_table("others", topology.pyramid((4,), 1, 3), 1).tolist() == [
        [1, 2, 3],
        [0, 2, 3],
        [0, 1, 3],
        [0, 1, 2],
    ]
    assert contexts.column_table("others", topology.pyramid((4,), 1, 3), 3).shape == (1, 0)


def test_a_column_at_an_offset_is_context_and_at_an_edge_the_one_on_the_other_side() -> None:
    square = topology.stacked((3, 3), 1, (topology.convolution((3, 3), 1, 1),))
    assert contexts.column_table("offset(1,0)", square, 1)[:, 0].tolist() == [3, 4, 5, 6, 7, 8, 3, 4, 5]
    assert contexts.column_table("offset(0,-2)", square, 1)[:, 0].tolist() == [2, 2, 0, 5, 5, 3, 8, 8, 6]
    assert contexts.column_table("offset(3,0)", square, 1).shape == (9, 0)
    assert contexts.find("offset(0,0)") is None
    with pytest.raises(UserError, match=r"offset\(1\): columns have 2 axes \(a step for each\)"):
        contexts.column_table("offset(1)", square, 1)


def test_neighbours_do_not_share_what_they_see() -> None:
    found = topology.stacked((12,), 1, (topology.convolution((12,), 4, 2),))
    neighbours = contexts.column_table("neighbour", found, 1)
    assert neighbours.tolist() == [[2, 2], [3, 3], [0, 4], [1, 1], [2, 2]]
    fields = found.layers[0].fields
    assert all(not set(fields[own]) & set(fields[other]) for own, row in enumerate(neighbours) for other in row)


def test_overlapping_fields_have_no_siblings() -> None:
    assert contexts.column_table("sibling", image(), 1).shape == (9, 0)
    assert contexts.column_table("sibling", image(), 2).shape == (4, 3)


def test_a_layer_for_another_one_below_is_refused() -> None:
    with pytest.raises(UserError, match="layer 2: is made for 8 positions below, and there are 4"):
        topology.stacked((8,), 1, (topology.convolution((8,), 2, 2), topology.convolution((8,), 2, 2)))
    with pytest.raises(UserError, match=r"pool = 5: the layer has 4 columns \(pool fewer\)"):
        topology.pooled(topology.convolution((8,), 2, 2), 5, "mean")


def test_shared_columns_are_the_convolution_of_torch() -> None:
    wired = image()
    network = Network.build(Architecture(cells=4), wired, 3, 0, dtype=DOUBLE)
    pixels = torch.rand(5, 49, 2, dtype=DOUBLE)
    first, second, top = network.layers
    images = pixels.unflatten(1, (7, 7)).permute(0, 3, 1, 2)
    kernel = first.feedforward.weights[0].unflatten(1, (3, 3, 2)).permute(0, 3, 1, 2)
    codes = torch.relu(torch.conv2d(images, kernel, stride=2))
    kernel = second.feedforward.weights[0].unflatten(1, (2, 2, 4)).permute(0, 3, 1, 2)
    codes = torch.relu(torch.conv2d(codes, kernel))
    found = network.activities(pixels)
    torch.testing.assert_close(found[1], top_order(codes, wired))
    torch.testing.assert_close(found[2], torch.relu(found[1].flatten(1) @ top.feedforward.weights[0].T).unsqueeze(1))


def top_order(codes: torch.Tensor, wired: Topology) -> torch.Tensor:
    """(batch, cells, rows, columns) to (batch, positions, cells), in the order of the layer below the top."""
    return codes[:, :, *wired.layers[1].coordinates.T].permute(0, 2, 1)


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "own"])
def test_an_error_comes_down_through_overlapping_fields_as_gradients_do(shared: bool) -> None:
    network = Network.build(Architecture(cells=4, shared=shared), image(), 3, 0, dtype=DOUBLE)
    lower, upper = network.layers[:2]
    below = torch.rand(5, lower.positions, 4, dtype=DOUBLE, requires_grad=True)
    taught = torch.rand(5, upper.positions, 4, dtype=DOUBLE)
    drive = upper.respond(below).drive
    (wanted,) = torch.autograd.grad((drive * taught).sum(), below)
    found = FeedbackPathway(network, ErrorPath("layered", feedback="transpose"), 0).project(0, taught)
    torch.testing.assert_close(found, wanted)


def test_pooling_sends_what_blocks_of_columns_have_in_common() -> None:
    columns = topology.convolution((8,), 2, 2)
    for pooling, reduce in (("mean", torch.mean), ("max", torch.amax)):
        wired = topology.stacked(
            (8,),
            1,
            (topology.pooled(columns, 2, pooling), topology.convolution((2,), 2, 2)),  # type: ignore[arg-type]
        )
        network = Network.build(Architecture(cells=3), wired, 2, 0, dtype=DOUBLE)
        inputs = torch.rand(4, 8, 1, dtype=DOUBLE)
        drive = network.layers[0].respond(inputs).activity
        sent = network.activities(inputs)[0]
        assert sent.shape == (4, 2, 3)
        torch.testing.assert_close(sent[:, 1], reduce(drive[:, 2:], 1))


def test_layers_have_cells_of_their_own_number() -> None:
    layers = (topology.convolution((8,), 2, 2, cells=5), topology.convolution((4,), 2, 2), topology.all_to_all((2,)))
    network = Network.build(Architecture(cells=3), topology.stacked((8,), 2, layers), 4, 0)
    assert [tuple(layer.feedforward.weights.shape) for layer in network.layers] == [(1, 5, 4), (1, 3, 10), (1, 3, 6)]
    assert network.classify(network.activities(torch.rand(7, 8, 2))[-1]).shape == (7, 4)


@pytest.mark.parametrize(
    ("shape", "size", "stride", "padding"), [((5,), 3, 1, 1), ((4, 6), 3, 1, 1), ((5, 5), 3, 2, 2)]
)
def test_windows_with_padding_are_those_of_a_convolution(
    shape: tuple[int, ...], size: int, stride: int, padding: int
) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    found = topology.convolution(shape, size, stride, padding=padding)
    silent = np.append(values.ravel(), 0.0)
    padded = np.lib.stride_tricks.sliding_window_view(np.pad(values, padding), (size,) * len(shape))
    expected = padded[(slice(None, None, stride),) * len(shape)]
    assert found.grid == expected.shape[: len(shape)]
    assert (silent[found.fields] == expected.reshape(found.positions, -1)).all()
    assert found.padded
    assert not topology.convolution(shape, size, stride).padded


def test_places_are_blocks_of_whole_pools() -> None:
    layer = topology.with_places(topology.pooled(topology.convolution((9, 8), 1, 1), 2, "max"), 2)
    assert layer.places is not None
    number = np.arange(72).reshape(9, 8)
    for place, (row, column) in zip(layer.places, [(0, 0), (0, 4), (4, 0), (4, 4)], strict=True):
        assert sorted(place) == sorted(number[row : row + 4, column : column + 4].ravel())
    with pytest.raises(UserError, match=r"places = 5: the layer sends 4 x 4 positions"):
        topology.with_places(topology.pooled(topology.convolution((9, 8), 1, 1), 2, "max"), 5)


def test_places_follow_their_columns_when_these_are_renumbered() -> None:
    grid = (4, 4)
    first = topology.with_places(topology.convolution(grid, 1, 1), 2)
    found = topology.stacked(grid, 1, (first, topology.convolution(grid, 2, 2))).layers[0]
    assert first.places is not None
    assert found.places is not None
    for before, after in zip(first.places, found.places, strict=True):
        assert sorted(first.fields[before].ravel()) == sorted(found.fields[after].ravel())
