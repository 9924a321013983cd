"""An experiment's README and figures, written again from the rows and outcomes that are kept beside it."""

import re
from pathlib import Path

from cortexsim.analysis.plots import Draw
from cortexsim.errors import about
from cortexsim.runs import experiment, markdown, outcomes, thresholds
from cortexsim.runs.files import write_figures, write_whole
from cortexsim.runs.locate import THRESHOLDS, find_experiment_file, find_experiment_folder
from cortexsim.runs.stored import ROWS, Stored

README = "README.md"
SHOWN = re.compile(r"\]\((?P<name>[^()/]+)\.(?:png|svg)\)")


def redraw(name: str, out: Path | None = None) -> str:
    """Write the tables of a README, and the figures that it shows, and name what was written.

    Args:
        name: of the experiment, or the path of its folder.
        out: where to; the experiment's own folder unless given.

    Raises:
        UserError: where rows are missing, or the README asks for a table that there is none of.
    """
    text, figures = readme(name)
    folder = find_experiment_folder(name) if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / README, text.encode())
    shown = {match["name"] for match in SHOWN.finditer(text)}
    drawn = {figure: draw for figure, draw in figures.items() if figure in shown}
    write_figures(drawn, folder)
    return ", ".join([f"{folder}/{README}", *(f"{figure}.{kind}" for figure in drawn for kind in ("png", "svg"))])


def readme(name: str) -> tuple[str, dict[str, Draw]]:
    """Write the README of an experiment as its rows have it, and say how to draw its figures."""
    folder = find_experiment_folder(name)
    tables, figures = outcomes.tables(folder), {}
    if not tables or (folder / ROWS).exists():
        path = find_experiment_file(name)
        of_rows, figures = (thresholds if path.name == THRESHOLDS else experiment).again(path, Stored(folder / ROWS))
        tables |= of_rows
    with about(f"experiment '{folder.name}'"):
        return markdown.fill((folder / README).read_text(encoding="utf-8"), tables), figures
