import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Grammar, Hierarchy, Samples, exchange_noise, exchange_synonyms, sample, split, tables
from tests.tasks.rhm.test_grammar import hierarchies


def drawn(hierarchy: Hierarchy, seed: int, count: int = 40) -> Samples:
    grammar = Grammar.draw(hierarchy, stream(seed, "grammar"))
    return sample(grammar, count, stream(seed, "data"))


def parents(samples: Samples, level: int) -> np.ndarray:
    h = samples.grammar.hierarchy
    below = samples.levels[level - 1]
    return samples.grammar.parent(level, below.reshape(len(samples), -1, h.tuple_size))


@given(hierarchies(), st.integers(0, 2**32))
def test_leaves_can_be_parsed_back_to_the_label(hierarchy: Hierarchy, seed: int) -> None:
    samples = drawn(hierarchy, seed)
    assert samples.one_hot().shape == (40, hierarchy.leaves, hierarchy.features)
    assert (samples.one_hot().argmax(2) == samples.leaves).all()
    for level in range(1, hierarchy.depth + 1):
        assert (parents(samples, level) == samples.levels[level]).all()
    assert (samples.levels[-1][:, 0] == samples.labels).all()


@given(hierarchies(least_multiplicity=2), st.integers(0, 2**32), st.data())
def test_synonyms_keep_label_and_upper_latents(hierarchy: Hierarchy, seed: int, data: st.DataObject) -> None:
    level = data.draw(st.integers(1, hierarchy.depth))
    samples = drawn(hierarchy, seed)
    exchanged = exchange_synonyms(samples, level, stream(seed, "exchange"))
    assert (exchanged.labels == samples.labels).all()
    for upper in range(level, hierarchy.depth + 1):
        assert (exchanged.levels[upper] == samples.levels[upper]).all()
        assert (parents(exchanged, upper) == exchanged.levels[upper]).all()
    below = (len(samples), -1, hierarchy.tuple_size)
    changed = samples.levels[level - 1].reshape(below) != exchanged.levels[level - 1].reshape(below)
    assert changed.any(2).all()  # Every tuple has changed.


@given(hierarchies(), st.integers(0, 2**32), st.data())
def test_noise_changes_every_parent(hierarchy: Hierarchy, seed: int, data: st.DataObject) -> None:
    level = data.draw(st.integers(1, hierarchy.depth))
    samples = drawn(hierarchy, seed)
    written = exchange_noise(samples, level, stream(seed, "exchange"))
    assert len(written) == level
    found = written[-1]
    tuples = found.reshape(len(samples), -1, hierarchy.tuple_size)
    assert (samples.grammar.parent(level, tuples) != samples.levels[level]).all()
    assert written[0].shape == samples.leaves.shape
    for below in range(level - 1, 0, -1):
        children = written[below - 1].reshape(len(samples), -1, hierarchy.tuple_size)
        assert (samples.grammar.parent(below, children) == written[below]).all()


@given(hierarchies(), st.integers(0, 2**32), st.data())
def test_splits_are_disjoint_and_distinct(hierarchy: Hierarchy, seed: int, data: st.DataObject) -> None:
    room = min(200, hierarchy.distinct_samples)
    train_size = data.draw(st.integers(1, room - 1))
    test_size = data.draw(st.integers(1, room - train_size))
    grammar = Grammar.draw(hierarchy, stream(seed, "grammar"))
    train, test = split(grammar, train_size, test_size, stream(seed, "data"))
    both = np.concatenate([train.leaves, test.leaves])
    assert (len(train), len(test)) == (train_size, test_size)
    assert len(np.unique(both, axis=0)) == train_size + test_size


@pytest.mark.parametrize("hierarchy", [Hierarchy(depth=2), Hierarchy(depth=4)], ids=["enumerated", "rejected"])
def test_larger_training_sets_begin_with_the_smaller(hierarchy: Hierarchy) -> None:
    grammar = Grammar.draw(hierarchy, stream(0, "grammar"))
    (small, test), (large, same_test) = (split(grammar, size, 100, stream(1, "data")) for size in (50, 300))
    assert (large.leaves[:50] == small.leaves).all()
    assert (test.leaves == same_test.leaves).all()


