"""Rows that are kept beside an experiment, and the README and figures that are made of them and nothing else."""

import gzip
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cortexsim import cli
from cortexsim.config.registry import folders
from cortexsim.errors import UserError
from cortexsim.report.markdown import BEGIN, PLACE, fill
from cortexsim.report.search_outcomes import OUTCOMES
from cortexsim.storage.committed_rows import ROWS
from cortexsim.studies import engine
from cortexsim.studies.engine import Engine
from cortexsim.studies.experiment import front, open_experiment, readme, redraw
from tests.studies.test_comparison import silent

FOLDERS = {folder.name: folder for at in folders("experiments") for folder in at.iterdir()}
KEPT = sorted(name for name, at in FOLDERS.items() if (at / ROWS).exists() or any(at.glob(OUTCOMES)))

COMPARISONS = """
description = "x"
[[comparison]]
name = "a"
models = ["hebb", "untrained"]
samples = [8, 16]
seeds = 2
task = { features = 4, multiplicity = 2, depth = 2 }
"""
THRESHOLDS = """
description = "x"
models = ["untrained"]
[[sweep]]
name = "depth"
varies = "depth"
values = [2, 3]
seeds = 2
cap = 64
task = { features = 4, multiplicity = 2 }
"""
README = "# Title\n\n<!-- table: {} -->\nold\n<!-- end -->\n\nWords.\n\n![Shown]({}.png)\n"


@pytest.mark.parametrize("name", KEPT)
def test_a_readme_says_what_its_rows_say(name: str) -> None:
    folder = FOLDERS[name]
    written = (folder / "README.md").read_text(encoding="utf-8")
    assert written.count(BEGIN) > 0
    assert readme(name) == written, f"cortexsim experiment {name} --from-rows writes it anew"
    assert all(path.stat().st_size < 300_000 for path in [*folder.glob(ROWS), *folder.glob(OUTCOMES)])


def test_the_projects_readme_says_what_the_rows_say() -> None:
    path = FOLDERS["sample_complexity"].parent.parent / "README.md"
    if not path.exists():
        pytest.skip("the package is installed apart from its README")
    written = path.read_text(encoding="utf-8")
    places = [match["name"] for match in PLACE.finditer(written)]
    assert {name.partition("/")[0] for name in places} <= set(KEPT)
    again = front(written, KEPT)
    assert again == written, "cortexsim experiment NAME --from-rows writes it anew"


def test_the_projects_readme_gets_the_tables_of_an_experiment(compared: Path) -> None:
    inside = compared.parent / "experiments" / "mine"
    shutil.copytree(compared, inside)
    place = "<!-- table: {} -->\nold\n<!-- end -->\n"
    (compared.parent / "README.md").write_text(place.format("mine/a") + place.format("other/a"))
    redraw(str(inside))
    text = (compared.parent / "README.md").read_text()
    assert text.startswith("<!-- table: mine/a -->\n| learner | P = 8 |")
    assert text.endswith(place.format("other/a"))
    (compared.parent / "README.md").write_text(place.format("mine/b"))
    with pytest.raises(UserError, match="table 'mine/b' is not known"):
        redraw(str(inside))


def test_some_experiment_keeps_its_rows() -> None:
    assert KEPT


