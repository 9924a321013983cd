"""A page per card: the experiment, its data, what passes, and every rule beside it."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cortexsim.analysis import card_panels
from cortexsim.protocols.cards import Card, Outcome, known_cards
from generator.text import about, code, fence, page, prose, section, table

Outcomes = Mapping[str, Sequence[Outcome]]


def pages(outcomes: Outcomes) -> dict[str, str]:
    """Write the page of every card, and the table of all cards.

    Args:
        outcomes: of each rule and variant, by its name.
    """
    texts = {f"cards/{card.name}.md": _page(card, _of(card, outcomes)) for card in known_cards().values()}
    return texts | {"cards/_table.md": _overview(outcomes)}


def draw(outcomes: Outcomes, folder: Path) -> None:
    """Draw the figures that pages of cards show.

    Args:
        outcomes: as of `pages`.
        folder: of generated pages.
    """
    for card in known_cards().values():
        for name, outcome in _shown(_of(card, outcomes)).items():
            card_panels.figure(outcome).savefig(folder / "cards" / _figure(card, name), dpi=110)


def _of(card: Card, outcomes: Outcomes) -> dict[str, Outcome]:
    return {name: next(o for o in row if o.card.name == card.name) for name, row in outcomes.items()}


def _shown(outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """The rules that pass a card, or else all that can be asked; of a rule and its variants the first."""
    asked = {name: outcome for name, outcome in outcomes.items() if outcome.points}
    shown = {name: outcome for name, outcome in asked.items() if outcome.verdict == "pass"} or asked
    first = {name.partition(":")[0]: name for name in reversed(shown)}
    return {name: outcome for name, outcome in shown.items() if name in first.values()}


def _figure(card: Card, name: str) -> str:
    return f"{card.name}-{name.replace(':', '-')}.png"


def _overview(outcomes: Outcomes) -> str:
    rows = [
        (
            f"[`{card.name}`](../generated/cards/{card.name}.md)",
            card.title,
            card.source,
            prose(card.criterion),
            ", ".join(code(name) for name, o in _of(card, outcomes).items() if o.verdict == "pass") or "none",
        )
        for card in known_cards().values()
    ]
    return table(["card", "finding", "source", "passes", "rules that pass"], rows)


def _page(card: Card, outcomes: Mapping[str, Outcome]) -> str:
    shown = {name: f"{code(name)} beside the data" for name in _shown(outcomes)}
    figures = "\n\n".join(f"![{text}]({_figure(card, name)})\n\n*{text}*" for name, text in shown.items())
    given = f"The experiment gives {' and '.join(sorted(card.modulators))}." if card.modulators else ""
    rule = next(iter(_shown(outcomes)), "my_rule.py")
    return page(
        card.title,
        f"Card {code(card.name)}, *{card.source}*",
        about(sys.modules[card.measure.__module__]),
        given,
        f"**What passes:** {prose(card.criterion)}.",
        figures,
        section("Run it", fence(f"cortexsim protocol {card.name} --rule {rule}", "sh")),
        section("Data", _data(card, outcomes)),
        section("Rules beside it", _verdicts(outcomes)),
    )


def _data(card: Card, outcomes: Mapping[str, Outcome]) -> str:
    outcome = next(iter(_shown(outcomes).values()), None)
    known = [point for point in outcome.points if point.data is not None] if outcome is not None else []
    rows = [(p.series, f"{p.x:g}", f"{p.data:.4g}", f"{p.error:.3g}" if p.error else "-") for p in known]
    return table(["series", card.axes[0], card.axes[1], "s.e.m."], rows) or "A criterion without points of data."


def _verdicts(outcomes: Mapping[str, Outcome]) -> str:
    asked = [(_link(name), o.verdict, prose(o.number)) for name, o in outcomes.items() if o.points]
    reasons: dict[str, list[str]] = {}
    for name, outcome in outcomes.items():
        if not outcome.points:
            reasons.setdefault(outcome.number, []).append(_link(name))
    others = [(", ".join(names), prose(reason)) for reason, names in reasons.items()]
    refused = table(["cannot be asked", "because"], others)
    return table(["rule", "verdict", "the number that decides"], asked) + "\n\n" + refused


def _link(name: str) -> str:
    return f"[`{name}`](../rules/{name.partition(':')[0]}.md)"