def test_all_samples_of_a_small_grammar_can_be_drawn() -> None:
    grammar = Grammar.draw(Hierarchy(depth=2), stream(0, "grammar"))
    train, test = split(grammar, 500, 12, stream(1, "data"))
    assert len(np.unique(np.concatenate([train.leaves, test.leaves]), axis=0)) == 512
    with pytest.raises(UserError, match="512 distinct samples"):
        split(grammar, 501, 12, stream(1, "data"))


def test_exchange_needs_an_existing_level_and_synonyms(grammar: Grammar) -> None:
    samples = sample(grammar, 3, stream(0, "data"))
    with pytest.raises(UserError, match="level = 4 does not exist"):
        exchange_synonyms(samples, 4, stream(0, "exchange"))
    single = Grammar.draw(Hierarchy(multiplicity=1), stream(0, "grammar"))
    with pytest.raises(UserError, match="no synonym"):
        exchange_synonyms(sample(single, 3, stream(0, "data")), 1, stream(0, "exchange"))


@pytest.mark.parametrize("size", [2, 3])
def test_sampling_frequencies_match_the_exact_tables(size: int) -> None:
    hierarchy = Hierarchy(features=4, multiplicity=3, depth=3 if size == 2 else 2, tuple_size=size, classes=3)
    grammar = Grammar.draw(hierarchy, stream(5, "grammar"))
    count = 200_000
    samples = sample(grammar, count, stream(6, "data"))
    tolerance = 5 * np.sqrt(0.25 / count)  # Five standard errors of a frequency.
    for level in range(hierarchy.depth):
        exact = tables.symbols_given_label(grammar, level).mean(0)
        seen = np.stack([np.bincount(column, minlength=4) for column in samples.levels[level].T]) / count
        assert np.abs(seen - exact).max() < tolerance
    joint = tables.sibling_joint(grammar, 1, 0, size - 1)
    seen = np.zeros_like(joint)
    np.add.at(seen, (samples.levels[1][:, 0], samples.levels[1][:, size - 1]), 1 / count)
    assert np.abs(seen - joint).max() < tolerance


@pytest.mark.parametrize("position", [0, 3])
def test_label_given_tuple_matches_the_frequencies(position: int) -> None:
    hierarchy = Hierarchy(features=4, multiplicity=3, depth=3, classes=3)
    grammar = Grammar.draw(hierarchy, stream(5, "grammar"))
    samples = sample(grammar, 300_000, stream(6, "data"))
    exact = tables.label_given_tuple(grammar, 1, position)
    counts = np.zeros((4, 3, 3))
    np.add.at(counts, (samples.levels[1][:, position], samples.choices[0][:, position], samples.labels), 1)
    occurring = counts.sum(2) > 0
    seen = counts[occurring] / counts[occurring].sum(1, keepdims=True)
    assert np.abs(seen - exact[occurring]).max() < 5 * np.sqrt(0.25 / counts[occurring].sum(1).min())
    assert (exact[~occurring] == 0).all()


def test_sibling_given_latent_is_a_conditional_probability() -> None:
    grammar = Grammar.draw(Hierarchy(), stream(0, "grammar"))
    for level in (0, 1, 2, 3):
        table = tables.sibling_given_latent(grammar, level, 0, 1)
        assert np.isin(table.sum(1).round(12), (0.0, 1.0)).all()
        assert table.sum() > 0


def test_siblings_are_independent_if_all_strings_are_equally_likely() -> None:
    """At f = 1 with n_c = v all strings are equally likely, so that siblings are independent."""
    hierarchy = Hierarchy(features=4, multiplicity=4, depth=3)
    assert hierarchy.synonym_fraction == 1
    grammar = Grammar.draw(hierarchy, stream(0, "grammar"))
    for level in (0, 1, 2):
        np.testing.assert_allclose(tables.sibling_given_latent(grammar, level, 0, 1), 1 / 4)
