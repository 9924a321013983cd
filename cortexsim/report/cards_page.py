"""Rules beside plasticity experiments: tables for the console, and one self-contained HTML page."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from cortexsim.analysis import card_panels
from cortexsim.protocols.cards import Outcome
from cortexsim.report.console import new_table
from cortexsim.report.html import cell, inline_svg, write_page

SHORT = {"pass": "pass", "fail": "fail", "not applicable": "-"}
POINT_HEAD = ["series", "x", "rule", "data", "s.e.m.", "deviation [s.e.m.]"]


def matrix(outcomes: Mapping[str, Sequence[Outcome]]) -> Table:
    """Tabulate rules by card: pass, fail, or not applicable.

    >>> from cortexsim.protocols.cards import find_card
    >>> from cortexsim.rules import load_rule
    >>> outcomes = {name: [find_card("frequency").examine(load_rule(name))] for name in ("stdp_pair", "stdp_triplet")}
    >>> matrix(outcomes).row_count
    2

    Args:
        outcomes: of each rule, by its name, in the order of the cards.
    """
    cards = [outcome.card.name for outcome in next(iter(outcomes.values()))]
    table = new_table("Cards", ["rule", *cards], "- not applicable: the page says why", left=len(cards) + 1)
    for name, row in outcomes.items():
        table.add_row(name, *(SHORT[outcome.verdict] for outcome in row))
    return table


def points_table(outcome: Outcome) -> Table:
    """Tabulate the conditions of one card."""
    title = f"{outcome.card.title} ({outcome.card.source}); x: {outcome.card.axes[0]}"
    table = new_table(title, POINT_HEAD, f"{outcome.verdict}: {outcome.number}; {outcome.card.criterion}")
    for row in _rows(outcome):
        table.add_row(*row)
    return table


def write(path: Path, outcomes: Mapping[str, Sequence[Outcome]]) -> Path:
    """Write the page: the matrix, and of each rule that passes or fails a card, figure and numbers.

    Args:
        path: of the page.
        outcomes: as of `matrix`.
    """
    first = next(iter(outcomes.values()))
    reasons = [[name, o.card.name, o.number] for name, row in outcomes.items() for o in row if not o.points]
    return write_page(
        path,
        "cards.html.j2",
        title="Rules beside plasticity experiments",
        cards=(["card", "finding", "passes", "source"], [_about(outcome) for outcome in first]),
        matrix=(
            ["rule", *(outcome.card.name for outcome in first)],
            [[name, *(_verdict(outcome) for outcome in row)] for name, row in outcomes.items()],
        ),
        details=[
            (f"{name}: {o.card.name}", o.verdict, o.number, _drawn(o), (POINT_HEAD, _rows(o)))
            for name, row in outcomes.items()
            for o in row
            if o.points
        ],
        reasons=(["rule", "card", "why it cannot be asked"], reasons),
    )


def _about(outcome: Outcome) -> list[str]:
    card = outcome.card
    return [card.name, card.title, card.criterion, card.source]


def _verdict(outcome: Outcome) -> str:
    return SHORT[outcome.verdict] if not outcome.points else f"{outcome.verdict}: {outcome.number}"


def _rows(outcome: Outcome) -> list[list[str]]:
    return [[cell(v) for v in (p.series, float(p.x), p.model, p.data, p.error, p.deviation)] for p in outcome.points]


def _drawn(outcome: Outcome) -> str:
    text = io.StringIO()
    card_panels.figure(outcome).savefig(text, format="svg")
    return inline_svg(text.getvalue())
