"""The Random Hierarchy Model as a task: sizes, and samples of a grammar that is drawn."""

from dataclasses import dataclass
from typing import ClassVar

from cortexsim.seeds import stream
from cortexsim.tasks.rhm.grammar import Grammar, Sizes
from cortexsim.tasks.rhm.sampling import Samples, split


@dataclass(frozen=True)
class Hierarchy(Sizes):
    """The Random Hierarchy Model: samples written by a hidden grammar, level by level, of the sizes given here.

    Levels count from below: level 0 are the leaves, level ``depth`` is the label.

    Args:
        features: v, symbols of each level below the label.
        multiplicity: m, the synonyms: tuples that each symbol can be written as.
        depth: L, how often a label is expanded.
        tuple_size: s, symbols in a tuple.
        classes: n_c, labels; v unless given.

    Raises:
        UserError: where a level would need more distinct tuples than there are.
    """

    name: ClassVar[str] = "rhm"
    second_views: ClassVar[str] = "synonym"
    content: ClassVar[str] = ""

    @property
    def grid(self) -> tuple[int, ...]:
        """The leaves, in a row."""
        return (self.leaves,)

    @property
    def channels(self) -> int:
        """One a symbol: leaves are shown one-hot."""
        return self.features

    @property
    def branching(self) -> int:
        """s, the symbols that belong to one of the level above."""
        return self.tuple_size

    @property
    def chance(self) -> float:
        """All labels are equally likely."""
        return 1 / self.classes

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[Samples, Samples]:
        """Draw a grammar from the one seed, and from the other its samples, all of them distinct.

        Raises:
            UserError: where the grammar has fewer distinct samples than were asked for.
        """
        return split(Grammar.draw(self, stream(task_seed, "grammar")), train, test, stream(seed, "data"))
