from cortexsim import contexts
from cortexsim.tasks.rhm import Hierarchy, laws


def test_siblings_are_the_other_patches_under_the_parent() -> None:
    assert contexts.siblings(4, 2).tolist() == [[1], [0], [3], [2]]
    assert contexts.siblings(6, 3).tolist() == [[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]]


def test_cousins_share_a_grandparent_and_no_parent() -> None:
    assert contexts.heard("cousin", 8, 2)[:4].tolist() == [[2, 3], [2, 3], [0, 1], [0, 1]]
    assert contexts.heard("cousin", 8, 2)[7].tolist() == [4, 5]
    assert contexts.heard("cousin", 9, 3)[4].tolist() == [0, 1, 2, 6, 7, 8]
    assert contexts.heard("cousin", 2, 2).shape == (2, 0)
    assert contexts.heard("fixation", 3, 3).tolist() == [[0], [1], [2]]


def test_columns_of_a_second_view_count_on_from_the_first() -> None:
    assert contexts.heard("synonym", 3, 3).tolist() == [[3], [4], [5]]
    assert "privileged: needs the grammar" in contexts.CONTEXTS["synonym"]


def test_laws_at_the_reference_task() -> None:
    assert laws.backpropagation(Hierarchy()) == 2048
    assert laws.clustering(Hierarchy()) == 1024
    assert laws.clustering(Hierarchy(multiplicity=8)) == float("inf")
