"""Commands that put rules to plasticity experiments: protocol, for one experiment, and cards, for all."""

from pathlib import Path
from typing import Annotated

import typer

from cortexsim.errors import UserError
from cortexsim.report.console import open_console, print_table

RULE_HELP = "Name of a rule, path of a .py file that defines RULE, or package.module:VARIABLE."


def protocol(
    name: Annotated[str, typer.Argument(help="Name of an experiment, such as pair_window or frequency.")],
    rule: Annotated[str, typer.Option(help=RULE_HELP)] = "stdp_triplet",
    out: Annotated[Path, typer.Option(help="The figure to write, .png, .svg or .pdf.")] = Path("protocol.png"),
) -> None:
    """Run one plasticity experiment on a rule: a table beside the data, and a figure.

    A rule in a Python file is code, and is run.
    """
    from cortexsim.analysis import card_panels
    from cortexsim.protocols.cards import find_card
    from cortexsim.report import cards_page
    from cortexsim.rules import load_rule

    if out.suffix not in (".png", ".svg", ".pdf"):
        raise UserError(f"--out {out}: not a figure (.png, .svg or .pdf)")
    console, card, found = open_console(), find_card(name), load_rule(rule)
    outcome = card.examine(found)
    if outcome.verdict == "not applicable":
        raise UserError(f"protocol '{name}' cannot be asked of rule '{found.name}': {outcome.number}")
    print_table(cards_page.points_table(outcome), console)
    card_panels.figure(outcome).savefig(out, dpi=150)
    console.print(f"Written: {out}", soft_wrap=True)


def cards(
    rule: Annotated[list[str] | None, typer.Argument(help=f"{RULE_HELP} All rules unless given.")] = None,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("cards.html"),
) -> None:
    """Put rules to all plasticity experiments: which passes which, and an HTML page with figures and numbers.

    A rule in a Python file is code, and is run.
    """
    from cortexsim.report import cards_page, run_pages
    from cortexsim.studies.scorecard import examine

    run_pages.see_replaceable(out)
    console = open_console()
    outcomes = examine(rule or [], console)
    print_table(cards_page.matrix(outcomes), console)
    cards_page.write(out, outcomes)
    console.print(f"Written: {out}", soft_wrap=True)
