"""The Random Hierarchy Model as a task."""

from dataclasses import dataclass
from typing import ClassVar

from cortexsim.seeds import stream
from cortexsim.tasks.rhm.grammar import Grammar, Sizes
from cortexsim.tasks.rhm.sampling import Samples, split


@dataclass(frozen=True)
class Hierarchy(Sizes):
    """The Random Hierarchy Model: samples generated from a label by the random rules of a hidden grammar.

    A label is expanded into a tuple of s symbols, each of these into a tuple of s symbols of the next lower level, and
    so on down to the leaves. Every symbol has m synonymous tuples, of which each expansion takes one at random. Level 0
    is that of the leaves, level ``depth`` that of the label.

    Args:
        features: v, number of symbols of each level below the label.
        multiplicity: m, number of synonyms: tuples that a symbol can be expanded into.
        depth: L, number of levels of expansion.
        tuple_size: s, number of symbols in a tuple.
        classes: n_c, number of labels; 0 for as many as ``features``.

    Raises:
        UserError: if a size is out of range, or a level needs more distinct tuples than exist.

    >>> task = Hierarchy(features=8, multiplicity=4, depth=3)
    >>> task.grid, task.channels, task.classes, task.distinct_samples
    ((8,), 8, 8, 131072)
    >>> train, test = task.draw(train=100, test=50, task_seed=0, seed=0)
    >>> train.inputs.shape, [level.shape for level in train.levels]
    ((100, 8, 8), [(100, 8), (100, 4), (100, 2), (100, 1)])
    """

    name: ClassVar[str] = "rhm"
    second_views: ClassVar[str] = "synonym"
    content: ClassVar[str] = ""

    @property
    def grid(self) -> tuple[int, ...]:
        """Input positions: (s^L,), the leaves."""
        return (self.leaves,)

    @property
    def channels(self) -> int:
        """v, since leaves are encoded one-hot."""
        return self.features

    @property
    def branching(self) -> int:
        """s, number of symbols that belong to one symbol of the next higher level."""
        return self.tuple_size

    @property
    def chance(self) -> float:
        """1 / n_c: all labels are equally likely."""
        return 1 / self.classes

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[Samples, Samples]:
        """Draw a grammar with one seed, and distinct samples of it with the other seed.

        Args:
            train: number of training samples.
            test: number of test samples.
            task_seed: seed of the grammar.
            seed: seed of the samples.

        Returns:
            The training samples and the test samples.

        Raises:
            UserError: if the grammar has too few distinct samples.
        """
        return split(Grammar.draw(self, stream(task_seed, "grammar")), train, test, stream(seed, "data"))
