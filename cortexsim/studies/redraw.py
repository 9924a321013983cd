"""An experiment's README and figures, written again from the rows and outcomes that are kept beside it."""

import re
from collections.abc import Iterable
from pathlib import Path

from cortexsim.analysis.plots import Draw
from cortexsim.config.registry import THRESHOLDS, find_experiment_file, find_experiment_folder
from cortexsim.errors import error_prefix
from cortexsim.report import markdown, search_outcomes
from cortexsim.storage.atomic_io import write_atomically, write_figures
from cortexsim.storage.committed_rows import ROWS, StoredRows
from cortexsim.studies import experiment, thresholds

README = "README.md"
SHOWN = re.compile(r"\]\((?P<name>[^()/]+)\.(?:png|svg)\)")


def redraw(name: str, out: Path | None = None) -> str:
    """Write the tables of a README, and the figures that it shows, and name what was written.

    Where none is named to write to, the README of the whole project gets its tables too: they are named
    ``EXPERIMENT/TABLE`` there.

    Args:
        name: of the experiment, or the path of its folder.
        out: where to; the experiment's own folder unless given.

    Raises:
        UserError: where rows are missing, or a README asks for a table that there is none of.
    """
    text, figures, tables = _made(name)
    folder = find_experiment_folder(name) if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / README, text.encode())
    shown = {match["name"] for match in SHOWN.finditer(text)}
    drawn = {figure: draw for figure, draw in figures.items() if figure in shown}
    write_figures(drawn, folder)
    written = [f"{folder}/{README}", *(f"{figure}.{kind}" for figure in drawn for kind in ("png", "svg"))]
    project = folder.resolve().parent.parent / README
    if out is None and project.exists():
        before = project.read_text(encoding="utf-8")
        if (after := markdown.fill(before, tables, f"{folder.name}/")) != before:
            write_atomically(project, after.encode())
            written.append(str(project))
    return ", ".join(written)


def readme(name: str) -> str:
    """Write the README of an experiment as its rows have it."""
    return _made(name)[0]


def front(text: str, names: Iterable[str]) -> str:
    """Write the README of the project as the rows of experiments have it."""
    for name in names:
        text = markdown.fill(text, _made(name)[2], f"{name}/")
    return text


def _made(name: str) -> tuple[str, dict[str, Draw], dict[str, str]]:
    """Answer with the README of an experiment, with what draws its figures, and with its tables."""
    folder = find_experiment_folder(name)
    tables, figures = search_outcomes.tables(folder), {}
    if not tables or (folder / ROWS).exists():
        path = find_experiment_file(name)
        of_rows, figures = (thresholds if path.name == THRESHOLDS else experiment).again(
            path, StoredRows(folder / ROWS)
        )
        tables |= of_rows
    with error_prefix(f"experiment '{folder.name}'"):
        return markdown.fill((folder / README).read_text(encoding="utf-8"), tables), figures, tables
