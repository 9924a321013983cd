"""Summaries of rows, by learner: mean and standard deviation over seeds, and P*."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cortexsim.analysis.sample_complexity import Threshold, brackets

LAYER_QUANTITIES = ("selectivity", "participation", "decoding")
COSTS = ("spikes", "synaptic_operations")


@dataclass(frozen=True)
class Spread:
    """A mean, the standard deviation over seeds (0 for a single one), and the number of seeds."""

    mean: float
    deviation: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarise values, (seeds,)."""
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), deviation, len(values))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.deviation:.3f}" if self.count > 1 else f"{self.mean:.3f}"


@dataclass(frozen=True)
class Summary:
    """The results of one learner.

    Attributes:
        learner: the model's name.
        rule: the name of its plasticity rule, or of the learner where it has none.
        context: the context that its dendrites receive.
        labels: what labels were used for.
        trained: how many layers, from the lowest, were trained.
        accuracy: test accuracy by training-set size.
        needed: P*, as far as the sizes tried enclose it.
        layers: by quantity, (layers,), at the largest training set.
        cost: spikes and synaptic operations per sample, at the largest training set; empty where no cell spikes.
    """

    learner: str
    rule: str
    context: str
    labels: str
    trained: int
    accuracy: Mapping[int, Spread]
    needed: Threshold
    layers: Mapping[str, tuple[Spread, ...]]
    cost: Mapping[str, Spread]

    def layer_texts(self, write: Callable[..., str], *quantities: str) -> list[str]:
        """Format quantities layer by layer, in brackets where a layer was not trained."""
        layers = zip(*(self.layers[quantity] for quantity in quantities), strict=True)
        texts = [write(*spreads) for spreads in layers]
        return [text if layer < self.trained else f"({text})" for layer, text in enumerate(texts)]

    def accuracies(self, sizes: Sequence[int]) -> list[str]:
        """Format the accuracy at each of these training-set sizes, with a dash where it was not measured."""
        return [str(self.accuracy[size]) if size in self.accuracy else "-" for size in sizes]

    @property
    def samples(self) -> list[int]:
        """The training-set sizes, ascending."""
        return list(self.accuracy)


def summarise(rows: Sequence[Mapping[str, Any]]) -> list[Summary]:
    """Summarise rows by learner, in the order of their first appearance.

    >>> common = {"learner": "clapp", "rule": "clapp", "context": "sibling", "labels_for": "readout", "chance": 0.125}
    >>> common |= {"trained_layers": 2, "selectivity": [0.9, 0.8], "participation": [6.0, 5.0], "decoding": [1.0, 0.9]}
    >>> accuracies = {64: [0.3, 0.4], 128: [0.95, 0.97]}  # Of two seeds.
    >>> rows = [
    ...     {**common, "samples": size, "accuracy": accuracy, "grammar_seed": seed, "seed": seed}
    ...     for size, several in accuracies.items()
    ...     for seed, accuracy in enumerate(several)
    ... ]
    >>> (clapp,) = summarise(rows)
    >>> clapp.accuracies([64, 128]), clapp.needed.text()
    (['0.350 ± 0.071', '0.960 ± 0.014'], '64 to 128')

    Args:
        rows: of runs at any sizes, grammars and seeds, each with what `api.load_results` documents.
    """
    names = list(dict.fromkeys(row["learner"] for row in rows))
    return [_summarise_learner([row for row in rows if row["learner"] == name]) for name in names]


def sizes_of(summaries: Sequence[Summary]) -> list[int]:
    """List the training-set sizes of any of the learners, ascending."""
    return sorted({size for summary in summaries for size in summary.samples})


def largest_sizes(summaries: Sequence[Summary]) -> str:
    """Name the largest training set of the learners, of each of them where it is not the same."""
    largest = {summary.learner: summary.samples[-1] for summary in summaries}
    most = max(largest.values())
    fewer = [f"{learner}: {size}" for learner, size in largest.items() if size < most]
    return f"{most} ({', '.join(fewer)})" if fewer else str(most)


def _summarise_learner(rows: Sequence[Mapping[str, Any]]) -> Summary:
    sizes = sorted({row["samples"] for row in rows})
    by_size = {size: [row for row in rows if row["samples"] == size] for size in sizes}
    largest = by_size[sizes[-1]]
    return Summary(
        learner=rows[0]["learner"],
        rule=rows[0]["rule"],
        context=rows[0]["context"],
        labels=rows[0]["labels_for"],
        trained=rows[0]["trained_layers"],
        accuracy={size: Spread.of([row["accuracy"] for row in several]) for size, several in by_size.items()},
        needed=Threshold.of(brackets(rows)),
        layers={
            quantity: tuple(Spread.of(values) for values in zip(*(row[quantity] for row in largest), strict=True))
            for quantity in LAYER_QUANTITIES
        },
        cost={name: Spread.of([row[name] for row in largest]) for name in COSTS if largest[0].get(name) is not None},
    )
