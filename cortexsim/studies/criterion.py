"""The verdict of an experiment: which learners stay below a fraction of the reference's accuracy, and where."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from cortexsim.analysis.summary import Summary
from cortexsim.config.values import Table


class VerdictTable(Table):
    """Which learners count as failing.

    Attributes:
        reference: the learner to compare with.
        fraction: of its accuracy, below which a learner fails.
    """

    reference: str = "backprop"
    fraction: Annotated[float, Field(gt=0, lt=1, strict=True)] = 0.5


def judge(found: Mapping[str, Sequence[Summary]], asked: VerdictTable) -> dict[str, Any]:
    """Judge every learner of every comparison at every number of samples.

    >>> from cortexsim.analysis.summary import summarise
    >>> common = {"context": "none", "labels_for": "layers", "chance": 0.125, "samples": 64, "trained_layers": 1}
    >>> common |= {"selectivity": [0.9], "participation": [6.0], "decoding": [1.0], "grammar_seed": 10, "seed": 0}
    >>> reached = {"backprop": 0.8, "dfa": 0.3}
    >>> rows = [{**common, "learner": name, "rule": name, "accuracy": value} for name, value in reached.items()]
    >>> verdict = judge({"four-levels": summarise(rows)}, VerdictTable(fraction=0.5))
    >>> verdict["judged"]["four-levels"]["dfa"]["64"]["below"]
    True
    >>> verdict["sentences"]
    ['four-levels, below 0.5 of the accuracy of backprop at every P (accuracy at P = 64): dfa 0.300 ± 0.000.']

    Args:
        found: a summary per learner, by comparison.
        asked: the reference and the fraction.

    Returns:
        ``reference``, ``fraction``, ``judged`` (by comparison, learner and samples: accuracy, deviation, ratio to the
        reference, whether below) and ``sentences`` (the same in words).
    """
    judged = {name: _judge(summaries, asked) for name, summaries in found.items()}
    sentences = [line for name, learners in judged.items() for line in _sentences(name, learners, asked)]
    return {"reference": asked.reference, "fraction": asked.fraction, "judged": judged, "sentences": sentences}


def _judge(summaries: Sequence[Summary], asked: VerdictTable) -> dict[str, dict[str, dict[str, Any]]]:
    reference = next(summary for summary in summaries if summary.learner == asked.reference)
    found = {}
    for summary in summaries:
        found[summary.learner] = {
            str(size): {
                "accuracy": spread.mean,
                "deviation": spread.deviation,
                "ratio": spread.mean / reference.accuracy[size].mean,
                "below": spread.mean < asked.fraction * reference.accuracy[size].mean,
            }
            for size, spread in summary.accuracy.items()
        }
    return found


def _sentences(name: str, learners: Mapping[str, Any], asked: VerdictTable) -> list[str]:
    """Group learners by whether they fail at every number of samples, at some, or at none."""
    share = f"below {asked.fraction:g} of the accuracy of {asked.reference}"
    groups: dict[str, list[str]] = {"at every P": [], "at some P": [], "at no P": []}
    for learner, sizes in learners.items():
        if learner == asked.reference:
            continue
        below = [size for size, entry in sizes.items() if entry["below"]]
        largest = list(sizes.values())[-1]
        text = f"{learner} {largest['accuracy']:.3f} ± {largest['deviation']:.3f}"
        if 0 < len(below) < len(sizes):
            groups["at some P"].append(f"{text} (below at {', '.join(below)})")
        else:
            groups["at every P" if below else "at no P"].append(text)
    largest = list(next(iter(learners.values())))[-1]
    return [
        f"{name}, {share} {where} (accuracy at P = {largest}): {', '.join(texts)}."
        for where, texts in groups.items()
        if texts
    ]
