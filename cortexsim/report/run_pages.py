"""A self-contained HTML page of runs: tables that sort, by mouse or keyboard, a figure, and what differs."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cortexsim.analysis import history, weight_panels
from cortexsim.errors import UserError
from cortexsim.report.html import GENERATOR, cell, inline_svg, write_page
from cortexsim.report.run_index import StoredRun, differences, swept
from cortexsim.storage.atomic_io import write_atomically

Cells = tuple[list[str], list[list[str]]]  # Head and rows of a table.
LAYERED = ("selectivity", "participation", "decoding")
RESULTS = ("accuracy", "chance", *LAYERED, "spikes", "synaptic_operations", "multiply_adds", "seconds", "cpu_seconds")


def write(path: Path, runs: Sequence[StoredRun], figure: Path | None = None) -> Path:
    """Write a page that sets runs side by side, whole or not at all.

    Args:
        path: of the page.
        runs: what it is about.
        figure: path to write its figure to as well, as SVG.

    Returns:
        The path of the page.
    """
    rows = {run.name: run.row for run in runs if run.row is not None}
    numbers = {run.name: str(number) for number, run in enumerate(runs, 1)}
    drawn = io.StringIO()
    history.runs(
        {numbers[name]: row for name, row in rows.items()},
        {numbers[run.name]: run.metrics for run in runs},
        swept(list(runs)),
    ).savefig(drawn, format="svg")
    if figure is not None:
        write_atomically(figure, drawn.getvalue().encode())
    return write_page(
        path,
        "runs.html.j2",
        title=runs[0].name if len(runs) == 1 else f"{len(runs)} runs",
        results=_results(runs, depth=max((len(row["decoding"]) for row in rows.values()), default=0)),
        figure=inline_svg(drawn.getvalue()),
        weights=_weights(runs[0]) if len(runs) == 1 else None,
        single=len(runs) == 1,
        settings=_settings(list(runs)),
    )


def see_replaceable(path: Path) -> None:
    """Check, before anything is read, that a page may be written: there is none, or one of this package.

    >>> notes = Path("notes.html")
    >>> see_replaceable(notes)
    >>> _ = notes.write_text("<html>My own notes</html>")
    >>> see_replaceable(notes)
    Traceback (most recent call last):
    cortexsim.errors.UserError: --out notes.html: is there, and no report of cortexsim (give another name)

    Raises:
        UserError: where something else is.
    """
    try:
        with path.open("rb") as file:
            if GENERATOR.encode() in file.read(1000):
                return
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"--out {path}: {error.strerror} (name a page, such as report.html)") from None
    raise UserError(f"--out {path}: is there, and no report of cortexsim (give another name)")


def _weights(run: StoredRun) -> Markup | None:
    """Draw the weights of a run over time; None where they were not recorded."""
    if (found := run.folder.weights_over_time) is None:
        return None
    drawn = io.StringIO()
    weight_panels.courses(found).savefig(drawn, format="svg")
    return inline_svg(drawn.getvalue())


def _results(runs: Sequence[StoredRun], depth: int) -> Cells:
    """Tabulate the results of runs; a quantity of layers has as many columns as the deepest run has layers."""
    head = ["#", "run", "model", "samples", "test samples", "grammar", "seed"]
    for key in RESULTS:
        name = key.replace("_", " ")
        head += [f"{name} {k}" for k in range(1, depth + 1)] if key in LAYERED else [name]
    lines = []
    for number, run in enumerate(runs, 1):
        trial, row = run.folder.trial, run.row or {}
        sizes = (trial.samples, trial.test_samples)
        line = [number, run.name, trial.model.name, *sizes, trial.grammar_seed, trial.seed]
        for key in RESULTS:
            value = row.get(key)
            line += [*(value or []), *[None] * (depth - len(value or []))] if key in LAYERED else [value]
        lines.append([cell(value) for value in [*line, run.state]])
    return [*head, "state"], lines


def _settings(runs: list[StoredRun]) -> Cells:
    """Tabulate the settings in which runs differ; of a single run, all settings."""
    if len(runs) == 1:
        settings: dict[str, list[Any]] = {key: [value] for key, value in runs[0].configuration().items()}
    else:
        settings = differences(runs)
    heads = [f"{number}: {run.name}" if len(runs) < 5 else str(number) for number, run in enumerate(runs, 1)]
    return ["setting", *heads], [[key, *map(cell, values)] for key, values in settings.items()]
