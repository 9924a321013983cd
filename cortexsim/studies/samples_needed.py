"""P* of any models, in comparison with backpropagation and an untrained network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError
from rich.table import Table

from cortexsim.analysis import threshold_panels
from cortexsim.config.registry import find_model
from cortexsim.config.validation import explain
from cortexsim.errors import UserError
from cortexsim.report.console import new_table, print_table
from cortexsim.storage.atomic_io import write_figure
from cortexsim.studies import threshold_tables
from cortexsim.studies.engine import Engine
from cortexsim.studies.sweep_result import SweepResult
from cortexsim.studies.threshold_sweep import SweepTable, ThresholdSweep, distinct, points_of
from cortexsim.studies.thresholds import labels_needed, run_sweeps, written

REFERENCE, CONTROL = "backprop", "untrained"


def beside(names: Sequence[str]) -> list[str]:
    """Put the reference before the names of models, and the control after them."""
    others = [name for name in names if name not in (REFERENCE, CONTROL)]
    return [REFERENCE, *others, CONTROL]


def plan(
    names: Sequence[str],
    depths: Sequence[int],
    sizes: Mapping[str, int],
    grammars: int,
    seeds: int,
    device: str = "cpu",
    target: str = "cpp",
    **others: int,
) -> ThresholdSweep:
    """Plan a search for P* of models at some depths.

    >>> sweep = plan(beside(["clapp"]), depths=[2, 3], sizes={"features": 8}, grammars=5, seeds=2, cap=4096)
    >>> sweep.title, [model.name for model in sweep.models]
    ('v = 8, m = 4, s = 2, n_c = v; 5 grammars x 2 seeds, seeded from 0', ['backprop', 'clapp', 'untrained'])

    Args:
        names: of models, or paths of TOML files.
        depths: of the hierarchy.
        sizes: of the hierarchy where they are not the default ones.
        grammars: number of grammars, over which a confidence interval is taken.
        seeds: how often each grammar is used.
        device: ``cpu``, ``cuda`` or ``mps``.
        target: code generation target of Brian2 layers: ``cpp``, ``cython`` or ``numpy``.
        others: ``grammar_seed`` and ``cap``, as of a sweep.

    Raises:
        UserError: where a model or a hierarchy is impossible.
    """
    models = tuple(find_model(name) for name in names)
    distinct(models)
    if wrong := [depth for depth in depths if depth < 1]:
        raise UserError(f"--depth {wrong[0]}: too small (at least 1)")
    values = {"values": list(depths), "seeds": grammars, "repeats": seeds, **others}
    try:
        table = SweepTable.model_validate({"name": "threshold", "varies": "depth", **values, "task": sizes})
    except ValidationError as error:
        raise UserError(explain(error, SweepTable)) from None
    return ThresholdSweep(table, points_of(table, models), models, device, target)


def find(sweep: ThresholdSweep, engine: Engine) -> str:
    """Find P*, print the results, and write the files of a study.

    Args:
        sweep: over depths, as `plan` makes it.
        engine: runs the trials.

    Returns:
        The names of the files that were written.
    """
    (found,), console = run_sweeps([sweep], engine), engine.console
    for index in range(len(found.swept.values)):
        print_table(table(found, index), console)
        for line in [*ratios(found, index), *controls(found, index)]:
            console.print(line, soft_wrap=True)
        console.print()
    for line in [*threshold_tables.growth(found.swept), *threshold_tables.READING, *threshold_tables.warnings([found])]:
        console.print(line, soft_wrap=True)
    write_figure(threshold_panels.runs(found.swept, found.rows), engine.out / "runs", dpi=120)
    return f"{written([found])}, runs.png, runs.svg"


def table(found: SweepResult, index: int) -> Table:
    """Tabulate P* of every learner at one depth, with intervals and stability.

    Args:
        found: a measured sweep.
        index: of the value in the sweep.
    """
    swept, value = found.swept, found.swept.values[index]
    head = ["learner", "P*", f"/ {swept.reference}", "stable", "labels", "labels for"]
    laws = ", ".join(f"{law} = {several[index]:.0f}" for law, several in swept.laws.items())
    title = f"L = {value:g}: {swept.title}; laws, up to a factor of order one: {laws}"
    printed = new_table(title, head if swept.reference else [name for name in head if name[0] != "/"])
    for name, several in swept.thresholds.items():
        rows, ratio, stability = found.searched(name, value), swept.ratio(name, index), swept.stability[name][index]
        labels = labels_needed(several[index], rows)
        cells = [name, several[index].text()]
        cells += ["-" if ratio is None else ratio.text(2)] if swept.reference else []
        cells += ["-" if stability is None else str(stability), "-" if labels is None else f"{labels:.0f}"]
        printed.add_row(*cells, rows[0]["labels_for"])
    return printed


def ratios(found: SweepResult, index: int) -> list[str]:
    """Compare every learner with the reference, in words no stronger than the confidence interval of their ratio.

    Args:
        found: a measured sweep.
        index: of the value in the sweep.
    """
    swept = found.swept
    others = [name for name in swept.thresholds if name != swept.reference]
    return [_sentence(found, name, index) for name in others]


def _sentence(found: SweepResult, name: str, index: int) -> str:
    swept = found.swept
    needed, reference = swept.thresholds[name][index], swept.reference
    if needed.beyond:
        largest = min(low for low, high in zip(needed.low, needed.high, strict=True) if high == np.inf)
        text = f"{name} is not there with {largest:.0f} samples on {needed.beyond} of {len(needed.low)} grammars"
    else:
        text = f"{name} needs {needed.text()} samples"
    if reference is None:
        return f"{text}."
    ratio, known = swept.ratio(name, index), swept.thresholds[reference][index].text()
    if ratio is None or ratio.estimate.low is None or ratio.estimate.high is None:
        return f"{text}, {reference} {known}; there is no interval of their ratio to judge by."
    if ratio.estimate.low <= 1 <= ratio.estimate.high:
        return f"{name} needs as many samples as {reference}, within the interval: {ratio.text(2)} times as many."
    more = "more" if ratio.estimate.low > 1 else "fewer"
    return f"{name} needs {more} samples than {reference}: {ratio.text(2)} times as many."


def controls(found: SweepResult, index: int) -> list[str]:
    """Compare the readout of untrained networks, also of their best layer, with the learners.

    The comparison is made with 1.4 times the samples that a learner needs, and with the most that were tried.

    Args:
        found: a measured sweep.
        index: of the value in the sweep.
    """
    value = found.swept.values[index]
    untrained = [row for row in found.rows if row["value"] == value and row["rule"] == "untrained"]
    beside: dict[int, list[str]] = {}
    for (name, at), rows in found.above.items():
        if at == value:
            beside.setdefault(rows[0]["samples"], []).append(f"{name} has {_mean(rows, 'accuracy'):.3f}")
    lines = []
    for size in sorted({row["samples"] for row in untrained}):
        rows = [row for row in untrained if row["samples"] == size]
        by_layer = _mean(rows, "readout_by_layer")
        best = int(by_layer.argmax())
        learned = "".join(f"{text}, " for text in beside.get(size, []))
        lines.append(
            f"With {size} samples {learned}an untrained network {_mean(rows, 'accuracy'):.3f}, and {by_layer[best]:.3f}"
            f" from its best layer, {best + 1} of {len(by_layer)}."
        )
    return lines


def _mean(rows: Sequence[Mapping[str, Any]], quantity: str) -> Any:
    return np.mean([row[quantity] for row in rows], axis=0)
