"""What sweeps of the hierarchy say: their tables and their sentences."""

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cortexsim.analysis.thresholds import SYMBOLS, Fit, Swept, fit
from cortexsim.runs.tell import new_table, put
from cortexsim.runs.trial import Row

READING = (
    "P*: samples at which the test error is a tenth of that of guessing; geometric mean over grammars (95 % interval).",
    "A learner / another: the ratio of their P*, grammar by grammar. >: beyond the largest P that could be tried.",
)


def tell(found: Sequence[Swept], rows: Sequence[Row], console: Console) -> None:
    """Print P* of every sweep, the ratios to the reference, and how P* grows."""
    for swept in found:
        put(table(swept), console)
        for name in swept.found:
            if line := fit(swept, name):
                console.print(sentence(line), soft_wrap=True)
        console.print()
    for explained in READING:
        console.print(explained, soft_wrap=True)
    if diverged := sorted({row["learner"] for row in rows if row["diverged"]}):
        console.print(f"The weights of {', '.join(diverged)} grew without bound in some runs: lower training.eta.")


def table(swept: Swept) -> Table:
    """Set out P* by learner and value, with the predicted laws below, and the ratios to the reference."""
    symbol = SYMBOLS[swept.varies]
    columns = ["learner", *(f"{symbol} = {value:g}" for value in swept.values)]
    printed = new_table(f"{swept.name}: {swept.title}", columns)
    for name, several in swept.found.items():
        printed.add_row(name, *(threshold.text() for threshold in several))
    for law, predicted in swept.laws.items():
        printed.add_row(f"law {law}", *(f"{value:.0f}" for value in predicted))
    for name in swept.found:
        ratios = [swept.ratio(name, index) for index in range(len(swept.values))]
        if any(ratios):
            printed.add_row(f"{name} / {swept.reference}", *("-" if r is None else r.text(2) for r in ratios))
    return printed


def sentence(line: Fit) -> str:
    """Say how P* grows, beside the laws over the same values."""
    slope, symbol = line.slope, SYMBOLS[line.varies]
    growth = [_grows(line.varies, value) for value in (slope.value, slope.low, slope.high)]
    laws = ", ".join(f"{name} as {_grows(line.varies, steepness)}" for name, steepness in line.laws.items())
    ratio = " a level" if line.varies == "depth" else ""
    left = f"; without {symbol} = {', '.join(f'{value:g}' for value in line.left_out)}" if line.left_out else ""
    interval = f"95 % interval {growth[1]} to {growth[2]}"
    return f"{line.learner}: P* grows as {growth[0]}{ratio} ({interval}{left}); the laws: {laws}."


def _grows(varies: str, steepness: float) -> str:
    return f"x{math.exp(steepness):.2f}" if varies == "depth" else f"{SYMBOLS[varies]}^{steepness:.2f}"
