"""Runs on disk, listed and set side by side on a page."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cortexsim import cli
from cortexsim.analysis import history
from cortexsim.config.overrides import changed
from cortexsim.errors import UserError
from cortexsim.report.run_index import StoredRun, differences, find_runs, read_runs, swept
from cortexsim.report.run_pages import write
from cortexsim.storage.run_directory import RunFolder
from tests.training.test_survival import finished, trial

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that are finished, one that is not, and one that cannot be read."""
    path = tmp_path_factory.mktemp("runs")
    for name in ("clapp", "weight-mirror"):
        folder = RunFolder.begin(path / name, trial(name, path))
        folder.finish({**finished(folder)[0], "seconds": 1.0})
    RunFolder.begin(path / "sweep" / "points" / "hebb", trial("hebb", path))
    (path / "broken").mkdir()
    (path / "broken" / "run.json").write_text("{")
    return path


def test_runs_are_found_and_those_that_cannot_be_read_are_told_of(
    several: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    found = {run.name: run.state for run in find_runs(several, told.append)}
    assert found == {"clapp": "finished", "sweep/hebb": "begun", "weight-mirror": "finished"}
    assert len(told) == 1
    assert "run.json: not a JSON file" in told[0]
    with pytest.raises(UserError, match="not a JSON file"):
        find_runs(several)
    monkeypatch.setattr(sys, "argv", ["cortexsim", "runs", str(several)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    for name in ("clapp", "weight-mirror", "sweep/points/hebb"):
        assert any(line.strip().startswith(str(several / name)) for line in shown.splitlines())
    assert "finished" in shown
    assert "begun" in shown


def test_what_differs_is_named_and_nothing_else(several: Path) -> None:
    found = differences(read_runs([several / "clapp", several / "weight-mirror", several / "clapp"]))
    assert found["model.rule.name"] == ["clapp", "weight_mirror"]
    assert "samples" not in found
    assert not any(key.startswith("versions") for key in found)


def test_sizes_are_said_once_as_they_were_and_no_substrate_that_is_not_there(several: Path) -> None:
    clapp, hebb = read_runs([several / "clapp", several / "sweep"])
    for run in (clapp, hebb):
        assert run.configuration()["task.depth"] == run.folder.trial.task.depth
        assert not any(
            key.startswith(("model.task", "model.spiking", "model.modulator")) for key in run.configuration()
        )
    written = json.loads((several / "clapp" / "result.json").read_text())["configuration"]
    assert written["model"]["training"]["samples"] == clapp.folder.trial.samples
    assert not {"task", "spiking", "modulator"} & set(written["model"])


def begun(path: Path, key: str, values: list[Any]) -> list[StoredRun]:
    """Runs with other values of a setting, each with two seeds."""
    for number, value in enumerate(values):
        asked = trial("clapp", path)
        for seed in (0, 1):
            other = replace(asked, model=changed(asked.model, {key: value}), seed=seed, grammar_seed=seed)
            RunFolder.begin(path / f"{number}-{seed}", other)
    return find_runs(path)


@pytest.mark.parametrize(
    ("key", "values", "scale"),
    [
        ("training.eta", [0.001, 0.004], "linear"),
        ("training.eta", [0.001, 0.01], "log"),
        ("rule.schedule", ["greedy", "simultaneous"], "linear"),
    ],
)
def test_accuracy_is_drawn_against_the_setting_that_was_swept(
    tmp_path: Path, key: str, values: list[Any], scale: str
) -> None:
    found = swept(begun(tmp_path, key, values))
    assert found == (key, [value for value in values for _ in (0, 1)])
    row = {"accuracy": 0.5, "chance": 0.25, "decoding": [0.5, 0.5]}
    axes = history.runs(dict.fromkeys("1234", row), dict.fromkeys("1234", ()), found).axes[0]
    assert (axes.get_xlabel(), axes.get_xscale()) == (key, scale)
    drawn = [float(line.get_xdata()[0]) for line in axes.lines[:4]]
    assert drawn == (found[1] if key == "training.eta" else [0, 0, 1, 1])
    assert [label.get_text() for label in axes.get_xticklabels()] == values or key == "training.eta"


def test_runs_that_differ_in_several_settings_are_drawn_by_number(several: Path) -> None:
    assert swept(read_runs([several / "clapp", several / "sweep"])) is None
    assert swept(read_runs([several / "clapp"])) is None


def test_a_page_is_self_contained(several: Path, tmp_path: Path) -> None:
    page = write(tmp_path / "page.html", read_runs([several / "clapp", several / "sweep"])).read_text()
    assert page.count("<svg") == page.count("</svg>") == page.count("<script>") == 1
    assert not re.search(r'(src|href)="(?!#)', page)
    assert page.count('<th><button type="button">') == page.count("<th>") > 10
    for words in ("What differs", "model.rule.name", "test accuracy", "rms of feedforward weights", "begun"):
        assert words in page


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_click_on_a_head_sorts(several: Path, tmp_path: Path) -> None:
    page = write(tmp_path / "page.html", read_runs([several / "clapp", several / "weight-mirror"]))
    click = (
        "<script>{ const h = document.querySelectorAll('th button')[COLUMN]; h.click(); if (DOWN) h.click(); }</script>"
    )
    shown = {}
    for column, down in ((0, "false"), (0, "true"), (7, "false")):
        script = click.replace("COLUMN", str(column)).replace("DOWN", down)
        (tmp_path / "clicked.html").write_text(page.read_text() + script)
        found = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'user'}",
             "--dump-dom", (tmp_path / "clicked.html").as_uri()],
            capture_output=True, text=True, timeout=120, check=True,
        ).stdout  # fmt: skip
        shown[column, down] = re.findall(r"<td>([^<]+)</td><td>[^<]+</td><td>40</td>", found)
    assert shown[0, "false"] == ["clapp", "weight-mirror"]
    assert shown[0, "true"] == ["weight-mirror", "clapp"]
    accuracies = [
        json.loads((several / name / "result.json").read_text())["rows"][0]["accuracy"] for name in shown[7, "false"]
    ]
    assert accuracies == sorted(accuracies)
