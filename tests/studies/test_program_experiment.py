"""Experiments that a Python file defines: measured once per case, and redrawn from their rows alone."""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from cortexsim.config.registry import experiment_paths, folders
from cortexsim.errors import UserError
from cortexsim.report.markdown import PLACE
from cortexsim.report.search_outcomes import OUTCOMES
from cortexsim.storage.committed_rows import ROWS
from cortexsim.studies.engine import Engine
from cortexsim.studies.experiment import open_experiment, redraw

SQUARES = """
from pathlib import Path
from matplotlib.figure import Figure
from cortexsim.report.markdown import table
from cortexsim.studies.program_experiment import Program

def measure(case):
    log = Path(__file__).with_name("measured")
    log.write_text((log.read_text() if log.exists() else "") + f"{case['number']} ")
    if Path(__file__).with_name("stop").exists() and case["number"] == 3:
        raise KeyboardInterrupt
    return [{**case, "power": power, "value": case["number"] ** power} for power in (2, 3)]

def tables(rows):
    return {"powers": table(["", "power", "value"], [[str(value) for value in row.values()] for row in rows])}

EXPERIMENT = Program(
    "Powers of numbers",
    cases=[{"number": 2}, {"number": 3}, {"number": 4}],
    measure=measure,
    tables=tables,
    figures=lambda rows: {"figure": Figure, "other": Figure},
)
"""
README = "# Powers\n\n<!-- table: powers -->\nold\n<!-- end -->\n\n![Shown](figure.png)\n"


@pytest.fixture
def powers(tmp_path: Path) -> Path:
    folder = tmp_path / "powers"
    folder.mkdir()
    (folder / "experiment.py").write_text(SQUARES)
    (folder / "README.md").write_text(README)
    return folder


def engine(out: Path) -> Engine:
    return Engine(out, Console(file=io.StringIO(), width=200))


def test_an_interrupted_experiment_resumes_with_the_next_case(powers: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (powers / "stop").touch()
    with pytest.raises(KeyboardInterrupt):
        open_experiment(str(powers)).run(engine(out))
    assert not (out / "result.json").exists()
    (powers / "stop").unlink()
    written = open_experiment(str(powers)).run(engine(out))
    assert (powers / "measured").read_text().split() == ["2", "3", "3", "4"]
    assert all((out / name).exists() for name in written.split(", "))
    rows = json.loads((out / "result.json").read_text())["rows"]
    assert [(row["number"], row["value"]) for row in rows] == [(2, 4), (2, 8), (3, 9), (3, 27), (4, 16), (4, 64)]


def test_a_changed_file_is_measured_again(powers: Path, tmp_path: Path) -> None:
    open_experiment(str(powers)).run(engine(tmp_path / "out"))
    (powers / "experiment.py").write_text(SQUARES.replace("(2, 3)", "(1,)"))
    open_experiment(str(powers)).run(engine(tmp_path / "out"))
    rows = json.loads((tmp_path / "out" / "result.json").read_text())["rows"]
    assert [row["value"] for row in rows] == [2, 3, 4]


def test_tables_and_shown_figures_come_from_rows_alone(powers: Path, tmp_path: Path) -> None:
    open_experiment(str(powers)).run(engine(tmp_path / "out"))
    shutil.copy(tmp_path / "out" / ROWS, powers)
    (powers / "measured").unlink()
    redraw(str(powers))
    assert "| `4` | 3 | 64 |" in (powers / "README.md").read_text()
    assert {path.name for path in powers.glob("*.*g")} == {"figure.png", "figure.svg"}
    assert not (powers / "measured").exists()
    (powers / ROWS).write_bytes(b"no rows")
    with pytest.raises(UserError, match=r"rows\.jsonl\.gz: "):
        redraw(str(powers))


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        ("x = 1\n", {}, "no EXPERIMENT"),
        ("EXPERIMENT = 1\n", {}, "no EXPERIMENT"),
        ("import nothing_there\n", {}, "ModuleNotFoundError"),
        (SQUARES, {"quick": True}, "--quick: experiment 'powers' has no quick form"),
        (SQUARES, {"device": "cuda"}, "--device cuda: experiment 'powers' runs on the CPU"),
    ],
)
def test_a_file_that_cannot_be_run_gets_one_line(powers: Path, text: str, options: dict, complaint: str) -> None:
    (powers / "experiment.py").write_text(text)
    with pytest.raises(UserError, match=complaint):
        open_experiment(str(powers), **options)


@pytest.mark.slow
def test_the_quick_form_of_lpl_in_spiking_cells_runs_and_has_all_tables(tmp_path: Path) -> None:
    experiment = open_experiment("lpl_spiking", quick=True)
    written = experiment.run(engine(tmp_path)).split(", ")
    assert {"pairings.png", "network.png"} <= set(written)
    of_pairings, of_network = json.loads((tmp_path / "result.json").read_text())["rows"]
    assert max(of_pairings["changes"]) > 0.3 > -0.2 > min(of_pairings["changes"])
    assert of_network["history"]["seconds"] == [100, 800]
    tables, _ = experiment.from_rows(tmp_path / ROWS)
    assert "| `LPL, published` | 0.000 | 0.807 |" in tables["decoding"]


MEASURED_IN_PARTS = """
import numpy as np
from cortexsim.studies.chunks import Chunked
from cortexsim.studies.program_experiment import Program

def advance(number, state):
    return {"x": state["x"] * 2}

def measure(case):
    return Chunked(3, lambda: {"x": np.ones(1)}, advance, lambda state: [{**case, "x": float(state["x"][0])}])

EXPERIMENT = Program("Doubling", cases=[{"a": 1}], measure=measure, tables=lambda rows: {})
"""


def test_a_case_that_is_measured_in_chunks_says_how_long_it_takes(powers: Path, tmp_path: Path) -> None:
    (powers / "experiment.py").write_text(MEASURED_IN_PARTS)
    console = Console(file=io.StringIO(), width=200)
    open_experiment(str(powers)).run(Engine(tmp_path / "out", console))
    assert json.loads((tmp_path / "out" / "result.json").read_text())["rows"] == [{"a": 1, "x": 8.0}]
    assert "chunk 2/3, 0 s left (a 1)" in console.file.getvalue()
    assert not list((tmp_path / "out").glob("unfinished*"))


@pytest.mark.parametrize("folder", [path for at in folders("experiments") for path in at.iterdir() if path.is_dir()])
def test_every_folder_is_an_experiment_or_holds_searches(folder: Path) -> None:
    if folder.name in experiment_paths():
        assert open_experiment(folder.name).description
    else:
        assert list(folder.glob(OUTCOMES))
    assert (folder / "README.md").exists()


@pytest.mark.parametrize(
    "name",
    [
        "images",
        "linear_theory",
        "lpl_spiking",
        "next_fixation",
        "ocular_dominance",
        "receptive_fields",
        "scaling",
        "step_cost",
        "swap",
        "throughput",
    ],
)
def test_programs_of_the_package_have_a_table_in_their_readme(name: str) -> None:
    assert PLACE.search(experiment_paths()[name].with_name("README.md").read_text(encoding="utf-8"))
