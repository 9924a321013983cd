"""A self-contained HTML page of runs: tables that sort, by mouse or keyboard, a figure, and what differs."""

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from cortexsim.analysis import history
from cortexsim.errors import UserError
from cortexsim.report.comparison_page import GENERATOR, STYLE, short, table
from cortexsim.report.run_index import Found, differences
from cortexsim.storage.atomic_io import write_atomically

SORT = """
for (const head of document.querySelectorAll('table.sorts th')) {
  head.addEventListener('click', () => {
    const body = head.closest('table').tBodies[0], column = head.cellIndex;
    const down = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    const value = row => row.cells[column].textContent;
    const both = (a, b) => a !== '' && b !== '' && isFinite(a) && isFinite(b);
    const rows = [...body.rows].sort((a, b) => down * (both(value(a), value(b))
      ? value(a) - value(b) : value(a).localeCompare(value(b))));
    for (const other of head.parentNode.cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down === 1 ? 'ascending' : 'descending');
    body.append(...rows);
  });
}
"""
LAYERED = ("selectivity", "participation", "decoding")
RESULTS = ("accuracy", "chance", *LAYERED, "spikes", "synaptic_operations", "multiply_adds", "seconds", "cpu_seconds")


def write(path: Path, runs: Sequence[Found], figure: Path | None = None) -> Path:
    """Write a page that sets runs side by side, whole or not at all.

    Args:
        path: of the page.
        runs: what it is about.
        figure: where its figure is written too, if anywhere.
    """
    title = runs[0].name if len(runs) == 1 else f"{len(runs)} runs"
    rows = {run.name: run.row for run in runs if run.row is not None}
    numbers = {run.name: str(number) for number, run in enumerate(runs, 1)}
    drawn = io.StringIO()
    history.runs(
        {numbers[name]: row for name, row in rows.items()}, {numbers[run.name]: run.metrics for run in runs}
    ).savefig(drawn, format="svg")
    svg = drawn.getvalue()
    if figure is not None:
        write_atomically(figure, svg.encode())
    depth = max((len(row["decoding"]) for row in rows.values()), default=0)
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">{GENERATOR}<title>{escape(title)}</title>
<style>{STYLE}
body {{ max-width: 90rem; }} th, td {{ padding: .3rem .5rem; }}
th:nth-child(-n+3), td:nth-child(-n+3) {{ text-align: left; }}
th button {{ all: unset; cursor: pointer; }} th button:focus-visible {{ outline: 2px solid #0072B2; }}
th[aria-sort=ascending]::after {{ content: " \\25B2"; }} th[aria-sort=descending]::after {{ content: " \\25BC"; }}
</style></head><body>
<h1>{escape(title)}</h1>
<h2>Results</h2>{_results(runs, depth)}
<p>A click on a head sorts, and so does Enter; the figure names runs by their number. Selectivity, participation and
decoding: one figure a layer, from below.</p>
<h2>Figure</h2><figure>{svg[svg.index("<svg") :]}<figcaption>(a) Test accuracy; the dotted line is chance. (b) Linear
decoding of each layer's own latent. (c) Root mean square of feedforward weights through training; the higher the layer,
the fainter.</figcaption></figure>
{_settings(list(runs))}
</body><script>{SORT}</script></html>
"""
    write_atomically(path, page.encode())
    return path


def see_replaceable(path: Path) -> None:
    """See, before anything is read, that a page may be written: none is there, or one of this package's.

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


def _results(runs: Sequence[Found], depth: int) -> str:
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
        lines.append([short(cell) for cell in [*line, run.state]])
    return table([*head, "state"], lines, sorts=True)


def _settings(runs: list[Found]) -> str:
    """Set out what differs between runs; of a single one, all that it was made with."""
    if len(runs) == 1:
        settings: dict[str, list[Any]] = {key: [value] for key, value in runs[0].configuration().items()}
        return f"<h2>Configuration</h2>{_keys(runs, settings)}"
    settings = differences(runs)
    if not settings:
        return "<h2>What differs</h2><p>Nothing: these runs were made alike.</p>"
    return f"<h2>What differs</h2>{_keys(runs, settings)}<p>All other settings are the same.</p>"


def _keys(runs: Sequence[Found], settings: dict[str, list[Any]]) -> str:
    return table(
        ["setting", *(f"{number}: {run.name}" if len(runs) < 5 else str(number) for number, run in enumerate(runs, 1))],
        [[key, *map(short, values)] for key, values in settings.items()],
        sorts=True,
    )
