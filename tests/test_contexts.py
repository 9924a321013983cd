import numpy as np
import pytest

from cortexsim import contexts
from cortexsim.tasks.rhm import Hierarchy, laws
from cortexsim.topology import Topology, all_to_all, convolution, pooled, stacked, tree


def overlapping(size: int = 3, columns: int = 6) -> Topology:
    """A row of columns with overlapping receptive fields, and one that sees them all."""
    below = convolution((columns + size - 1,), size, 1)
    return stacked((columns + size - 1,), 4, (below, all_to_all(below.grid)))


def test_siblings_are_the_other_patches_under_the_parent() -> None:
    assert contexts.column_table("sibling", tree(3, 2, 4), 1).tolist() == [[1], [0], [3], [2]]
    assert contexts.column_table("sibling", tree(3, 3, 4), 2).tolist() == [[1, 2], [0, 2], [0, 1]]
    assert contexts.column_table("sibling", tree(3, 3, 4), 1)[:6].tolist() == [
        [1, 2],
        [0, 2],
        [0, 1],
        [4, 5],
        [3, 5],
        [3, 4],
    ]
    assert contexts.column_table("sibling", tree(3, 2, 4), 3).shape == (1, 0)


def test_cousins_share_a_grandparent_and_no_parent() -> None:
    assert contexts.column_table("cousin", tree(4, 2, 4), 1)[:4].tolist() == [[2, 3], [2, 3], [0, 1], [0, 1]]
    assert contexts.column_table("cousin", tree(4, 2, 4), 1)[7].tolist() == [4, 5]
    assert contexts.column_table("cousin", tree(3, 3, 4), 1)[4].tolist() == [0, 1, 2, 6, 7, 8]
    assert contexts.column_table("cousin", tree(3, 2, 4), 2).shape == (2, 0)
    assert contexts.column_table("fixation", tree(2, 3, 4), 1).tolist() == [[0], [1], [2]]


def test_columns_of_a_second_view_count_on_from_the_first() -> None:
    for name in ("synonym", "next", "view"):
        assert contexts.column_table(name, tree(2, 3, 4), 1).tolist() == [[3], [4], [5]]
    assert contexts.column_table("sibling+synonym", tree(2, 2, 4), 1).tolist() == [[1, 2], [0, 3]]
    assert "privileged: needs the grammar" in contexts.CONTEXTS["synonym"].meaning


@pytest.mark.parametrize("name", ["none", "label", "top", "label+top", "view-top"])
def test_what_is_not_of_the_layer_is_no_column_of_it(name: str) -> None:
    assert contexts.column_table(name, tree(3, 2, 4), 1).shape == (4, 0)


def test_every_context_goes_by_its_name() -> None:
    assert {name: context.name for name, context in contexts.CONTEXTS.items()} == {
        name: name for name in contexts.CONTEXTS
    }


def test_columns_whose_fields_overlap_have_no_relatives_and_those_that_are_pooled_neither() -> None:
    pools = pooled(convolution((8,), 1, 1), 2, "mean")
    for found in (overlapping(), stacked((8,), 4, (pools, convolution((4,), 2, 2), all_to_all((2,))))):
        assert contexts.column_table("cousin", found, 1).shape == (found.layers[0].positions, 0)
    assert contexts.column_table("sibling", stacked((8,), 4, (pools, convolution((4,), 2, 2))), 1).shape == (8, 0)
    within = stacked((7,), 4, (convolution((7,), 3, 1), convolution((5,), 3, 1)))
    assert contexts.column_table("sibling", within, 1).shape == (5, 0)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_neighbours_do_not_see_what_one_sees(size: int) -> None:
    found = overlapping(size)
    table = contexts.column_table("neighbour", found, 1)
    assert table.shape == (6, 2)
    for position, others in enumerate(table):
        own = set(found.layers[0].fields[position].tolist())
        for other in others:
            assert not own & set(found.layers[0].fields[other].tolist())
            nearest = [q for q in range(6) if not own & set(found.layers[0].fields[q].tolist())]
            assert abs(other - position) == min(abs(q - position) for q in nearest)


def test_neighbours_lie_in_every_direction_and_at_an_edge_on_the_other_side() -> None:
    row = stacked((8,), 4, (convolution((8,), 2, 2),))
    assert contexts.column_table("neighbour", row, 1).tolist() == [[1, 1], [0, 2], [1, 3], [2, 2]]
    square = stacked((6, 6), 4, (convolution((6, 6), 2, 2),))
    assert contexts.column_table("neighbour", square, 1)[4].tolist() == [1, 7, 3, 5]
    assert contexts.column_table("neighbour", square, 1)[0].tolist() == [3, 3, 1, 1]
    assert contexts.column_table("neighbour", tree(2, 2, 4), 2).shape == (1, 0)


def test_neighbours_are_places_and_not_numbers() -> None:
    """In a tree over a grid, columns of one parent follow each other."""
    layers = (convolution((4, 4), 1, 1), convolution((4, 4), 2, 2), all_to_all((2, 2)))
    found = stacked((4, 4), 4, layers)
    places = found.layers[0].coordinates
    assert places[:4].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    table = contexts.column_table("neighbour", found, 1)
    assert all(np.abs(places[others] - places[own]).sum(1).tolist() == [1] * 4 for own, others in enumerate(table))
    assert contexts.column_table("sibling", found, 1)[:4].tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


def test_laws_at_the_reference_task() -> None:
    assert laws.backpropagation(Hierarchy()) == 2048
    assert laws.clustering(Hierarchy()) == 1024
    assert laws.clustering(Hierarchy(multiplicity=8)) == float("inf")
