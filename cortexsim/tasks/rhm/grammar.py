"""Grammars of the Random Hierarchy Model.

Source: Cagnetta, Petrini, Tomasini, Favero, Wyart, Physical Review X 14, 031001 (2024).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError

Symbols = NDArray[np.integer]
MAX_LEAVES = 2**20
MAX_TUPLES = 2**31  # Possible tuples of symbols, which are numbered in an array.


@dataclass(frozen=True)
class Sizes:
    """Sizes of a Random Hierarchy Model: see `Hierarchy`.

    Raises:
        UserError: if a size is out of range, or a level needs more distinct tuples than exist.
    """

    features: int = 8
    multiplicity: int = 4
    depth: int = 4
    tuple_size: int = 2
    classes: int = 0

    def __post_init__(self) -> None:
        if self.classes == 0:
            object.__setattr__(self, "classes", self.features)
        smallest = {"features": 2, "multiplicity": 1, "depth": 1, "tuple_size": 2, "classes": 2}
        for key, bound in smallest.items():
            if (value := getattr(self, key)) < bound:
                raise UserError(f"hierarchy: {key} = {value} is too small (at least {bound})")
        if self.features > 256:
            raise UserError(f"hierarchy: features = {self.features} is too large (at most 256)")
        self._check_tree()
        self._check_tuples()

    def _check_tree(self) -> None:
        s, v = self.tuple_size, self.features
        if self.depth * math.log2(s) > math.log2(MAX_LEAVES):
            raise UserError(
                f"hierarchy: depth = {self.depth} with tuple_size = {s} makes over {MAX_LEAVES} leaves (reduce either)"
            )
        if s * math.log2(v) > math.log2(MAX_TUPLES):
            raise UserError(
                f"hierarchy: features = {v} with tuple_size = {s} makes over {MAX_TUPLES} tuples (reduce either)"
            )

    def _check_tuples(self) -> None:
        tuples = self.features**self.tuple_size
        parents = max(self.classes, self.features if self.depth > 1 else 0)
        if self.multiplicity * parents > tuples:
            raise UserError(
                f"hierarchy: multiplicity = {self.multiplicity} times {parents} parents needs"
                f" {self.multiplicity * parents} distinct tuples, but features ** tuple_size is {tuples}"
                f" (multiplicity at most {tuples // parents})"
            )

    @property
    def leaves(self) -> int:
        """Number of leaves of one sample, s^L."""
        return self.positions(0)

    def positions(self, level: int) -> int:
        """Number of symbols of one sample at a level, s^(L - level)."""
        return self.tuple_size ** (self.depth - level)

    def symbols(self, level: int) -> int:
        """Number of different symbols of a level: n_c for the level of the label, v below."""
        return self.classes if level == self.depth else self.features

    @cached_property
    def distinct_samples(self) -> int:
        """Number of distinct samples, P_max = n_c m^((s^L - 1)/(s - 1)), as an exact integer."""
        expansions = (self.tuple_size**self.depth - 1) // (self.tuple_size - 1)
        return self.classes * self.multiplicity**expansions

    def check_samples(self, train: int, test: int) -> None:
        """Check that there are enough distinct samples.

        Args:
            train: number of training samples.
            test: number of test samples.

        Raises:
            UserError: if ``train + test`` is more than `distinct_samples`.
        """
        if train + test > self.distinct_samples:
            raise UserError(
                f"hierarchy: {train} training and {test} test samples are more than the {self.distinct_samples}"
                " distinct samples of this grammar (ask for fewer, or raise depth or multiplicity)"
            )

    @property
    def synonym_fraction(self) -> float:
        """Fraction of all possible tuples that the symbols of a level below the label have, f = m / v^(s-1).

        At f = 1 and n_c = v all strings of leaves are equally likely, so that nothing can be learned without labels.
        """
        return self.multiplicity / self.features ** (self.tuple_size - 1)


@dataclass(frozen=True)
class Grammar:
    """A grammar: the m tuples of every symbol, at every level.

    Attributes:
        hierarchy: the sizes.
        tuples: ``tuples[level - 1]``, of shape (symbols of the level, m, s), lists the tuples of each symbol of the
            level, as symbols of ``level - 1``.
    """

    hierarchy: Sizes
    tuples: tuple[Symbols, ...]

    @classmethod
    def draw(cls, hierarchy: Sizes, generator: np.random.Generator) -> "Grammar":
        """Draw a grammar: every symbol of every level gets m tuples, all tuples of a level being distinct.

        Args:
            hierarchy: the sizes.
            generator: source of randomness.

        >>> from cortexsim.seeds import stream
        >>> grammar = Grammar.draw(Sizes(features=6, multiplicity=3, depth=2), stream(0, "grammar"))
        >>> [tuples.shape for tuples in grammar.tuples]
        [(6, 3, 2), (6, 3, 2)]
        >>> grammar.parent(1, grammar.tuples[0][5, 2]).item()
        5
        """
        return cls(hierarchy, tuple(_draw_level(hierarchy, k, generator) for k in range(1, hierarchy.depth + 1)))

    def parent(self, level: int, children: Symbols) -> Symbols:
        """Symbols that tuples are expansions of.

        Args:
            level: level of the parents.
            children: tuples of symbols of ``level - 1``, (..., s).

        Returns:
            Symbols of ``level``, (...).

        Raises:
            UserError: if a tuple is not in the grammar.
        """
        owned = self.tuples[level - 1]
        parents = np.full(self.hierarchy.features**self.hierarchy.tuple_size, -1)
        parents[self._code(owned)] = np.arange(len(owned))[:, None]
        result = parents[self._code(children)]
        if (result < 0).any():
            raise UserError(f"hierarchy: a tuple of level {level - 1} has no parent in this grammar")
        return result

    def _code(self, children: Symbols) -> Symbols:
        weights = self.hierarchy.features ** np.arange(self.hierarchy.tuple_size)[::-1]
        return children.astype(np.int64) @ weights


def _draw_level(hierarchy: Sizes, level: int, generator: np.random.Generator) -> Symbols:
    v, s = hierarchy.features, hierarchy.tuple_size
    shape = (hierarchy.symbols(level), hierarchy.multiplicity)
    codes = generator.choice(v**s, size=shape, replace=False)
    places = v ** np.arange(s)[::-1]
    return (codes[..., None] // places % v).astype(np.uint8)
