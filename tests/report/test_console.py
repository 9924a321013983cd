"""Tables on terminals of any width: every name whole, and every figure."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from cortexsim.analysis.sample_complexity import Threshold
from cortexsim.analysis.summary import summarise
from cortexsim.analysis.thresholds import SweepThresholds
from cortexsim.report import comparison_page, describe, run_index
from cortexsim.report.comparison_text import accuracy_table, findings, layer_table
from cortexsim.report.console import print_table
from cortexsim.studies import parameter_sweep, random_search, threshold_tables
from cortexsim.studies.single_run import _sensitivity, layers_table

LEARNERS = ("backprop", "clapp-spiking", "clapp-label-spiking", "mine, margin 0.5")


def row(learner: str, samples: int = 256, seed: int = 0, **changes: Any) -> dict[str, Any]:
    layers = {name: [0.123, 0.456, 0.789] for name in ("selectivity", "participation", "decoding")}
    found = {"learner": learner, "rule": learner, "context": "sibling+label", "labels_for": "readout", "chance": 0.125}
    found |= {"samples": samples, "seed": seed, "grammar_seed": seed, "accuracy": 0.2 + seed / 10, "diverged": False}
    found |= {"test_samples": 64}
    return {**found, "trained_layers": 2, "spikes": 1234.0, "synaptic_operations": 56789.0, **layers, **changes}


ROWS = [row(learner, samples, seed) for learner in LEARNERS for samples in (256, 512, 1024, 2048) for seed in (0, 1)]


def listed() -> Table:
    trial = SimpleNamespace(
        model=SimpleNamespace(name="clapp-spiking", layers_on=lambda task: task.depth),
        task=SimpleNamespace(name="rhm", depth=3), samples=1024, grammar_seed=0, seed=0,
    )  # fmt: skip
    paths = ["runs/clapp-20261124-1900", "runs/sweep/points/seed=0"]
    folders = [SimpleNamespace(path=path, trial=trial, record={"begun": "2026-11-24T19:00"}) for path in paths]
    return run_index.listing(SimpleNamespace(folder=f, row={"accuracy": 0.5}, state="finished") for f in folders)  # type: ignore[misc]


def swept() -> Table:
    several = {name: (Threshold((100.0, 200.0), (119.0, 238.0)),) * 5 for name in ("backprop", "clapp-label-spiking")}
    return threshold_tables.table(
        SweepThresholds("depth", "depth", "v = 8", (2, 3, 4, 5, 6), {"n_c m^L": (1.0,) * 5}, several, "backprop")
    )


def points() -> Table:
    values = [{"training.eta": eta, "network.substrate": ["rate"], "seed": 0} for eta in (0.001, 0.003)]
    return parameter_sweep.table([row("clapp") | {"point": value} for value in values])


def drawn() -> Table:
    entry = {"values": {"training.eta": 0.001, "network.cells": 64}, "score": 0.5, "accuracy": {"64": 0.5, "128": 0.6}}
    entry["at_edge"] = {"training.eta": "low"}
    return random_search.table({"clapp-label-spiking": [entry]})


def one(kind: Any) -> Table:
    return kind(
        row("clapp", sensitivity=[[0.1, 0.2, 0.3]] * 3, readout_linear=[0.1] * 3, **{"readout_two-layer": [0.2] * 3})
    )


TABLES = {
    "accuracy": lambda: accuracy_table(
        summarise(ROWS), "Random Hierarchy Model: a title longer than any terminal" * 3, 64
    ),
    "layers": lambda: layer_table(summarise(ROWS)),
    "runs": listed,
    "points": points,
    "draws": drawn,
    "models": describe.models_table,
    "rules": describe.rules_table,
    "thresholds": swept,
    "layers of one": lambda: one(layers_table),
    "sensitivity": lambda: one(_sensitivity),
}


def printed(table: Table, width: int) -> list[str]:
    file = io.StringIO()
    print_table(table, Console(file=file, width=width, markup=False, highlight=False))
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [160, 80, 40, 20])
@pytest.mark.parametrize("kind", sorted(TABLES))
def test_names_and_figures_stay_whole(kind: str, width: int) -> None:
    table = TABLES[kind]()
    names = {str(cell) for cell in table.columns[0].cells if cell}
    figures = {str(cell) for column in table.columns if column.justify == "right" for cell in column.cells}
    heads = {str(column.header) for column in table.columns[1:]}
    lines = printed(table, width)
    for name in names:
        assert any(line.strip().startswith(name) or line.strip().endswith(f" {name}") for line in lines), name
    if width >= 40:
        for figure in figures:
            assert any(figure in line for line in lines), figure
    for head in heads:
        assert head.split()[0] in " ".join(lines)


def test_there_is_no_row_too_many_and_none_too_few() -> None:
    wide, narrow = (printed(layer_table(summarise(ROWS)), width) for width in (160, 40))
    assert sum(line.strip().startswith(LEARNERS) for line in wide) == len(LEARNERS)
    assert [line for line in narrow if line.startswith(LEARNERS)] == list(LEARNERS)
    assert max(map(len, narrow[1:-1])) <= 40


def test_what_spikes_could_not_carry_is_said() -> None:
    rows = [row("mixed", seed=seed, clipped=seed * 0.25) for seed in (0, 1)] + [row("clapp", clipped=None)]
    said = [line for line in findings(summarise(rows), rows, {}) if "than spikes carry" in line]
    assert said == ["mixed: in a run, 25.0% of the activity below spiking layers is more than spikes carry."]


@pytest.mark.parametrize("control", ["untrained", "hebb"])
def test_a_report_names_the_control_that_is_drawn_and_no_other(tmp_path: Path, control: str) -> None:
    (tmp_path / "figure.svg").write_text("<svg></svg>")
    rows = [row("clapp"), row(control)]
    result = {"rows": rows, "configuration": {}, "versions": {}}
    page = comparison_page.write(tmp_path, "a < b", ["<script>"], summarise(rows), result).read_text()
    assert "<h1>Learning a hidden hierarchy</h1><p>a &lt; b</p>" in page
    assert "<script>" not in page
    assert ("the dashed grey line is the untrained control" in page) == (control == "untrained")
    assert "<button" not in page  # Nothing sorts here: there is no script.
