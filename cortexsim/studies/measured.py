"""What sweeps have found: P* of every learner, and what comes of its runs with somewhat more samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cortexsim.analysis.sample_complexity import has_learned
from cortexsim.analysis.thresholds import Stability, Swept
from cortexsim.config.trial import Row, Trial
from cortexsim.storage.committed_rows import Measure
from cortexsim.studies.bisection import FINE, Search, octave, samples_at, settle
from cortexsim.studies.threshold_sweep import Sweep

MORE = 0.5  # Octaves above the mean P* of a learner, at which its runs are counted: 1.4 times as many samples.


@dataclass(frozen=True)
class Measured:
    """Hold a sweep and its rows.

    Attributes:
        sweep: what was asked.
        swept: what was found.
        settled: the rows of each search, in the order of the sweep's places.
        beside: by learner and value, its rows at one size above its P*.
        controls: by value, the rows of untrained networks at these sizes.
    """

    sweep: Sweep
    swept: Swept
    settled: list[list[Row]]
    beside: Mapping[tuple[str, float], list[Row]]
    controls: Mapping[float, list[Row]]

    @property
    def rows(self) -> list[Row]:
        """Every row once, with the name of the sweep, and the value of what was varied there, before it."""
        places = [(value, rows) for (_, value, _), rows in zip(self.sweep.places(), self.settled, strict=True)]
        places += [(value, rows) for (_, value), rows in self.beside.items()] + list(self.controls.items())
        found: dict[tuple[Any, ...], Row] = {}
        for value, rows in places:
            for row in rows:
                key = (value, row["learner"], row["seed"], row["samples"])
                found.setdefault(key, {"sweep": self.sweep.table.name, "value": value, **row})
        return list(found.values())

    def searched(self, name: str, value: float) -> list[Row]:
        """List the rows that P* of one learner at one value was read off."""
        places = zip(self.sweep.places(), self.settled, strict=True)
        return [row for (model, at, _), rows in places if (model.name, at) == (name, value) for row in rows]


def measured(planned: Sequence[Sweep], measure: Measure) -> list[Measured]:
    """Find every P*, and then run every learner with 1.4 times as many samples, and the controls beside it.

    Args:
        planned: the sweeps.
        measure: computes or finds the rows of trials.
    """
    settled = iter(settle([search for sweep in planned for search in sweep.searches()], measure))
    rows = [[next(settled) for _ in sweep.places()] for sweep in planned]
    found = [sweep.swept(several) for sweep, several in zip(planned, rows, strict=True)]
    above = [_above(sweep, swept) for sweep, swept in zip(planned, found, strict=True)]
    asked = [trial for several in above for trials in several.values() for trial in trials]
    answers = iter(measure(asked, "1.4 times P*: ") if asked else [])
    told = [{key: [next(answers) for _ in trials] for key, trials in several.items()} for several in above]
    return [_measured(*each) for each in zip(planned, found, rows, told, strict=True)]


def _above(sweep: Sweep, swept: Swept) -> dict[tuple[str, float], list[Trial]]:
    """Name the trials at 1.4 times P*, by learner and value; of an untrained network, those at all these sizes."""
    searches: dict[tuple[str, float], list[Search]] = {}
    for (model, value, _), search in zip(sweep.places(), sweep.searches(), strict=True):
        searches.setdefault((model.name, value), []).append(search)
    sizes: dict[float, set[int]] = {value: set() for value in swept.values}
    found = {}
    for (name, value), several in searches.items():
        needed = swept.found[name][swept.values.index(value)]
        tried = round((math.log2(needed.estimate.mean) + MORE) / FINE) * FINE
        if not needed.censored and tried <= octave(several[0].largest.samples):
            sizes[value].add(samples_at(tried))
            found[name, value] = [search.at(samples_at(tried)) for search in several]
    for model in sweep.models:
        if model.learner == "untrained":
            for value, chosen in sizes.items():
                trials = [search.at(size) for size in sorted(chosen) for search in searches[model.name, value]]
                found[model.name, value] = [*found.get((model.name, value), []), *trials]
    return found


def _measured(
    sweep: Sweep, swept: Swept, settled: list[list[Row]], told: dict[tuple[str, float], list[Row]]
) -> Measured:
    controls: dict[float, list[Row]] = {}
    for model in sweep.models:
        for value in swept.values if model.learner == "untrained" else ():
            controls.setdefault(value, []).extend(told.pop((model.name, value), []))
    stability = {
        name: tuple(_stability(told[name, value]) if (name, value) in told else None for value in swept.values)
        for name in swept.found
    }
    return Measured(sweep, replace(swept, stability=stability), settled, told, controls)


def _stability(rows: Sequence[Row]) -> Stability:
    return Stability(rows[0]["samples"], sum(has_learned(row["accuracy"], row["chance"]) for row in rows), len(rows))
