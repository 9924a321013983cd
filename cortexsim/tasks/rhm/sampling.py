"""Samples of a grammar, drawn top down, and exchanges of their symbols that probe what a network represents."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.tasks.rhm.grammar import Grammar, Symbols

BLOCK = 8192  # Candidates drawn at once; fixed, so that a smaller data set is a prefix of a larger one.


@dataclass(frozen=True)
class Samples:
    """Samples of a grammar, stored as their labels and choices of synonyms, which determine all levels.

    Attributes:
        grammar: the grammar that generated the samples.
        labels: (samples,).
        choices: ``choices[level - 1]``, of shape (samples, positions of the level), says which of its m tuples each
            symbol of the level was expanded into.
    """

    grammar: Grammar
    labels: Symbols
    choices: tuple[Symbols, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<Samples: {len(self)} of {self.grammar.hierarchy}>"

    @cached_property
    def levels(self) -> tuple[Symbols, ...]:
        """Symbols of every level, leaves first: ``levels[k]`` has the shape (samples, positions of level k)."""
        levels = [self.labels[:, None]]
        for tuples, chosen in zip(reversed(self.grammar.tuples), reversed(self.choices), strict=True):
            # One lookup in a flat table is three times faster than indexing by (parent, synonym).
            flat = levels[-1].astype(np.intp) * tuples.shape[1] + chosen
            levels.append(tuples.reshape(-1, tuples.shape[2])[flat].reshape(len(self.labels), -1))
        return tuple(reversed(levels))

    @property
    def leaves(self) -> Symbols:
        """Symbols of the lowest level, (samples, s^L)."""
        return self.levels[0]

    @property
    def inputs(self) -> NDArray[np.float32]:
        """Input values, (samples, s^L, v): the leaves, one-hot."""
        return self.one_hot()

    @property
    def latents(self) -> tuple[Symbols, ...]:
        """Symbols of every level above the leaves, lowest first: each (samples, positions of the level)."""
        return self.levels[1:]

    @property
    def exchangeable(self) -> bool:
        """Whether symbols have more than one synonym."""
        return self.grammar.hierarchy.multiplicity > 1

    def second_view(self, layer: int, generator: np.random.Generator) -> "Samples":
        """Replace every tuple in the input of a layer by a synonym, as `exchange_synonyms` does.

        Raises:
            UserError: if symbols have no second synonym, or there is no such level.
        """
        return exchange_synonyms(self, layer, generator)

    def one_hot(self) -> NDArray[np.float32]:
        """One-hot encoding of the leaves, (samples, s^L, v)."""
        return np.eye(self.grammar.hierarchy.features, dtype=np.float32)[self.leaves]

    def __getitem__(self, chosen: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "Samples":
        return Samples(self.grammar, self.labels[chosen], tuple(choice[chosen] for choice in self.choices))


def sample(grammar: Grammar, count: int, generator: np.random.Generator) -> Samples:
    """Draw samples top down: a uniform label, then for every symbol one of its m tuples, uniformly.

    Samples are independent, so that some may be equal; `split` draws distinct ones.

    Args:
        grammar: the grammar.
        count: number of samples.
        generator: source of randomness.

    >>> from cortexsim.seeds import stream
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> grammar = Grammar.draw(Hierarchy(features=8, multiplicity=4, depth=3), stream(0, "grammar"))
    >>> samples = sample(grammar, 100, stream(0, "data"))
    >>> samples.leaves.shape, samples.latents[0].shape, samples.inputs.shape
    ((100, 8), (100, 4), (100, 8, 8))
    >>> bool((grammar.parent(1, samples.leaves.reshape(100, 4, 2)) == samples.latents[0]).all())
    True
    """
    h = grammar.hierarchy
    labels = generator.integers(h.classes, size=count, dtype=np.uint8 if h.classes <= 256 else np.int64)
    choices = [
        generator.integers(h.multiplicity, size=(count, h.positions(level)), dtype=_choice_type(h.multiplicity))
        for level in range(1, h.depth + 1)
    ]
    return Samples(grammar, labels, tuple(choices))


def split(grammar: Grammar, train: int, test: int, generator: np.random.Generator) -> tuple[Samples, Samples]:
    """Draw a training set and a test set, all samples of which are distinct.

    The test set does not depend on ``train``, and a smaller training set is a prefix of a larger one.

    Args:
        grammar: the grammar.
        train: number of training samples.
        test: number of test samples.
        generator: source of randomness.

    Returns:
        The training samples and the test samples.

    Raises:
        UserError: if the grammar has too few distinct samples.
    """
    h = grammar.hierarchy
    h.check_samples(train, test)
    if h.distinct_samples <= 4 * BLOCK:  # Few enough to enumerate, where rejection of duplicates would be slow.
        samples = _decode(grammar, generator.permutation(h.distinct_samples)[: train + test])
    else:
        samples = _distinct(grammar, train + test, generator)
    return samples[test:], samples[:test]


def exchange_synonyms(samples: Samples, level: int, generator: np.random.Generator) -> Samples:
    """Expand every symbol of a level into another of its m synonyms; this level and those above do not change.

    Args:
        samples: the samples.
        level: level of the expanded symbols: 1 replaces tuples of leaves, ``depth`` the tuple of the label.
        generator: source of the choice among the other m - 1 synonyms.

    Returns:
        New samples; below ``level`` they keep the choices, though not the symbols, of the old ones.

    Raises:
        UserError: if symbols have no second synonym, or there is no such level.

    >>> from cortexsim.seeds import stream
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> samples, _ = Hierarchy(depth=3).draw(train=10, test=1, task_seed=0, seed=0)
    >>> exchanged = exchange_synonyms(samples, 1, stream(0, "exchange"))
    >>> bool((exchanged.leaves == samples.leaves).all()), bool((exchanged.levels[1] == samples.levels[1]).all())
    (False, True)
    """
    h = samples.grammar.hierarchy
    _check_level(level, h.depth)
    if h.multiplicity < 2:
        raise UserError("hierarchy: multiplicity = 1 leaves no synonym to exchange (at least 2)")
    old = samples.choices[level - 1].astype(np.int64)
    step = generator.integers(1, h.multiplicity, size=old.shape)
    new = ((old + step) % h.multiplicity).astype(samples.choices[level - 1].dtype)
    return replace(samples, choices=(*samples.choices[: level - 1], new, *samples.choices[level:]))


def exchange_noise(samples: Samples, level: int, generator: np.random.Generator) -> tuple[Symbols, ...]:
    """Replace the expansion of every symbol of a level by that of a different symbol, down to the leaves.

    Args:
        samples: the samples.
        level: level of the symbols whose expansion is replaced.
        generator: source of randomness.

    Returns:
        Symbols of the levels 0 to ``level - 1``, leaves first: one array (samples, positions of the level) per level.
        They are not `Samples`, since the grammar does not generate them from the upper levels.

    Raises:
        UserError: if there is no such level.
    """
    h = samples.grammar.hierarchy
    _check_level(level, h.depth)
    parents = samples.levels[level].astype(np.int64)
    step = generator.integers(1, h.symbols(level), size=parents.shape)
    other = (parents + step) % h.symbols(level)
    chosen = generator.integers(h.multiplicity, size=parents.shape)
    levels = [samples.grammar.tuples[level - 1][other, chosen].reshape(len(samples), -1)]
    for below in range(level - 1, 0, -1):
        tuples = samples.grammar.tuples[below - 1]
        levels.append(tuples[levels[-1], samples.choices[below - 1]].reshape(len(samples), -1))
    return tuple(reversed(levels))


def _choice_type(multiplicity: int) -> type[np.integer]:
    return np.uint8 if multiplicity <= 256 else np.int64


def _check_level(level: int, depth: int) -> None:
    if not 1 <= level <= depth:
        raise UserError(f"hierarchy: level = {level} does not exist (1 to {depth})")


def _distinct(grammar: Grammar, count: int, generator: np.random.Generator) -> Samples:
    seen: set[bytes] = set()
    kept: list[Samples] = []
    while len(seen) < count:
        block = sample(grammar, BLOCK, generator)
        fresh = []
        for index, row in enumerate(np.ascontiguousarray(block.leaves)):
            if (key := row.tobytes()) not in seen:
                seen.add(key)
                fresh.append(index)
        kept.append(block[np.array(fresh, dtype=np.intp)])
    choices = tuple(np.concatenate(parts) for parts in zip(*(block.choices for block in kept), strict=True))
    return Samples(grammar, np.concatenate([block.labels for block in kept]), choices)[:count]


def _decode(grammar: Grammar, numbers: NDArray[np.int64]) -> Samples:
    """Samples with the given numbers in 0..P_max - 1, which are decoded as mixed-radix digits, the label first."""
    h = grammar.hierarchy
    labels, rest = numbers % h.classes, numbers // h.classes
    choices = []
    for level in range(1, h.depth + 1):
        digits = np.empty((len(numbers), h.positions(level)), dtype=_choice_type(h.multiplicity))
        for position in range(digits.shape[1]):
            rest, digits[:, position] = np.divmod(rest, h.multiplicity)
        choices.append(digits)
    return Samples(grammar, labels, tuple(choices))
