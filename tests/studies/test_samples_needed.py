"""The command that looks for how many samples models need: what it runs, and that it says no more than it knows."""

import io
import json
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console

from cortexsim import cli
from cortexsim.analysis.probes import activities
from cortexsim.config.building import readout
from cortexsim.config.trial import Trial
from cortexsim.studies.engine import Engine
from cortexsim.studies.samples_needed import beside, find, plan
from cortexsim.training.measurement import prepare
from tests.studies.test_thresholds import Learn, learn

__all__ = ["learn"]  # A fixture.
TOY = {"features": 8, "multiplicity": 3}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["cortexsim", "threshold", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def said(tmp_path: Path, names: list[str], seeds: int = 1, grammars: int = 3) -> str:
    console = Console(record=True, width=160, file=io.StringIO())
    sweep = plan(names, [3], TOY, grammars=grammars, seeds=seeds, grammar_seed=10, cap=2048)
    find(sweep, Engine(tmp_path, console, 1))
    return " ".join(console.export_text().split())


def fitted(trial: Trial) -> list[float]:
    """Fit a readout to each layer of an untrained network."""
    prepared = prepare(trial)
    test, truth = (torch.from_numpy(found) for found in (prepared.test.one_hot(), prepared.test.labels.astype("int64")))
    codes = zip(*(activities(prepared.learner.network, seen) for seen in (prepared.inputs, test.float())), strict=True)
    fit = readout(trial.model)
    classes = trial.task.classes
    return [fit.accuracy(code, prepared.labels, unseen, truth, classes, trial.seed) for code, unseen in codes]


@pytest.mark.parametrize(
    ("needed", "verdict"),
    [
        (200, "clapp needs fewer samples than backprop: 0.50 ("),
        (390, "clapp needs as many samples as backprop, within the interval: 1.00 ("),
        (800, "clapp needs more samples than backprop: 2.00 ("),
        (1e6, "clapp is not there with 2048 samples on 3 of 3 grammars, backprop 395 ("),
    ],
)
def test_a_verdict_is_no_stronger_than_the_interval(needed: float, verdict: str, tmp_path: Path, learn: Learn) -> None:
    law = {"backprop": 390.0, "clapp": needed, "untrained": 1e6}
    learn(lambda trial: law[trial.model.name])
    printed = said(tmp_path, beside(["clapp"]))
    assert verdict in printed
    assert printed.count("times as many") == (needed < 1e6)
    assert "backprop 395 (362 to 431)" in printed


def test_grammars_that_differ_leave_a_difference_in_the_mean_unsaid(tmp_path: Path, learn: Learn) -> None:
    law = {"backprop": lambda k: 390.0, "clapp": lambda k: (390.0, 390.0, 800.0)[k], "untrained": lambda k: 1e6}
    learn(lambda trial: law[trial.model.name](trial.grammar_seed - 10))
    assert "clapp needs as many samples as backprop, within the interval: 1.26 (" in said(tmp_path, beside(["clapp"]))


def test_one_grammar_has_no_interval_and_gets_no_verdict(tmp_path: Path, learn: Learn) -> None:
    learn(lambda trial: 390.0 if trial.model.name == "backprop" else 100.0)
    printed = said(tmp_path, ["backprop", "clapp"], grammars=1)
    assert "clapp needs 91 to 108 samples, backprop 362 to 431; there is no interval of their ratio" in printed


def test_seeds_come_within_grammars_and_unstable_learners_are_counted(tmp_path: Path, learn: Learn) -> None:
    def needed(trial):  # On the last grammar, each of two seeds fails at one size.
        return 1e6 if trial.model.name == "clapp" and trial.seed == 5 and trial.samples == 609 else 390.0

    calls = learn(needed)
    printed = said(tmp_path, ["backprop", "clapp"], seeds=2)
    assert {(trial.grammar_seed, trial.seed) for trial in calls} == {(10 + k % 3, k) for k in range(6)}
    assert "3 grammars x 2 seeds" in printed
    result = json.loads((tmp_path / "result.json").read_text())
    assert [entry["grammars"] for entry in result["thresholds"]] == [3, 3]
    stable = {entry["model"]: entry["stability"] for entry in result["thresholds"]}
    assert stable["backprop"] == {"samples": 609, "learned": 6, "runs": 6}
    assert stable["clapp"] == {"samples": 609, "learned": 5, "runs": 6}
    assert "5/6 at 609" in printed


def test_the_best_layer_of_an_untrained_network_is_the_control(tmp_path: Path) -> None:
    sweep = plan(["untrained"], [3], {"features": 4, "multiplicity": 2}, grammars=2, seeds=1, grammar_seed=0, cap=32)
    console = Console(record=True, width=160, file=io.StringIO())
    find(sweep, Engine(tmp_path, console, 1))
    rows = json.loads((tmp_path / "result.json").read_text())["rows"]
    assert [row["samples"] for row in rows] == [32, 32]
    for row in rows:
        assert len(row["readout_by_layer"]) == 3
        assert row["accuracy"] == row["readout_by_layer"][1]
    assert rows[0]["readout_by_layer"] == fitted(sweep.searches()[0].at(32))
    by_layer = [sum(values) / 2 for values in zip(*(row["readout_by_layer"] for row in rows), strict=True)]
    best = max(range(3), key=lambda k: by_layer[k])
    assert f"and {by_layer[best]:.3f} from its best layer, {best + 1} of 3." in console.export_text()
    assert "figure" not in {path.stem for path in tmp_path.glob("*.png")}


def test_a_search_is_gone_on_with_by_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], learn: Learn
) -> None:
    learn(lambda trial: 100.0)
    out = str(tmp_path / "out")
    sizes = ["--multiplicity", "3", "--depth", "2,3", "--grammars", "2", "--cap", "400", "--workers", "1"]
    assert run(monkeypatch, "clapp", *sizes, "--out", out) == 0
    first = capsys.readouterr().out
    for words in ("L = 2: v = 8, m = 3", "L = 3: v = 8, m = 3", "backprop", "untrained", "labels for", "runs.svg"):
        assert words in first
    assert (tmp_path / "out" / "figure.svg").exists()
    calls = learn(lambda trial: 100.0)
    assert run(monkeypatch, "--resume", out) == 0
    assert not calls
    again = capsys.readouterr().out
    assert again[again.index("L = 2") : again.index("Took")] == first[first.index("L = 2") : first.index("Took")]
    rows = json.loads((tmp_path / "out" / "result.json").read_text())["rows"]
    assert {row["learner"] for row in rows} == {"backprop", "clapp", "untrained"}
    assert run(monkeypatch, "clapp", "--alone", *sizes, "--out", str(tmp_path / "alone")) == 0
    rows = json.loads((tmp_path / "alone" / "result.json").read_text())["rows"]
    assert {row["learner"] for row in rows} == {"clapp"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "threshold: name a model, such as clapp"),
        (["clap"], "did you mean 'clapp'"),
        (["clapp", "clapp"], "'clapp' is given more than once"),
        (["clapp", "--depth", "3,x"], "--depth 3,x: not a list of whole numbers (such as 3,4)"),
        (["clapp", "--depth", "3,0"], "--depth 0: too small"),
        (["clapp", "--multiplicity", "9"], "L = 3: hierarchy: multiplicity = 9"),
        (["clapp", "--features", "1"], "features = 1"),
        (["clapp", "--cap", "1"], "--cap"),
        (["clapp", "--target", "cp"], "--target cp: not known (did you mean 'cpp'?)"),
        (["clapp", "--resume", "here"], "MODEL"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
