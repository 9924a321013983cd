"""Markdown tables, and the places in a README that they are written to."""

import re
from collections.abc import Mapping, Sequence

from cortexsim.analysis.summary import COSTS, LAYER_QUANTITIES, Spread, Summary, sizes_of
from cortexsim.errors import UserError, nearest

PLACE = re.compile(r"<!-- table: (?P<name>[^\n]+?) -->\n(?P<text>.*?)<!-- end -->", re.DOTALL)
BEGIN = "<!-- table: "


def fill(text: str, tables: Mapping[str, str], of: str = "") -> str:
    """Replace what stands between ``<!-- table: NAME -->`` and ``<!-- end -->`` by the tables of these names.

    Args:
        text: of the README.
        tables: by name.
        of: prefix of their names in the README; places whose names begin otherwise are left unchanged.

    Returns:
        The new text.

    Raises:
        UserError: where there is no such table, or a place has no end.
    """
    places = [match["name"] for match in PLACE.finditer(text)]
    if len(places) != text.count(BEGIN):
        raise UserError("README.md: a '<!-- table: NAME -->' has no '<!-- end -->' before the next")
    named = {f"{of}{name}": written for name, written in tables.items()}
    for name in places:
        if name.startswith(of) and name not in named:
            raise UserError(f"README.md: table '{name}' is not known ({nearest(name, named)})")

    def written(match: re.Match[str]) -> str:
        name = match["name"]
        return f"{BEGIN}{name} -->\n{named[name]}\n<!-- end -->" if name in named else match[0]

    return PLACE.sub(written, text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column holds names of models.

    >>> print(table(["learner", "accuracy"], [["clapp", "0.9"]]))
    | learner | accuracy |
    | --- | --- |
    | `clapp` | 0.9 |
    """
    lines = [head, ["---"] * len(head), *([_code(name), *cells] for name, *cells in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def accuracy(summaries: Sequence[Summary]) -> str:
    """A table of test accuracy by learner and samples, with P*, and with spikes and synaptic operations per sample."""
    costs = [name for name in COSTS if any(name in summary.cost for summary in summaries)]
    sizes = sizes_of(summaries)
    head = ["learner", *(f"P = {size}" for size in sizes), "samples needed"]
    rows = []
    for summary in summaries:
        spent = [f"{summary.cost[name].mean:.0f}" if name in summary.cost else "-" for name in costs]
        rows.append([summary.learner, *summary.accuracies(sizes), summary.needed.text(), *spent])
    return table([*head, *(name.replace("_", " ") for name in costs)], rows)


def across(found: Mapping[str, Sequence[Summary]], samples: int) -> str:
    """A table of test accuracy at one training-set size, with P*, by learner and comparison.

    Args:
        found: the summaries of each comparison, by its name.
        samples: P.
    """
    learners = dict.fromkeys(summary.learner for summaries in found.values() for summary in summaries)
    cells = {
        (summary.learner, name): f"{summary.accuracy[samples]}, {summary.needed.text()}"
        for name, summaries in found.items()
        for summary in summaries
    }
    rows = [[learner, *(cells.get((learner, name), "-") for name in found)] for learner in learners]
    return table(["learner", *found], rows)


def layers(summaries: Sequence[Summary]) -> str:
    """A table of selectivity / participation / decoding by learner and layer, at the largest training set."""
    head = ["learner", *(f"layer {k}" for k in range(1, len(summaries[0].layers["selectivity"]) + 1))]
    return table(head, [[each.learner, *each.layer_texts(_layer, *LAYER_QUANTITIES)] for each in summaries])


def _layer(selectivity: Spread, participation: Spread, decoding: Spread) -> str:
    return f"{selectivity.mean:.2f} / {participation.mean:.1f} / {decoding.mean:.2f}"


def _code(name: str) -> str:
    """Set names of models in code font."""
    if name.startswith("law "):
        return name.removeprefix("law ")
    names, comma, rest = name.partition(", stable")
    return " / ".join(f"`{part}`" for part in names.split(" / ")) + comma + rest
