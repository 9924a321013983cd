"""Experiments that look for how many samples each learner needs, at each size of the hierarchy."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cortexsim.analysis import threshold_panels
from cortexsim.analysis.plots import Draw
from cortexsim.analysis.sample_complexity import Threshold, brackets
from cortexsim.analysis.thresholds import fit
from cortexsim.config.schema import resolved
from cortexsim.config.tasks import task_table
from cortexsim.config.trial import Row
from cortexsim.config.validation import read
from cortexsim.storage import committed_rows
from cortexsim.storage.atomic_io import write_figures
from cortexsim.studies import threshold_tables
from cortexsim.studies.engine import Engine, write_result
from cortexsim.studies.sweep_result import SweepResult, measure_sweeps
from cortexsim.studies.threshold_sweep import ThresholdsFile, ThresholdSweep, sweeps


@dataclass(frozen=True)
class ThresholdExperiment:
    """An experiment that a file ``thresholds.toml`` defines."""

    description: str
    sweeps: Sequence[ThresholdSweep]

    @classmethod
    def open(cls, path: Path, device: str = "cpu", quick: bool = False) -> "ThresholdExperiment":
        """Read an experiment from its file.

        Args:
            path: of the file.
            device: ``cpu``, ``cuda`` or ``mps``.
            quick: whether to take the quick look.

        Raises:
            UserError: one line naming file, key and value.
        """
        plan = read(path, ThresholdsFile)
        return cls(plan.description, sweeps(plan, path.parent, device, quick))

    @property
    def configuration(self) -> dict[str, Any]:
        """Everything that the rows depend on, by sweep."""
        return {sweep.table.name: sweep_configuration(sweep) for sweep in self.sweeps}

    def run(self, engine: Engine) -> str:
        """Find every P*, print the tables, and return the names of the files that were written."""
        found = run_sweeps(self.sweeps, engine)
        threshold_tables.print_tables(found, engine.console)
        return written(found)

    def from_rows(self, path: Path) -> tuple[dict[str, str], dict[str, Draw]]:
        """Make tables and figures from committed rows alone, by name.

        Raises:
            UserError: where a row is missing.
        """
        found = measure_sweeps(self.sweeps, committed_rows.StoredRows(path).lookup(""))
        tables: dict[str, str] = {}
        for each in found:
            name, growth = each.swept.name, threshold_tables.growth(each.swept)
            tables |= {
                name: threshold_tables.markdown(each.swept),
                f"{name} growth": "\n".join(f"* {g}" for g in growth),
                f"{name} spread": "\n".join(f"* {line}" for line in threshold_tables.spread(each)),
            }
        return tables, figures(found)


def run_sweeps(planned: Sequence[ThresholdSweep], engine: Engine) -> list[SweepResult]:
    """Find every P*, and write ``result.json``, the rows that tables and figures need, and the figures.

    Args:
        planned: the sweeps.
        engine: runs their trials, each once, whichever sweep asks for it.
    """
    found = measure_sweeps(planned, engine)
    fits = [
        {"sweep": each.swept.name, **asdict(line)}
        for each in found
        for name in each.swept.thresholds
        if (line := fit(each.swept, name))
    ]
    write_result(
        engine.out,
        (row for each in found for row in each.rows),
        {sweep.table.name: sweep_configuration(sweep) for sweep in planned},
        thresholds=[entry for each in found for entry in entries(each)],
        fits=fits,
    )
    committed_rows.write(engine.out, (("", trial, engine.ledger.rows[key]) for key, trial in engine.trials.items()))
    write_figures(figures(found), engine.out)
    return found


def written(found: Sequence[SweepResult]) -> str:
    """The names of the files that `run_sweeps` writes."""
    drawn = [f"{figure}.{kind}" for figure in figures(found) for kind in ("png", "svg")]
    return ", ".join(["result.json", committed_rows.ROWS, *drawn])


def figures(found: Sequence[SweepResult]) -> dict[str, Draw]:
    """The figures, by name: P* against the size that varies, and selectivity by layer in the deepest hierarchy."""
    drawn: dict[str, Draw] = {}
    if any(len(each.swept.values) > 1 for each in found):
        drawn["figure"] = lambda: threshold_panels.thresholds([each.swept for each in found])
    if deep := next((each for each in found if each.sweep.table.varies == "depth"), None):
        deepest = deep.swept.values[-1]
        shown = [row for name in deep.swept.thresholds for row in deep.searched(name, deepest)]
        drawn["selectivity"] = lambda: threshold_panels.selectivity(shown, f"L = {deepest:g}")
    return drawn


def entries(found: SweepResult) -> list[dict[str, Any]]:
    """P* of every learner at every value, by run and on average, and the number of labels needed, for JSON."""
    swept, several = found.swept, []
    for name, needed in swept.thresholds.items():
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
    """The number of labels among the samples needed: all, or those of the readout.

    A readout that uses 32 labels, on a code that needs 90 to 110 samples:

    >>> labels_needed(Threshold((90.0,), (110.0,)), [{"samples": 90, "labels": 32}, {"samples": 110, "labels": 32}])
    32

    Args:
        needed: P*.
        rows: that determine it, each with its ``labels``.

    Returns:
        A number of labels; None where P* is only bounded.
    """
    return None if needed.censored else min(needed.estimate.mean, max(row["labels"] for row in rows))


def _runs(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The sizes that enclose P* of every run; None where it is not bounded on that side."""
    seeds: dict[int, list[int]] = {}
    for grammar, seed in sorted({(row["grammar_seed"], row["seed"]) for row in rows}):
        seeds.setdefault(grammar, []).append(seed)
    return [
        {"seed": seed, "grammar_seed": grammar, "more_than": low or None, "at_most": _finite(high)}
        for grammar, several in brackets(rows).items()
        for seed, (low, high) in zip(seeds[grammar], several, strict=True)
    ]


def _estimate(found: Threshold) -> dict[str, float | int | None]:
    """A mean with its interval; a bound has a name of its own, so that it is not taken for a mean."""
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


def sweep_configuration(sweep: ThresholdSweep) -> dict[str, Any]:
    """Everything that the rows of a sweep depend on, as JSON has it."""
    table = sweep.table.model_dump(mode="json", exclude={"models", "name"})
    return {**table, "device": sweep.device, "models": [resolved(model) for model in sweep.models]}
