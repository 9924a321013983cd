"""Sweeps of hierarchies in tables and sentences."""

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cortexsim.analysis.sample_complexity import Spread, brackets
from cortexsim.analysis.thresholds import SYMBOLS, Fit, SweepThresholds, fit
from cortexsim.report import markdown as pages
from cortexsim.report.console import new_table, print_table
from cortexsim.studies.sweep_result import SweepResult

READING = (
    "P*: from here on the test error is at most a tenth of that of guessing; geometric mean over grammars (95 %"
    " interval, widened by the step from size to size).",
    "A learner / another: the ratio of their P*, grammar by grammar. >: beyond the largest P that could be tried."
    " Stable: how many runs, of all grammars and seeds, meet the criterion with 1.4 times P*.",
)


def print_tables(found: Sequence[SweepResult], console: Console) -> None:
    """Print P* of every sweep, the ratios to the reference, and how P* scales."""
    for each in found:
        print_table(table(each.swept), console)
        for line in [*growth(each.swept), *spread(each)]:
            console.print(line, soft_wrap=True)
        console.print()
    for explained in READING:
        console.print(explained, soft_wrap=True)
    for line in warnings(found):
        console.print(line, soft_wrap=True)


def warnings(found: Sequence[SweepResult]) -> list[str]:
    """Warnings about learners whose weights diverged."""
    diverged = sorted({row["learner"] for each in found for row in each.rows if row["diverged"]})
    if not diverged:
        return []
    return [f"The weights of {', '.join(diverged)} grew without bound in some runs: lower training.eta."]


def table(swept: SweepThresholds) -> Table:
    """Tabulate P* by learner and value, followed by the predicted laws and the ratios to the reference."""
    head, rows = _cells(swept)
    printed = new_table(f"{swept.name}: {swept.title}", head)
    for row in rows:
        printed.add_row(*row)
    return printed


def markdown(swept: SweepThresholds) -> str:
    """The same table in Markdown, for a README."""
    return pages.table(*_cells(swept))


def growth(swept: SweepThresholds) -> list[str]:
    """A sentence for every learner on how its P* scales, where that can be fitted.

    >>> from cortexsim.analysis.sample_complexity import Threshold
    >>> low, high = [(90.0, 95.0), (360.0, 400.0), (1500.0, 1600.0)], [(110.0, 115.0), (440.0, 460.0), (1800.0, 1900.0)]
    >>> needed = tuple(map(Threshold, low, high))  # Of two grammars, at each depth.
    >>> laws = {"n_c m^L": (128.0, 512.0, 2048.0)}
    >>> growth(SweepThresholds("depth", "depth", "v = 8, m = 4", (2, 3, 4), laws, {"clapp": needed}, reference=None))
    ['clapp: P* grows as x4.07 a level (95 % interval x3.86 to x4.30); the laws: n_c m^L as x4.00.']
    """
    return [sentence(line) for name in swept.thresholds if (line := fit(swept, name))]


def spread(found: SweepResult) -> list[str]:
    """A sentence for every learner and value on how P* varies between seeds and between grammars, where it is known."""
    symbol, lines = SYMBOLS[found.swept.varies], []
    for name in found.swept.thresholds:
        for value in found.swept.values:
            if (factors := Spread.of(brackets(found.searched(name, value)))) is not None:
                lines.append(
                    f"{name}, {symbol} = {value:g}: one standard deviation of P* is a factor of {factors.seeds:.2f}"
                    f" between seeds of a grammar, and of {factors.grammars:.2f} between grammars."
                )
    return lines


def _cells(swept: SweepThresholds) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table of P*."""
    symbol, places = SYMBOLS[swept.varies], range(len(swept.values))
    rows = [[name, *(threshold.text() for threshold in several)] for name, several in swept.thresholds.items()]
    rows += [[f"law {law}", *(f"{value:.0f}" for value in predicted)] for law, predicted in swept.laws.items()]
    for name in swept.thresholds:
        ratios = [swept.ratio(name, index) for index in places]
        if any(ratios):
            rows.append([f"{name} / {swept.reference}", *("-" if r is None else r.text(2) for r in ratios)])
    for name, several in swept.stability.items():
        if any(several):
            rows.append([f"{name}, stable", *("-" if stable is None else str(stable) for stable in several)])
    return ["learner", *(f"{symbol} = {value:g}" for value in swept.values)], rows


def sentence(line: Fit) -> str:
    """State how P* scales, and how the laws do over the same values."""
    slope, symbol = line.slope, SYMBOLS[line.varies]
    growth = [_grows(line.varies, value) for value in (slope.value, slope.low, slope.high)]
    laws = ", ".join(f"{name} as {_grows(line.varies, steepness)}" for name, steepness in line.laws.items())
    ratio = " a level" if line.varies == "depth" else ""
    left = f"; without {symbol} = {', '.join(f'{value:g}' for value in line.left_out)}" if line.left_out else ""
    interval = f"95 % interval {growth[1]} to {growth[2]}"
    return f"{line.learner}: P* grows as {growth[0]}{ratio} ({interval}{left}); the laws: {laws}."


def _grows(varies: str, steepness: float) -> str:
    return f"x{math.exp(steepness):.2f}" if varies == "depth" else f"{SYMBOLS[varies]}^{steepness:.2f}"
