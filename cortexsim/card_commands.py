"""Commands that put rules to plasticity experiments: protocol, for one; cards, for all; fit, constants to one."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cortexsim.errors import UserError
from cortexsim.report.console import open_console, print_table
from cortexsim.verbosity import quiet

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


def fit(
    rule: Annotated[str, typer.Argument(help=RULE_HELP)],
    to: Annotated[str, typer.Option(help="Name of an experiment with measured points, such as frequency.")],
    constants: Annotated[
        str, typer.Option(help="Constants to fit, with commas between; tau_NAME is a time constant. All unless given.")
    ] = "",
    starts: Annotated[int, typer.Option(min=1, help="How often to begin, first at the rule's own constants.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the other beginnings.")] = 0,
    out: Annotated[Path, typer.Option(help="The rule file to write, .py; a figure goes beside it.")] = Path(
        "fitted.py"
    ),
) -> None:
    """Fit the constants of a rule to the measured points of an experiment: intervals, profiles, and a rule file.

    A rule in a Python file is code, and is run.
    """
    from cortexsim.analysis import fit_panels
    from cortexsim.protocols import fitting
    from cortexsim.protocols.cards import find_card
    from cortexsim.protocols.least_squares import Problem
    from cortexsim.report import fitted
    from cortexsim.rules import load_rule

    fitted.see_replaceable(out, rule)
    console, names = open_console(), [name.strip() for name in constants.split(",") if name.strip()]
    problem = Problem(load_rule(rule), find_card(to), names)
    try:
        found = fitting.fit(problem, starts, seed, _progress(console))
    except KeyboardInterrupt:
        console.print("Interrupted. Nothing was written.")
        raise
    print_table(fitted.table(found), console)
    fitted.write(out, found, rule)
    picture = out.with_suffix(".png")
    fit_panels.figure(found).savefig(picture, dpi=150)
    console.print(f"Written: {out} (cortexsim protocol {to} --rule {out}), {picture}", soft_wrap=True)


def _progress(console: Console) -> Callable[[int, int, str], None]:
    """Print each step with the time that is left, unless only results are asked for."""
    start = time.monotonic()

    def say(done: int, total: int, what: str) -> None:
        left = (time.monotonic() - start) / done * (total - done)
        if not quiet():
            console.print(f"{done}/{total}, {left:.0f} s left: {what}", soft_wrap=True)

    return say
