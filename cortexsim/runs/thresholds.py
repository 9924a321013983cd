"""Experiments that look for how many samples each learner needs, at each size of the hierarchy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from cortexsim.analysis import threshold_panels
from cortexsim.analysis.thresholds import Swept, Threshold, fit
from cortexsim.runs import threshold_tables
from cortexsim.runs.bracket import settle
from cortexsim.runs.configuration import resolved
from cortexsim.runs.explain import read
from cortexsim.runs.files import write_figure, write_json
from cortexsim.runs.locate import find_experiment_file
from cortexsim.runs.provenance import versions
from cortexsim.runs.record import Ledger
from cortexsim.runs.sweep import Sweep, Thresholds, sweeps
from cortexsim.runs.trial import Row


def planned(name: str, console: Console, quick: bool, device: str) -> tuple[dict[str, Any], Callable[..., str]]:
    """Read an experiment; answer with all that it is made of, and with what runs it.

    The latter takes the folder, the console and the workers, and names what was written there.
    """
    path = find_experiment_file(name)
    plan = read(path, Thresholds)
    several = sweeps(plan, path.parent, device, quick)
    console.print(plan.description)
    return {sweep.table.name: _configuration(sweep) for sweep in several}, partial(_perform, several)


def _perform(planned: Sequence[Sweep], out: Path, console: Console, workers: int) -> str:
    figures = run_sweeps(planned, out, console, workers)
    return ", ".join(["result.json", *(f"{figure}.{kind}" for figure in figures for kind in ("png", "svg"))])


def run_sweeps(planned: Sequence[Sweep], out: Path, console: Console, workers: int = 0) -> list[str]:
    """Find every P*, write ``result.json`` and the figures, and print what was found.

    Args:
        planned: the sweeps.
        out: folder; trials that its ``rows.jsonl`` holds already are not computed again, whichever sweep asks for them.
        console: where progress and tables go.
        workers: processes side by side; one a core unless given.

    Returns:
        The names of the figures, each written as .png and .svg.
    """
    out.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(out / "rows.jsonl")
    searches = [search for sweep in planned for search in sweep.searches()]
    settled = iter(settle(searches, ledger, console, workers))
    rows = {sweep.table.name: [next(settled) for _ in sweep.searches()] for sweep in planned}
    found = [sweep.swept(rows[sweep.table.name]) for sweep in planned]
    result = {
        "rows": [row for sweep in planned for row in _named(sweep, rows[sweep.table.name])],
        "thresholds": [
            entry
            for sweep, swept in zip(planned, found, strict=True)
            for entry in _thresholds(sweep, swept, rows[swept.name])
        ],
        "fits": [
            {"sweep": swept.name, **asdict(line)}
            for swept in found
            for name in swept.found
            if (line := fit(swept, name))
        ],
        "versions": versions(),
        "configuration": {sweep.table.name: _configuration(sweep) for sweep in planned},
    }
    write_json(out / "result.json", result)
    threshold_tables.tell(found, [row for several in rows.values() for search in several for row in search], console)
    return _draw(planned, found, rows, out)


def _named(sweep: Sweep, settled: Sequence[Sequence[Row]]) -> list[Row]:
    """Write before each row to which sweep it belongs, and what was varied there to which value."""
    several = zip(sweep.places(), settled, strict=True)
    return [{"sweep": sweep.table.name, "value": value, **row} for (_, value, _), rows in several for row in rows]


def _thresholds(sweep: Sweep, swept: Swept, settled: Sequence[Sequence[Row]]) -> list[dict[str, Any]]:
    """Write out P* of every learner at every value, and the labels among its samples, with what they are for."""
    entries = []
    for name, several in swept.found.items():
        row = next(row for search in settled for row in search if row["learner"] == name)
        for index, ((value, hierarchy), found) in enumerate(zip(sweep.points, several, strict=True)):
            ratio = swept.ratio(name, index)
            seeds = enumerate(zip(found.values, found.beyond, strict=True))
            labels = row["labels"] / row["samples"]
            entries.append(
                {
                    "sweep": swept.name,
                    "varies": swept.varies,
                    "value": value,
                    "hierarchy": asdict(hierarchy),
                    "model": name,
                    "seeds": [
                        {"seed": seed, "grammar_seed": sweep.table.grammar_seed + seed, "needed": p, "beyond": beyond}
                        for seed, (p, beyond) in seeds
                    ],
                    **_estimate(found),
                    "labels_for": row["labels_for"],
                    "labels_needed": None if found.censored else labels * found.estimate.mean,
                    "ratio": None if ratio is None else {"to": swept.reference, **_estimate(ratio)},
                }
            )
    return entries


def _estimate(found: Threshold) -> dict[str, float | int | None]:
    """Write out a mean with its interval, or else, so that nobody takes it for one, a bound under another name."""
    mean = found.estimate.mean
    known = {"mean": None, "more_than": mean} if found.censored else {"mean": mean, "more_than": None}
    return {**known, "low": found.estimate.low, "high": found.estimate.high, "seeds_beyond": sum(found.beyond)}


def _configuration(sweep: Sweep) -> dict[str, Any]:
    table = sweep.table.model_dump(mode="json", exclude={"models", "name"})
    models = [resolved(model) for model in sweep.models]
    return {**table, "halvings": sweep.halvings, "device": sweep.device, "models": models}


def _draw(
    planned: Sequence[Sweep], found: Sequence[Swept], rows: Mapping[str, Sequence[Sequence[Row]]], out: Path
) -> list[str]:
    """Draw P* against what varies, and for the deepest hierarchy of a sweep of depths what every layer has learned."""
    figures = {"figure": threshold_panels.thresholds(found)}
    if sweep := next((sweep for sweep in planned if sweep.table.varies == "depth"), None):
        deepest = sweep.points[-1][0]
        several = zip(sweep.places(), rows[sweep.table.name], strict=True)
        shown = [row for (_, value, _), search in several if value == deepest for row in search]
        figures["selectivity"] = threshold_panels.selectivity(shown, f"L = {deepest:g}")
    for name, figure in figures.items():
        write_figure(figure, out / name, dpi=120)
    return list(figures)
