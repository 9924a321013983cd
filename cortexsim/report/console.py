"""The console: output as wide as the terminal, and tables whose names and numbers stay whole at any width."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from cortexsim.errors import OutputClosed
from cortexsim.verbosity import quiet

if TYPE_CHECKING:
    from cortexsim.config.schema import Model

ROOM = 16  # Characters that a column of words has at least.


class _Output(Console):
    """The standard output."""

    def on_broken_pipe(self) -> None:
        raise OutputClosed


def open_console() -> Console:
    """Open the console, as wide as the terminal, or as tables need where there is none."""
    console = _Output(markup=False, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = 160
    return console


def origin(model: "Model", asked: str | None, console: Console) -> None:
    """Print which file a model was read from, if it was asked for by name, and which Python file its rule runs."""
    if quiet():
        return
    if asked is not None and not (asked.endswith(".toml") or "/" in asked):
        console.print(f"Model {asked} is {model._path}", soft_wrap=True)
    if model.rule is not None and model.rule.name.endswith(".py"):
        console.print(f"Runs the code of {model._path.parent / model.rule.name}", soft_wrap=True)


def new_table(title: str, columns: Sequence[str], caption: str | None = None, left: int = 1) -> Table:
    """Begin a table.

    >>> table = new_table("Accuracy", ["learner", "64 samples"])
    >>> table.add_row("clapp", "0.91")
    >>> [column.justify for column in table.columns]
    ['left', 'right']

    Args:
        title: above the table.
        columns: their heads.
        caption: below the table.
        left: how many columns, from the left, hold words; the others hold numbers.
    """
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right")
    return table


def print_table(table: Table, console: Console) -> None:
    """Print a table with every name and number unbroken: as a table where it fits, otherwise row by row."""
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
    """The lines of a table row by row: its name, and below it every value after the head of its column."""
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
