from cortexsim.hierarchy import Hierarchy, contexts, laws


def test_siblings_are_the_other_patches_under_the_parent() -> None:
    assert contexts.siblings(4, 2).tolist() == [[1], [0], [3], [2]]
    assert contexts.siblings(6, 3).tolist() == [[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]]


def test_laws_at_the_reference_task() -> None:
    assert laws.backpropagation(Hierarchy()) == 2048
    assert laws.clustering(Hierarchy()) == 1024
    assert laws.clustering(Hierarchy(multiplicity=8)) == float("inf")
