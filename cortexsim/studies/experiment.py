"""Experiments: a folder with a claim, which is run as one study, and whose README and figures come from its rows."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from cortexsim.analysis.plots import Draw
from cortexsim.config.registry import COMPARISONS, PROGRAM, THRESHOLDS, find_experiment_file, find_experiment_folder
from cortexsim.errors import error_prefix
from cortexsim.report import markdown, search_outcomes
from cortexsim.storage.atomic_io import write_atomically, write_figures
from cortexsim.storage.committed_rows import ROWS
from cortexsim.studies import reproducing
from cortexsim.studies.comparison_experiment import ComparisonExperiment
from cortexsim.studies.engine import Engine
from cortexsim.studies.program_experiment import ProgramExperiment
from cortexsim.studies.thresholds import ThresholdExperiment

README = "README.md"
SHOWN = re.compile(r"\]\((?P<name>[^()/]+)\.(?:png|svg)\)")


class Experiment(Protocol):
    """What every kind of experiment offers."""

    @property
    def description(self) -> str:
        """What the experiment is about."""

    @property
    def configuration(self) -> dict[str, Any]:
        """Everything that the rows depend on."""

    def run(self, engine: Engine) -> str:
        """Measure what is not measured yet, and return the names of the files that were written."""

    def from_rows(self, path: Path) -> tuple[dict[str, str], dict[str, Draw]]:
        """Make tables and figures from committed rows alone, by name."""


KINDS: dict[str, Callable[[Path, str, bool], Experiment]] = {
    COMPARISONS: ComparisonExperiment.open,
    THRESHOLDS: ThresholdExperiment.open,
    PROGRAM: ProgramExperiment.open,
}


def open_experiment(name: str, device: str = "cpu", quick: bool = False) -> Experiment:
    """Read an experiment by its name, or by the path of its folder.

    >>> open_experiment("no_structure").description
    'At f = 1 all strings are equally likely, and a label-free rule has nothing to learn'

    Args:
        name: of the experiment.
        device: ``cpu``, ``cuda`` or ``mps``.
        quick: whether to take its quick look.

    Raises:
        UserError: one line naming file, key and value; or where there is no such experiment, or no quick look.
    """
    path = find_experiment_file(name)
    return KINDS[path.name](path, device, quick)


def redraw(name: str, out: Path | None = None) -> str:
    """Write the tables of an experiment's README, and the figures that it shows, from committed rows.

    Without ``out``, its tables in the README of the whole project, where they are named ``EXPERIMENT/TABLE``, are
    written too, and the list of all experiments in ``REPRODUCING.md``.

    Args:
        name: of the experiment, or the path of its folder.
        out: folder to write to; the experiment's own unless given.

    Returns:
        The names of the files that were written.

    Raises:
        UserError: where rows are missing, or a README names a table that does not exist.
    """
    text, figures, tables = _made(name)
    folder = find_experiment_folder(name) if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / README, text.encode())
    shown = {match["name"] for match in SHOWN.finditer(text)}
    drawn = {figure: draw for figure, draw in figures.items() if figure in shown}
    write_figures(drawn, folder)
    written = [f"{folder}/{README}", *(f"{figure}.{kind}" for figure in drawn for kind in ("png", "svg"))]
    if out is None:
        project = folder.resolve().parent.parent
        written += _refill(project / README, lambda text: markdown.fill(text, tables, f"{folder.name}/"))
        written += _refill(project / reproducing.FILE, reproducing.listed)
    return ", ".join(written)


def _refill(path: Path, fill: Callable[[str], str]) -> list[str]:
    """Write the tables of a file anew, and return its name if that has changed it."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if not before or (after := fill(before)) == before:
        return []
    write_atomically(path, after.encode())
    return [str(path)]


def readme(name: str) -> str:
    """The README of an experiment, with tables made from its rows."""
    return _made(name)[0]


def front(text: str, names: Iterable[str]) -> str:
    """The README of the project, with tables made from the rows of experiments.

    Args:
        text: of the README.
        names: of the experiments.
    """
    for name in names:
        text = markdown.fill(text, _made(name)[2], f"{name}/")
    return text


def _made(name: str) -> tuple[str, dict[str, Draw], dict[str, str]]:
    """The README of an experiment, its figures, and its tables."""
    folder = find_experiment_folder(name)
    tables: dict[str, str] = search_outcomes.tables(folder)
    figures: dict[str, Draw] = {}
    if not tables or (folder / ROWS).exists():
        of_rows, figures = open_experiment(name).from_rows(folder / ROWS)
        tables |= of_rows
    with error_prefix(f"experiment '{folder.name}'"):
        return markdown.fill((folder / README).read_text(encoding="utf-8"), tables), figures, tables
