"""The Random Hierarchy Model: a grammar whose hidden structure is known exactly.

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
MAX_TUPLES = 2**31  # Different tuples of symbols: they are numbered.


@dataclass(frozen=True)
class Sizes:
    """State the sizes of a Random Hierarchy Model, and refuse those that cannot exist: see `Hierarchy`."""

    features: int = 8
    multiplicity: int = 4
    depth: int = 4
    tuple_size: int = 2
    classes: int = 0

    def __post_init__(self) -> None:
        if self.classes == 0:
            object.__setattr__(self, "classes", self.features)
        least = {"features": 2, "multiplicity": 1, "depth": 1, "tuple_size": 2, "classes": 2}
        for key, smallest in least.items():
            if (value := getattr(self, key)) < smallest:
                raise UserError(f"hierarchy: {key} = {value} is too small (at least {smallest})")
        if self.features > 256:
            raise UserError(f"hierarchy: features = {self.features} is too large (at most 256)")
        self._refuse_large_trees()
        self._refuse_crowded_tuples()

    def _refuse_large_trees(self) -> None:
        s, v = self.tuple_size, self.features
        if self.depth * math.log2(s) > math.log2(MAX_LEAVES):
            raise UserError(
                f"hierarchy: depth = {self.depth} with tuple_size = {s} makes over {MAX_LEAVES} leaves (take less)"
            )
        if s * math.log2(v) > math.log2(MAX_TUPLES):
            raise UserError(
                f"hierarchy: features = {v} with tuple_size = {s} makes over {MAX_TUPLES} tuples (take less)"
            )

    def _refuse_crowded_tuples(self) -> None:
        room = self.features**self.tuple_size
        parents = max(self.classes, self.features if self.depth > 1 else 0)
        if self.multiplicity * parents > room:
            raise UserError(
                f"hierarchy: multiplicity = {self.multiplicity} times {parents} parents needs"
                f" {self.multiplicity * parents} distinct tuples, but features ** tuple_size is {room}"
                f" (multiplicity at most {room // parents})"
            )

    @property
    def leaves(self) -> int:
        """Count the leaves of one sample, s^L."""
        return self.positions(0)

    def positions(self, level: int) -> int:
        """Count the symbols of one sample at a level."""
        return self.tuple_size ** (self.depth - level)

    def symbols(self, level: int) -> int:
        """Count the different symbols of a level: n_c for the label, v below."""
        return self.classes if level == self.depth else self.features

    @cached_property
    def distinct_samples(self) -> int:
        """P_max = n_c m^((s^L - 1)/(s - 1)), exact at any size."""
        expansions = (self.tuple_size**self.depth - 1) // (self.tuple_size - 1)
        return self.classes * self.multiplicity**expansions

    def check_samples(self, train: int, test: int) -> None:
        """See that there are so many different samples.

        Raises:
            UserError: where there are not.
        """
        if train + test > self.distinct_samples:
            raise UserError(
                f"hierarchy: {train} training and {test} test samples are more than the {self.distinct_samples}"
                " distinct samples of this grammar (ask for fewer, or raise depth or multiplicity)"
            )

    @property
    def synonym_fraction(self) -> float:
        """f = m / v^(s-1): at 1 (with n_c = v) every string is equally likely and unlabelled samples say nothing."""
        return self.multiplicity / self.features ** (self.tuple_size - 1)


@dataclass(frozen=True)
class Grammar:
    """Hold which tuples each symbol owns, at every level.

    Attributes:
        hierarchy: the sizes.
        tuples: ``tuples[level - 1]`` has shape (symbols of that level, m, s): the symbols one level below.
    """

    hierarchy: Sizes
    tuples: tuple[Symbols, ...]

    @classmethod
    def draw(cls, hierarchy: Sizes, generator: np.random.Generator) -> "Grammar":
        """Draw the tuples of every level uniformly, without replacement, so that a tuple names its parent."""
        return cls(hierarchy, tuple(_draw_level(hierarchy, k, generator) for k in range(1, hierarchy.depth + 1)))

    def parent(self, level: int, children: Symbols) -> Symbols:
        """Name the parents of tuples: children (..., s) of level - 1 to symbols (...) of the level.

        Raises:
            UserError: where a tuple belongs to no parent.
        """
        owned = self.tuples[level - 1]
        parents = np.full(self.hierarchy.features**self.hierarchy.tuple_size, -1)
        parents[self._code(owned)] = np.arange(len(owned))[:, None]
        found = parents[self._code(children)]
        if (found < 0).any():
            raise UserError(f"hierarchy: a tuple of level {level - 1} has no parent in this grammar")
        return found

    def _code(self, children: Symbols) -> Symbols:
        weights = self.hierarchy.features ** np.arange(self.hierarchy.tuple_size)[::-1]
        return children.astype(np.int64) @ weights


def _draw_level(hierarchy: Sizes, level: int, generator: np.random.Generator) -> Symbols:
    v, s = hierarchy.features, hierarchy.tuple_size
    shape = (hierarchy.symbols(level), hierarchy.multiplicity)
    codes = generator.choice(v**s, size=shape, replace=False)
    places = v ** np.arange(s)[::-1]
    return (codes[..., None] // places % v).astype(np.uint8)
