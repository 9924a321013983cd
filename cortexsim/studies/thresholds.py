"""Experiments that look for how many samples each learner needs, at each size of the hierarchy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from cortexsim.analysis import threshold_panels
from cortexsim.analysis.plots import Draw
from cortexsim.analysis.sample_complexity import Threshold, brackets
from cortexsim.analysis.thresholds import fit
from cortexsim.config.provenance import versions
from cortexsim.config.registry import find_experiment_file
from cortexsim.config.schema import resolved
from cortexsim.config.tasks import task_table
from cortexsim.config.trial import Row, Trial
from cortexsim.config.validation import read
from cortexsim.execution.scheduler import run_all
from cortexsim.storage import committed_rows
from cortexsim.storage.atomic_io import write_figures, write_json
from cortexsim.storage.ledger import Ledger
from cortexsim.studies import threshold_tables
from cortexsim.studies.measured import Measured, measured
from cortexsim.studies.threshold_sweep import Sweep, Thresholds, sweeps


def planned(name: str, console: Console, quick: bool, device: str) -> tuple[dict[str, Any], Callable[..., str]]:
    """Read an experiment; answer with all that it is made of, and with what runs it.

    The latter takes the folder, the console and the workers, and names what was written there.
    """
    path = find_experiment_file(name)
    plan = read(path, Thresholds)
    several = sweeps(plan, path.parent, device, quick)
    console.print(plan.description)
    return {sweep.table.name: sweep_configuration(sweep) for sweep in several}, partial(_perform, several)


def _perform(planned: Sequence[Sweep], out: Path, console: Console, workers: int) -> str:
    found = run_sweeps(planned, out, console, workers)
    threshold_tables.tell(found, console)
    return written(found)


def run_sweeps(planned: Sequence[Sweep], out: Path, console: Console, workers: int = 0) -> list[Measured]:
    """Find every P*, and write ``result.json``, the rows that tables and figures need, and the figures.

    Args:
        planned: the sweeps.
        out: folder; trials that its ``rows.jsonl`` holds already are not computed again, whichever sweep asks for them.
        console: where progress goes.
        workers: processes side by side; one a core unless given.
    """
    out.mkdir(parents=True, exist_ok=True)
    ledger, asked = Ledger(out / "rows.jsonl"), {}

    def compute(trials: Sequence[Trial], before: str) -> list[Row]:
        asked.update({trial.key: trial for trial in trials})
        return run_all(trials, ledger, console, workers, before)

    found = measured(planned, compute)
    result = {
        "rows": [row for each in found for row in each.rows],
        "thresholds": [entry for each in found for entry in entries(each)],
        "fits": [
            {"sweep": each.swept.name, **asdict(line)}
            for each in found
            for name in each.swept.found
            if (line := fit(each.swept, name))
        ],
        "versions": versions(),
        "configuration": {sweep.table.name: sweep_configuration(sweep) for sweep in planned},
    }
    write_json(out / "result.json", result)
    committed_rows.write(out, (("", trial, ledger.rows[key]) for key, trial in asked.items()))
    write_figures(figures(found), out)
    return found


def written(found: Sequence[Measured]) -> str:
    """Name the files that `run_sweeps` writes."""
    drawn = [f"{figure}.{kind}" for figure in figures(found) for kind in ("png", "svg")]
    return ", ".join(["result.json", committed_rows.ROWS, *drawn])


def again(path: Path, rows: committed_rows.StoredRows) -> tuple[dict[str, str], dict[str, Draw]]:
    """Make the tables and figures of an experiment from rows alone, by name.

    Raises:
        UserError: where a row is missing.
    """
    found = measured(sweeps(read(path, Thresholds), path.parent), rows.lookup(""))
    tables = {}
    for each in found:
        tables[each.swept.name] = threshold_tables.markdown(each.swept)
        tables[f"{each.swept.name} growth"] = "\n".join(f"* {line}" for line in threshold_tables.growth(each.swept))
    return tables, figures(found)


def figures(found: Sequence[Measured]) -> dict[str, Draw]:
    """Say how to draw P* against what varies, and what the layers learn in the deepest hierarchy of a sweep of depths.

    Returns:
        By name, what draws the figure.
    """
    drawn: dict[str, Draw] = {}
    if any(len(each.swept.values) > 1 for each in found):
        drawn["figure"] = lambda: threshold_panels.thresholds([each.swept for each in found])
    if deep := next((each for each in found if each.sweep.table.varies == "depth"), None):
        deepest = deep.swept.values[-1]
        shown = [row for name in deep.swept.found for row in deep.searched(name, deepest)]
        drawn["selectivity"] = lambda: threshold_panels.selectivity(shown, f"L = {deepest:g}")
    return drawn


def entries(found: Measured) -> list[dict[str, Any]]:
    """Write out P* of every learner at every value, run by run and in the mean, and the labels among its samples."""
    swept, several = found.swept, []
    for name, needed in swept.found.items():
        for index, (value, hierarchy) in enumerate(found.sweep.points):
            rows, stability = found.searched(name, value), swept.stability[name][index]
            ratio = swept.ratio(name, index)
            several.append(
                {
                    "sweep": swept.name,
                    "varies": swept.varies,
                    "value": value,
                    "task": task_table(hierarchy),
                    "model": name,
                    "runs": _runs(rows),
                    **_estimate(needed[index]),
                    "labels_for": rows[0]["labels_for"],
                    "labels_needed": labels_needed(needed[index], rows),
                    "stability": None if stability is None else asdict(stability),
                    "ratio": None if ratio is None else {"to": swept.reference, **_estimate(ratio)},
                }
            )
    return several


def labels_needed(needed: Threshold, rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Count the labels among the samples needed: all, or those that the readout is told; None where P* is a bound."""
    return None if needed.censored else min(needed.estimate.mean, max(row["labels"] for row in rows))


def _runs(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Write out between which sizes P* of every run lies; None where nothing is known on that side."""
    seeds: dict[int, list[int]] = {}
    for grammar, seed in sorted({(row["grammar_seed"], row["seed"]) for row in rows}):
        seeds.setdefault(grammar, []).append(seed)
    return [
        {"seed": seed, "grammar_seed": grammar, "more_than": low or None, "at_most": _finite(high)}
        for grammar, several in brackets(rows).items()
        for seed, (low, high) in zip(seeds[grammar], several, strict=True)
    ]


def _estimate(found: Threshold) -> dict[str, float | int | None]:
    """Write out a mean with its interval, or else, so that nobody takes it for one, a bound under another name."""
    mean = found.estimate.mean
    return {
        "mean": None if found.censored else mean,
        "more_than": mean if found.beyond else None,
        "at_most": mean if found.below and not found.beyond else None,
        "low": found.estimate.low,
        "high": found.estimate.high,
        "grammars": len(found.low),
        "grammars_beyond": found.beyond,
        "grammars_below": found.below,
    }


def _finite(value: float) -> float | None:
    return None if math.isinf(value) else value


def sweep_configuration(sweep: Sweep) -> dict[str, Any]:
    """Write out all that a sweep is made of."""
    table = sweep.table.model_dump(mode="json", exclude={"models", "name"})
    return {**table, "device": sweep.device, "models": [resolved(model) for model in sweep.models]}
