import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Grammar, Hierarchy


@st.composite
def hierarchies(draw: st.DrawFn, least_multiplicity: int = 1) -> Hierarchy:
    features, size = draw(st.integers(2, 9)), draw(st.integers(2, 3))
    multiplicity, depth = draw(st.integers(least_multiplicity, 6)), draw(st.integers(1, 4 if size == 2 else 3))
    classes = draw(st.integers(2, 9))
    assume(multiplicity * max(features, classes) <= features**size)
    return Hierarchy(features, multiplicity, depth, size, classes)


@given(hierarchies(), st.integers(0, 2**32))
def test_every_tuple_has_one_parent(hierarchy: Hierarchy, seed: int) -> None:
    grammar = Grammar.draw(hierarchy, stream(seed, "grammar"))
    for level, tuples in enumerate(grammar.tuples, 1):
        assert tuples.shape == (hierarchy.symbols(level), hierarchy.multiplicity, hierarchy.tuple_size)
        assert len(np.unique(tuples.reshape(-1, hierarchy.tuple_size), axis=0)) == tuples.shape[0] * tuples.shape[1]
        assert (grammar.parent(level, tuples) == np.arange(len(tuples))[:, None]).all()


def test_distinct_samples_beyond_64_bits() -> None:
    assert Hierarchy(features=8, multiplicity=4, depth=2).distinct_samples == 8 * 4**3
    assert Hierarchy(features=8, multiplicity=4, depth=8).distinct_samples == 8 * 4**255
    assert Hierarchy(features=9, multiplicity=3, depth=3, tuple_size=3, classes=5).distinct_samples == 5 * 3**13


def test_grammar_depends_on_its_seed_alone() -> None:
    drawn = [Grammar.draw(Hierarchy(), stream(seed, "grammar")) for seed in (3, 3, 4)]
    same = [all((a == b).all() for a, b in zip(drawn[0].tuples, other.tuples, strict=True)) for other in drawn[1:]]
    assert same == [True, False]


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"features": 8, "multiplicity": 9}, "72 distinct tuples, but features ** tuple_size is 64"),
        ({"features": 4, "multiplicity": 4, "classes": 5}, "multiplicity at most 3"),
        ({"features": 1}, "features = 1 is too small"),
        ({"features": 300}, "features = 300 is too large"),
        ({"depth": 0}, "depth = 0 is too small"),
        ({"tuple_size": 1}, "tuple_size = 1 is too small"),
    ],
)
def test_impossible_sizes_are_refused(sizes: dict, reason: str) -> None:
    with pytest.raises(UserError, match=reason.replace("*", r"\*")):
        Hierarchy(**sizes)


def test_a_tree_of_one_level_may_have_more_classes_than_features() -> None:
    assert Hierarchy(features=2, multiplicity=1, depth=1, classes=4).distinct_samples == 4


def test_tuples_outside_the_grammar_have_no_parent(grammar: Grammar) -> None:
    owned = {tuple(row) for row in grammar.tuples[0].reshape(-1, 2).tolist()}
    foreign = next((a, b) for a in range(6) for b in range(6) if (a, b) not in owned)
    with pytest.raises(UserError, match="no parent"):
        grammar.parent(1, np.array([foreign]))
