"""Samples of a grammar, drawn top down, and the exchanges that probe what a network has understood."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.tasks.rhm.grammar import Grammar, Symbols

BLOCK = 8192  # Candidates drawn at once. Fixed, so that a longer data set begins with the shorter one.


@dataclass(frozen=True)
class Samples:
    """Hold samples as their labels and choices, from which every level follows.

    Attributes:
        grammar: the grammar they were drawn from.
        labels: (samples,).
        choices: ``choices[level - 1]`` has shape (samples, positions of that level): which synonym each symbol took.
    """

    grammar: Grammar
    labels: Symbols
    choices: tuple[Symbols, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def levels(self) -> tuple[Symbols, ...]:
        """Symbols of every level, leaves first: ``levels[k]`` has shape (samples, positions of level k)."""
        found = [self.labels[:, None]]
        for owned, chosen in zip(reversed(self.grammar.tuples), reversed(self.choices), strict=True):
            # One gather on a flat table is three times faster than indexing by (parent, synonym).
            flat = found[-1].astype(np.intp) * owned.shape[1] + chosen
            found.append(owned.reshape(-1, owned.shape[2])[flat].reshape(len(self.labels), -1))
        return tuple(reversed(found))

    @property
    def leaves(self) -> Symbols:
        """The visible symbols, (samples, s^L)."""
        return self.levels[0]

    @property
    def inputs(self) -> NDArray[np.float32]:
        """What is shown: the leaves, one-hot."""
        return self.one_hot()

    @property
    def latents(self) -> tuple[Symbols, ...]:
        """Symbols of every level above the leaves."""
        return self.levels[1:]

    @property
    def exchangeable(self) -> bool:
        """Whether symbols have synonyms."""
        return self.grammar.hierarchy.multiplicity > 1

    def second_view(self, layer: int, generator: np.random.Generator) -> "Samples":
        """Exchange the tuples that a layer sees for synonyms."""
        return exchange_synonyms(self, layer, generator)

    def one_hot(self) -> NDArray[np.float32]:
        """Encode the leaves one-hot: (samples, s^L, v)."""
        return np.eye(self.grammar.hierarchy.features, dtype=np.float32)[self.leaves]

    def __getitem__(self, chosen: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "Samples":
        return Samples(self.grammar, self.labels[chosen], tuple(choice[chosen] for choice in self.choices))


def sample(grammar: Grammar, count: int, generator: np.random.Generator) -> Samples:
    """Draw samples top down: a uniform label, then for every symbol one of its m tuples, uniformly."""
    h = grammar.hierarchy
    labels = generator.integers(h.classes, size=count, dtype=np.uint8 if h.classes <= 256 else np.int64)
    choices = [
        generator.integers(h.multiplicity, size=(count, h.positions(level)), dtype=_choice_type(h.multiplicity))
        for level in range(1, h.depth + 1)
    ]
    return Samples(grammar, labels, tuple(choices))


def split(grammar: Grammar, train: int, test: int, generator: np.random.Generator) -> tuple[Samples, Samples]:
    """Draw a training and a test set, all samples distinct.

    The test set depends on the generator and its own size alone, and a larger training set begins with the smaller.

    Raises:
        UserError: where the grammar has fewer distinct samples than were asked for.
    """
    h = grammar.hierarchy
    h.check_samples(train, test)
    if h.distinct_samples <= 4 * BLOCK:  # Few enough to shuffle all; rejection would crawl near the end.
        found = _decode(grammar, generator.permutation(h.distinct_samples)[: train + test])
    else:
        found = _distinct(grammar, train + test, generator)
    return found[test:], found[:test]


def exchange_synonyms(samples: Samples, level: int, generator: np.random.Generator) -> Samples:
    """Replace every tuple of a level's symbols by another tuple of the same parent; labels and upper levels stay.

    Args:
        samples: what to exchange in.
        level: 1 exchanges tuples of leaves, ``depth`` those that the label is written as.
        generator: draws which of the other m - 1 synonyms.

    Raises:
        UserError: where symbols have no second synonym, or there is no such level.
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
    """Replace every tuple of a level's symbols by a tuple of another parent, and write it out down to the leaves.

    The result has no derivation any more, so it comes as symbols: one array (samples, positions) a level, leaves first,
    from the exchanged symbols of level - 1 downwards.

    Raises:
        UserError: where there is no such level.
    """
    h = samples.grammar.hierarchy
    _check_level(level, h.depth)
    parents = samples.levels[level].astype(np.int64)
    step = generator.integers(1, h.symbols(level), size=parents.shape)
    other = (parents + step) % h.symbols(level)
    chosen = generator.integers(h.multiplicity, size=parents.shape)
    written = [samples.grammar.tuples[level - 1][other, chosen].reshape(len(samples), -1)]
    for below in range(level - 1, 0, -1):
        owned = samples.grammar.tuples[below - 1]
        written.append(owned[written[-1], samples.choices[below - 1]].reshape(len(samples), -1))
    return tuple(reversed(written))


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
    """Turn numbers below P_max into samples: mixed-radix digits, label first."""
    h = grammar.hierarchy
    labels, rest = numbers % h.classes, numbers // h.classes
    choices = []
    for level in range(1, h.depth + 1):
        digits = np.empty((len(numbers), h.positions(level)), dtype=_choice_type(h.multiplicity))
        for position in range(digits.shape[1]):
            rest, digits[:, position] = np.divmod(rest, h.multiplicity)
        choices.append(digits)
    return Samples(grammar, labels, tuple(choices))
