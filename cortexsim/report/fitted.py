"""What a fit found: a table for the console, and a Python file with the rule, which every command accepts."""

import os
import re
from pathlib import Path

from rich.table import Table

from cortexsim.errors import UserError
from cortexsim.protocols.fitting import Fit, Profile
from cortexsim.report.console import new_table
from cortexsim.report.html import cell
from cortexsim.storage.atomic_io import write_atomically

FIRST = '"""Written by cortexsim fit: '
FILE = '''{first}rule '{name}' with constants fitted to the points of {source}."""

from pathlib import Path

from cortexsim.rules import load_rule
from cortexsim.rules.tuning import tuned

CONSTANTS = {{
{constants}
}}  # Time constants in s. Mean squared deviation {before:.4g} before, {after:.4g} after.
RULE = tuned(load_rule({rule!r}, beside=Path(__file__).parent), CONSTANTS)
'''
SOURCE = re.compile(r"^RULE = tuned\(load_rule\('(.+?)'", re.MULTILINE)


def table(fit: Fit) -> Table:
    """Tabulate the constants before and after, with their intervals, and the error.

    Args:
        fit: of a rule to a card.
    """
    head = ["constant", "start", "fitted", "interval (95 %)"]
    before, after = fit.errors
    unit = " s.e.m.^2" if fit.weighted else ""
    caption = f"Mean squared deviation E: {before:.4g} before, {after:.4g} after{unit}"
    title = f"Rule {fit.rule.name} fitted to {fit.card.name} ({fit.card.source})"
    found = new_table(title, head, f"{caption}; an open interval is not determined by these points")
    for name, profile in fit.profiles.items():
        scale, label = (1e3, f"{name} [ms]") if name in fit.times else (1.0, name)
        values = (cell(float(value * scale)) for value in (profile.start, profile.fitted))
        found.add_row(label, *values, _interval(profile, scale))
    return found


def _interval(profile: Profile, scale: float) -> str:
    """Write an interval; an end that the profile does not reach is an inequality."""
    low, high = (None if end is None else cell(float(end * scale)) for end in (profile.low, profile.high))
    ends = [cell(float(profile.values[i] * scale)) for i in (0, -1)]
    if low is None and high is None:
        return f"open from {ends[0]} to {ends[1]}"
    if low is None:
        return f"< {high}"
    return f"> {low}" if high is None else f"{low} to {high}"


def see_replaceable(path: Path, rule: str) -> None:
    """Check that a rule file can be written.

    Args:
        path: of the file.
        rule: the rule that is fitted, as of `load_rule`.

    Raises:
        UserError: where it does not end in .py, a file is there that no fit wrote, or the rule is defined by it.
    """
    if path.suffix != ".py":
        raise UserError(f"--out {path}: not a Python file (.py)")
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(FIRST):
        raise UserError(f"--out {path}: is there, and no fit wrote it (another name)")
    if path.resolve() in _files_of(rule):
        raise UserError(f"--out {path}: rule '{rule}' is defined by this file (another name)")


def _files_of(rule: str) -> set[Path]:
    """The file of a rule, and, of one that was fitted, that of the rule before, and so on."""
    found: set[Path] = set()
    while rule.endswith(".py") and (path := Path(rule).resolve()).is_file() and path not in found:
        found.add(path)
        before = SOURCE.search(path.read_text(encoding="utf-8", errors="replace"))
        rule = "" if before is None else str(path.parent / before[1])
    return found


def write(path: Path, fit: Fit, rule: str) -> Path:
    """Write a file that defines the fitted rule.

    >>> from cortexsim.protocols.cards import find_card
    >>> from cortexsim.protocols.fitting import fit
    >>> from cortexsim.protocols.least_squares import Problem
    >>> from cortexsim.rules import load_rule
    >>> found = fit(Problem(load_rule("stdp_pair"), find_card("pair_window"), ["potentiation"]), starts=1, seed=0)
    >>> path = write(Path("fitted.py"), found, "stdp_pair")
    >>> [round(rule.constants["potentiation"], 3) for rule in (load_rule("stdp_pair"), load_rule(str(path)))]
    [0.013, 0.014]

    Args:
        path: of the file.
        fit: of the rule.
        rule: the rule that was fitted, as of `load_rule`.
    """
    if rule.endswith(".py"):
        rule = os.path.relpath(rule, path.parent)
    constants = "\n".join(f"    {name!r}: {value!r}," for name, value in fit.values.items())
    (before, after), about = fit.errors, {"name": fit.rule.name, "source": fit.card.source, "rule": rule}
    text = FILE.format(first=FIRST, constants=constants.replace("'", '"'), before=before, after=after, **about)
    write_atomically(path, text.encode())
    return path
