"""What a comparison says: its tables and its sentences."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from cortexsim.analysis.sample_complexity import COARSE
from cortexsim.analysis.summary import COSTS, LAYER_QUANTITIES, Spread, Summary
from cortexsim.errors import OutputClosed

if TYPE_CHECKING:
    from cortexsim.config.schema import Model

ROOM = 16  # Letters that a column of words has at least.


class _Output(Console):
    """The standard output."""

    def on_broken_pipe(self) -> None:
        raise OutputClosed


def open_console() -> Console:
    """Open the console: as wide as the terminal, or as a table needs where there is none."""
    console = _Output(markup=False, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = 160
    return console


def origin(model: "Model", asked: str | None, console: Console) -> None:
    """Say which file a model was read from, where it was asked for by name, and whose code its rule is."""
    if asked is not None and not (asked.endswith(".toml") or "/" in asked):
        console.print(f"Model {asked} is {model._path}", soft_wrap=True)
    if model.rule is not None and model.rule.name.endswith(".py"):
        console.print(f"Runs the code of {model._path.parent / model.rule.name}", soft_wrap=True)


def new_table(title: str, columns: Sequence[str], caption: str | None = None, left: int = 1) -> Table:
    """Begin a table whose first columns, so many, hold words, and the others figures."""
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right")
    return table


def print_table(table: Table, console: Console) -> None:
    """Print a table so that every name and figure stays whole: side by side where there is room, else row by row."""
    title, caption, table.title, table.caption = table.title, table.caption, None, None
    if title:
        console.print(title, style="italic", soft_wrap=True)
    for index, column in enumerate(table.columns):
        cells = [str(cell) for cell in column.cells]
        words = [word for text in (str(column.header), *cells) for word in text.split()]
        whole = index == 0 or column.justify == "right"  # All others hold words, which may go on in the next line.
        needed = max(map(len, cells), default=0)
        column.min_width = max([needed if whole else min(ROOM, needed), *map(len, words)])
    if table.__rich_measure__(console, console.options.update(max_width=10_000)).minimum <= console.width:
        console.print(table)
    else:
        for line in _stacked(table, console.width):
            console.print(line, soft_wrap=True)
        console.print()
    if caption:
        console.print(caption, style="dim italic", soft_wrap=True)


def _stacked(table: Table, width: int) -> Iterator[str]:
    """Write out a table row by row: its name, and below it every value after the head of its column."""
    first, *heads = (str(column.header) for column in table.columns)
    for name, *values in zip(*(map(str, column.cells) for column in table.columns), strict=True):
        if name:
            yield f"{first} {name}" if name.replace(".", "").isdigit() else name
        line = ""
        for item in (f"{head}: {value}" for head, value in zip(heads, values, strict=True) if value):
            if line and len(line) + len(item) + 3 > width:
                yield line
                line = ""
            line = f"{line}   {item}" if line else f"  {item}"
            if len(line) > width:
                *above, line = wrap(
                    line, max(width, 20), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
                )
                yield from above
        if line:
            yield line


def accuracy_table(summaries: Sequence[Summary], title: str, tested: int) -> Table:
    """Set out accuracy on so many test samples by learner and samples, mean and standard deviation over seeds."""
    columns = ["learner", "context", "labels for", *(f"P = {size}" for size in summaries[0].samples), "samples needed*"]
    caption, costs = f"Accuracy on {tested} test samples, mean ± standard deviation over seeds.", []
    if any(summary.cost for summary in summaries):
        caption += " Spikes, and synapses that they reach, of one sample."
        costs = list(COSTS)
    table = new_table(title, [*columns, *(name.replace("_", " ") for name in costs)], caption, left=3)
    for summary in summaries:
        cells = [str(spread) for spread in summary.accuracy.values()]
        spent = [f"{summary.cost[name].mean:.0f}" if name in summary.cost else "-" for name in costs]
        table.add_row(summary.learner, summary.context, summary.labels, *cells, summary.needed.text(), *spent)
    return table


def layer_table(summaries: Sequence[Summary]) -> Table:
    """Set out selectivity, participation and decoding by learner and layer."""
    caption = (
        "Each layer against the latents of its own level, or the labels where none are known: selectivity for them /"
        " participation ratio / linear decoding."
        " In brackets: a layer that was not trained."
    )
    most = max(len(summary.layers["selectivity"]) for summary in summaries)
    columns = ["learner", *(f"layer {k}" for k in range(1, most + 1))]
    table = new_table(f"What the layers have learned at P = {summaries[0].samples[-1]}", columns, caption)
    for summary in summaries:
        table.add_row(summary.learner, *summary.layer_texts(_layer_text, *LAYER_QUANTITIES))
    return table


def _layer_text(selectivity: Spread, participation: Spread, decoding: Spread) -> str:
    return f"{selectivity.mean:.2f} / {participation.mean:.1f} / {decoding.mean:.2f}"


def findings(
    summaries: Sequence[Summary], rows: Sequence[Mapping[str, Any]], predicted: Mapping[str, float]
) -> list[str]:
    """Say in words what the figures say, and nothing else."""
    lines = [
        "* P*: from here on the test error is at most a tenth of that of guessing: geometric mean over grammars (95 %"
        f" interval), or the sizes that enclose it where they are a factor of {COARSE:g} or more apart (cortexsim"
        f" threshold looks closer); chance is {rows[0]['chance']:.3f}."
    ]
    if predicted:
        values = ", ".join(f"{name} = {value:.0f}" for name, value in predicted.items())
        lines.append(f"Predicted, up to a factor of order one: {values}.")
    reference = next((summary for summary in summaries if summary.rule == "backprop"), None)
    control = next((summary for summary in summaries if summary.rule == "untrained"), None)
    others = [summary for summary in summaries if summary not in (reference, control)]
    lines += [_sentence(summary, reference, control) for summary in others]
    if diverged := sorted({row["learner"] for row in rows if row["diverged"]}):
        lines.append(f"The weights of {', '.join(diverged)} grew without bound in some runs: lower training.eta.")
    for learner in sorted({row["learner"] for row in rows if row.get("clipped")}):
        most = max(row.get("clipped") or 0.0 for row in rows if row["learner"] == learner)
        lines.append(f"{learner}: in a run, {most:.1%} of the activity below spiking layers is more than spikes carry.")
    return lines


def _sentence(summary: Summary, reference: Summary | None, control: Summary | None) -> str:
    largest = summary.samples[-1]
    beside = f" (untrained control {control.accuracy[largest]})" if control else ""
    final = f"accuracy {summary.accuracy[largest]} at {largest}{beside}"
    if summary.needed.beyond:
        count, all_ = summary.needed.beyond, len(summary.needed.high)
        where = "" if count == all_ else f" on {count} of {all_} grammars"
        return f"{summary.learner} has not learned the task with {largest} samples{where}: {final}."
    text = f"{summary.learner} learns the task with {summary.needed.text()} samples: {final}"
    ratio = None if reference is None else summary.needed.over(reference.needed)
    if reference is None or ratio is None or ratio.censored or summary.needed.coarse or reference.needed.coarse:
        return f"{text}."
    return f"{text}; {reference.learner} needs {reference.needed.text()}, a ratio of {ratio.text(2)}."
