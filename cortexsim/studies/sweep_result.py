"""Sweeps of hierarchies, measured: P* of every learner, and its runs with somewhat more samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cortexsim.analysis.sample_complexity import has_learned
from cortexsim.analysis.thresholds import Stability, SweepThresholds
from cortexsim.config.trial import Row, Trial
from cortexsim.storage.committed_rows import Measure
from cortexsim.studies.bisection import FINE, ThresholdSearch, octave, run_searches, samples_at
from cortexsim.studies.threshold_sweep import ThresholdSweep

MORE = 0.5  # Octaves above the mean P* of a learner, at which its runs are counted: 1.4 times as many samples.


@dataclass(frozen=True)
class SweepResult:
    """A sweep with its rows.

    Attributes:
        sweep: what was asked for.
        swept: the thresholds.
        searches: the rows of each search, in the order of the sweep's places.
        above: by learner and value, its rows with 1.4 times as many samples as P*.
        controls: by value, the rows of untrained networks at these sizes.
    """

    sweep: ThresholdSweep
    swept: SweepThresholds
    searches: list[list[Row]]
    above: Mapping[tuple[str, float], list[Row]]
    controls: Mapping[float, list[Row]]

    @property
    def rows(self) -> list[Row]:
        """Every row once, preceded by the name of the sweep and the value of the size that varies."""
        places = [(value, rows) for (_, value, _), rows in zip(self.sweep.places(), self.searches, strict=True)]
        places += [(value, rows) for (_, value), rows in self.above.items()] + list(self.controls.items())
        found: dict[tuple[Any, ...], Row] = {}
        for value, rows in places:
            for row in rows:
                key = (value, row["learner"], row["seed"], row["samples"])
                found.setdefault(key, {"sweep": self.sweep.table.name, "value": value, **row})
        return list(found.values())

    def searched(self, name: str, value: float) -> list[Row]:
        """The rows that determine P* of one learner at one value."""
        places = zip(self.sweep.places(), self.searches, strict=True)
        return [row for (model, at, _), rows in places if (model.name, at) == (name, value) for row in rows]


def measure_sweeps(planned: Sequence[ThresholdSweep], measure: Measure) -> list[SweepResult]:
    """Find every P*, and then run every learner, and the controls, with 1.4 times as many samples.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.studies.threshold_sweep import SweepTable
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> def measure(trials: Sequence[Trial], title: str) -> list[Row]:  # Of a learner that needs 40 samples.
    ...     common = {"learner": "clapp", "chance": 0.25, "grammar_seed": 0, "seed": 0}
    ...     return [{**common, "samples": t.samples, "accuracy": 0.3 + 0.7 * (t.samples >= 40)} for t in trials]
    >>> table = SweepTable(name="depth", varies="depth", values=[3], seeds=1, cap=128)
    >>> hierarchy = Hierarchy(features=4, multiplicity=2, depth=3)
    >>> (result,) = measure_sweeps([ThresholdSweep(table, ((3, hierarchy),), (find_model("clapp"),))], measure)
    >>> [row["samples"] for row in result.rows]  # The search, and then 1.4 times P*.
    [32, 38, 45, 64, 91, 54]
    >>> result.swept.thresholds["clapp"][0].text(), result.swept.stability["clapp"][0]
    ('38 to 45', Stability(samples=54, learned=1, runs=1))

    Args:
        planned: the sweeps.
        measure: returns the rows of trials, such as an `Engine`, or committed rows.
    """
    ended = iter(run_searches([search for sweep in planned for search in sweep.searches()], measure))
    rows = [[next(ended) for _ in sweep.places()] for sweep in planned]
    found = [sweep.swept(several) for sweep, several in zip(planned, rows, strict=True)]
    above = [_above(sweep, swept) for sweep, swept in zip(planned, found, strict=True)]
    asked = [trial for several in above for trials in several.values() for trial in trials]
    answers = iter(measure(asked, "1.4 times P*: ") if asked else [])
    runs = [{key: [next(answers) for _ in trials] for key, trials in several.items()} for several in above]
    return [_measured(*each) for each in zip(planned, found, rows, runs, strict=True)]


def _above(sweep: ThresholdSweep, swept: SweepThresholds) -> dict[tuple[str, float], list[Trial]]:
    """The trials at 1.4 times P*, by learner and value; of an untrained network, those at all these sizes."""
    searches: dict[tuple[str, float], list[ThresholdSearch]] = {}
    for (model, value, _), search in zip(sweep.places(), sweep.searches(), strict=True):
        searches.setdefault((model.name, value), []).append(search)
    sizes: dict[float, set[int]] = {value: set() for value in swept.values}
    found = {}
    for (name, value), several in searches.items():
        needed = swept.thresholds[name][swept.values.index(value)]
        if needed.censored:
            continue
        tried = round((math.log2(needed.estimate.mean) + MORE) / FINE) * FINE
        if tried <= octave(several[0].largest.samples):
            sizes[value].add(samples_at(tried))
            found[name, value] = [search.at(samples_at(tried)) for search in several]
    for model in sweep.models:
        if model.learner == "untrained":
            for value, chosen in sizes.items():
                trials = [search.at(size) for size in sorted(chosen) for search in searches[model.name, value]]
                found[model.name, value] = [*found.get((model.name, value), []), *trials]
    return found


def _measured(
    sweep: ThresholdSweep, swept: SweepThresholds, searches: list[list[Row]], runs: dict[tuple[str, float], list[Row]]
) -> SweepResult:
    controls: dict[float, list[Row]] = {}
    for model in sweep.models:
        for value in swept.values if model.learner == "untrained" else ():
            controls.setdefault(value, []).extend(runs.pop((model.name, value), []))
    stability = {
        name: tuple(_stability(runs[name, value]) if (name, value) in runs else None for value in swept.values)
        for name in swept.thresholds
    }
    return SweepResult(sweep, replace(swept, stability=stability), searches, runs, controls)


def _stability(rows: Sequence[Row]) -> Stability:
    return Stability(rows[0]["samples"], sum(has_learned(row["accuracy"], row["chance"]) for row in rows), len(rows))