@pytest.fixture
def compared(tmp_path: Path) -> Path:
    """An experiment that was run, with its rows copied to where they are kept."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "comparisons.toml").write_text(COMPARISONS)
    (folder / "README.md").write_text(README.format("a", "a") + README.format("a layers", "figure"))
    open_experiment(str(folder)).run(Engine(tmp_path / "out", silent(), 1))
    shutil.copy(tmp_path / "out" / ROWS, folder)
    return folder


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """See, from when it is called, that nothing is trained."""

    def refuse(*_: object) -> None:
        raise AssertionError("a trial is run")

    return lambda: monkeypatch.setattr(engine, "run_in_folder", refuse)


def test_tables_and_figures_come_from_rows_alone(
    compared: Path,
    idle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    idle()
    rows = json.loads((compared.parent / "out" / "result.json").read_text())["rows"]
    monkeypatch.setattr(sys, "argv", ["cortexsim", "experiment", str(compared), "--from-rows"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "a.png, a.svg" in capsys.readouterr().out
    text = (compared / "README.md").read_text()
    for learner in ("hebb", "untrained"):
        for size in (8, 16):
            mean = sum(r["accuracy"] for r in rows if (r["learner"], r["samples"]) == (learner, size)) / 2
            assert f" {mean:.3f} ± " in text
    layers = [r["selectivity"][0] for r in rows if (r["learner"], r["samples"]) == ("untrained", 16)]
    assert f"| ({sum(layers) / 2:.2f} / " in text
    assert "old" not in text
    assert "Words." in text
    assert {path.name for path in compared.glob("*.*g")} == {"a.png", "a.svg"}
    assert readme(str(compared)) == text


def test_comparisons_are_set_side_by_side(tmp_path: Path) -> None:
    again = COMPARISONS.partition("\n[[")[2].replace('"a"', '"b"').replace("[8, 16]", "[12, 16]")
    across = '[[across]]\nname = "both"\ncomparisons = ["a", "b"]\nsamples = 16\n'
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "comparisons.toml").write_text(COMPARISONS + "[[" + again + across)
    (folder / "README.md").write_text(README.format("both", "across"))
    open_experiment(str(folder)).run(Engine(tmp_path / "out", silent(), 1))
    assert (tmp_path / "out" / "across.png").exists()
    shutil.copy(tmp_path / "out" / ROWS, folder)
    redraw(str(folder))
    rows = json.loads((tmp_path / "out" / "result.json").read_text())["rows"]
    head, _, first, second = PLACE.search((folder / "README.md").read_text())["text"].strip().splitlines()
    assert head == "| learner | a | b |"
    assert first.startswith("| `hebb` | ")
    untrained = [row for row in rows if row["learner"] == "untrained" and row["samples"] == 16]
    for name, cell in zip("ab", second.strip("| ").split(" | ")[1:], strict=True):
        found = [row["accuracy"] for row in untrained if row["comparison"] == name]
        assert cell.startswith(f"{sum(found) / 2:.3f} ± ")
    for wrong, complaint in (
        (across.replace("= 16", "= 8"), r"samples = 8: not in 'b' \(12, 16\)"),
        (across.replace('"b"', '"c"'), "comparison 'c' is not known"),
    ):
        (folder / "comparisons.toml").write_text(COMPARISONS + "[[" + again + wrong)
        with pytest.raises(UserError, match=complaint):
            open_experiment(str(folder))


def test_a_number_that_no_row_has_is_found_out(compared: Path) -> None:
    redraw(str(compared))
    text = (compared / "README.md").read_text()
    rows = [json.loads(line) for line in gzip.decompress((compared / ROWS).read_bytes()).decode().splitlines()]
    assert "key" not in rows[0]
    rows[0]["accuracy"] += 0.1
    (compared / ROWS).write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert readme(str(compared)) != text


def test_thresholds_come_from_rows_alone(tmp_path: Path, idle: Callable[[], None]) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thresholds.toml").write_text(THRESHOLDS)
    (folder / "README.md").write_text(README.format("depth", "figure"))
    assert ROWS in open_experiment(str(folder)).run(Engine(tmp_path / "out", silent(), 1))
    idle()
    shutil.copy(tmp_path / "out" / ROWS, folder)
    redraw(str(folder), tmp_path / "elsewhere")
    text = (tmp_path / "elsewhere" / "README.md").read_text()
    found = json.loads((tmp_path / "out" / "result.json").read_text())["thresholds"]
    assert found[1]["more_than"] == 64
    assert "| `untrained` | > 23 | > 64 |" in text
    assert "| n_c m^L | 16 | 32 |" in text
    assert "old" in (folder / "README.md").read_text()
    assert (tmp_path / "elsewhere" / "figure.png").exists()
    assert not (tmp_path / "elsewhere" / "selectivity.png").exists()


def test_rows_that_do_not_fit_the_plan_are_named(compared: Path) -> None:
    (compared / "comparisons.toml").write_text(COMPARISONS.replace("[8, 16]", "[8, 12]"))
    with pytest.raises(UserError, match=r"no row of part a, learner hebb, .*samples 8.*run the experiment again"):
        redraw(str(compared))
    (compared / ROWS).write_bytes(b"no rows")
    with pytest.raises(UserError, match=f"{ROWS}: not a gzip file"):
        redraw(str(compared))
    (compared / ROWS).write_bytes(gzip.compress(b"{}"))
    with pytest.raises(UserError, match=f"{ROWS}: damaged"):
        redraw(str(compared))
    (compared / ROWS).unlink()
    with pytest.raises(UserError, match=f"{ROWS}: No such file"):
        redraw(str(compared))


def test_outcomes_of_a_search_become_a_table(tmp_path: Path) -> None:
    last = {"stage": 2, "accuracy": {"8": 0.75}, "worst": {"8": 0.5}, "at_edge": {"training.eta": "high"}}
    as_it_is = {**last, "stage": 1, "values": {}, "accuracy": {"8": 0.25}, "at_edge": {}}
    entries = [
        {**last, "values": {"training.eta": 0.3, "training.batch": 8}},
        as_it_is,
        {**as_it_is, "values": {"x": 1}},
    ]
    (tmp_path / "outcome-wide.json").write_text(json.dumps({"outcome": {"hebb": entries}}))
    (tmp_path / "README.md").write_text(README.format("wide", "figure"))
    redraw(str(tmp_path))
    text = (tmp_path / "README.md").read_text()
    assert "| `hebb` | 3 | 2 | 8 | 0.750 (0.500) | eta 0.3*, batch 8 |" in text
    assert "| `hebb` |  | 1 | 8 | 0.250 (0.500) | those of the model |" in text
    assert "x 1" not in text
    (tmp_path / "README.md").write_text(README.format("wide best", "figure"))
    redraw(str(tmp_path))
    best = (tmp_path / "README.md").read_text()
    assert "| `hebb` | 3 | 2 | 8 | 0.750 (0.500) | eta 0.3*, batch 8 |" in best
    assert "those of the model" not in best
    (tmp_path / "outcome-wide.json").write_text("{}")
    with pytest.raises(UserError, match=r"outcome-wide\.json: damaged"):
        redraw(str(tmp_path))


def test_places_of_tables_are_known_and_whole() -> None:
    tables = {"a": "A", "b": "B"}
    text = "x\n<!-- table: a -->\n<!-- end -->\ny\n<!-- table: b -->\n1\n2\n<!-- end -->\nz\n"
    whole = fill(text, tables)
    assert whole == "x\n<!-- table: a -->\nA\n<!-- end -->\ny\n<!-- table: b -->\nB\n<!-- end -->\nz\n"
    assert fill(whole, tables) == whole
    with pytest.raises(UserError, match="table 'aa' is not known"):
        fill(text.replace(": a ", ": aa "), tables)
    with pytest.raises(UserError, match="has no '<!-- end -->'"):
        fill("<!-- table: a -->\n<!-- table: b -->\n<!-- end -->\n", tables)
