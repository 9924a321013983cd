"""What is done from Python is what the command line does."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import cortexsim
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.storage.run_directory import RunFolder
from cortexsim.studies.single_run import train_one
from cortexsim.tasks.rhm import Hierarchy

SMALL = {"depth": 2, "features": 4, "multiplicity": 2}
QUICK = {"training.epochs": 2, "readout.epochs": 3}


def kept(folder: Path, model: str = "clapp", target: str = "cpp") -> RunFolder:
    settings = {"readout.epochs": 3} if model == "untrained" else QUICK
    trial = Trial(cortexsim.load_model(model, settings), Hierarchy(4, 2, 2), 16, 16, 0, 0, target=target)
    found = RunFolder.begin(folder, trial)
    train_one(found, Console(quiet=True), 0.0)
    return found


def test_a_run_that_was_kept_answers_as_one_that_was_trained_here(tmp_path: Path) -> None:
    kept(tmp_path / "run")
    read, here = cortexsim.load_run(tmp_path / "run"), cortexsim.train("clapp", SMALL, samples=16, settings=QUICK)
    assert read.accuracy == here.accuracy
    assert read.weights.keys() == here.weights.keys()
    assert all(np.array_equal(read.weights[name], here.weights[name]) for name in read.weights)
    for one, other in zip(read.activities(), here.activities(here.test.inputs), strict=True):
        assert np.array_equal(one, other)
    assert "test accuracy" in repr(read)
    assert "participation" in read._repr_html_()
    for shown in (read.network, read.record(4), read.test):
        assert len(repr(shown)) < 100
        assert repr(shown).startswith("<")


def test_a_run_without_a_checkpoint_cannot_be_read(tmp_path: Path) -> None:
    trial = Trial(cortexsim.load_model("clapp", QUICK), Hierarchy(4, 2, 2), 16, 16, 0, 0)
    RunFolder.begin(tmp_path / "run", trial)
    with pytest.raises(UserError, match=r"no checkpoint yet \(cortexsim train --resume"):
        cortexsim.load_run(tmp_path / "run")


def test_spikes_come_population_by_population_in_seconds() -> None:
    run = cortexsim.train("clapp-spiking", SMALL, samples=8, settings={**QUICK, "network.cells": 4}, target="numpy")
    shown = run.test.inputs[:3]
    spikes = run.spikes(shown)
    assert {"input", "layer1", "layer2"} <= spikes.keys()
    times, cells = spikes["input"]
    fixation = 0.1 + 0.05
    assert 0 <= times.min() < times.max() < 3 * 10 * fixation
    assert cells.max() < shown[0].size
    with pytest.raises(UserError, match="no layer of this model spikes"):
        cortexsim.train("untrained", SMALL, samples=8, settings={"readout.epochs": 2}).spikes()


def test_a_notebook_shows_a_table_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda *parts: shown.append(parts))
    run = cortexsim.train("untrained", SMALL, samples=8, settings={"readout.epochs": 2})
    assert "participation" in run._repr_html_()
    assert not shown


def test_a_comparison_gives_rows_a_table_and_a_figure(tmp_path: Path) -> None:
    found = cortexsim.compare(["clapp", "untrained"], SMALL, [8, 16], seeds=2, settings=QUICK, out=tmp_path / "out")
    assert len(found.rows) == 8
    frame = found.frame()
    assert set(frame["learner"]) == {"clapp", "untrained"}
    assert frame.groupby("samples")["accuracy"].mean().index.tolist() == [8, 16]
    assert len(found.figure().axes) == 4
    assert "clapp" in found._repr_html_()
    again = cortexsim.load_results(tmp_path / "out")
    assert again["accuracy"].tolist() == frame["accuracy"].tolist()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "result.json"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(UserError, match=r"contains other files, such as result\.json"):
        cortexsim.compare(["untrained"], SMALL, [8], seeds=1, settings=QUICK, out=mine.parent)
    assert mine.read_text() == "mine"
    cortexsim.compare(["untrained"], SMALL, [8], seeds=1, settings=QUICK, out=tmp_path / "out")
    before = (tmp_path / "out" / "result.json").read_bytes()
    with pytest.raises(UserError, match=r"was started with samples\.1 = 8, not 16"):
        cortexsim.compare(["untrained"], SMALL, [16], seeds=1, settings=QUICK, out=tmp_path / "out")
    with pytest.raises(UserError, match="a folder of `cortexsim compare`"):
        cortexsim.threshold(["untrained"], [2], {"features": 4}, grammars=1, cap=8, alone=True, out=tmp_path / "out")
    assert (tmp_path / "out" / "result.json").read_bytes() == before


def test_a_task_that_no_file_defines_is_trained_on_and_never_taken_for_another() -> None:
    class Scrambled(Hierarchy):
        pass

    task = Scrambled(4, 2, 2)
    assert cortexsim.train("untrained", task, 16, {"readout.epochs": 2}).trial.task is task
    with pytest.raises(UserError, match="task Scrambled: of a class in Python"):
        cortexsim.compare(["untrained"], task, [8], seeds=1, settings=QUICK)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: cortexsim.train("clapp", SMALL, samples=0), "samples = 0: not a whole number of at least 2"),
        (lambda: cortexsim.train("clapp", SMALL, samples=16.0), "samples = 16.0: not a whole number"),
        (lambda: cortexsim.train("clapp", SMALL, samples=True), "samples = True: not a whole number"),
        (lambda: cortexsim.train("clapp", SMALL, 16, seed=-1), "seed = -1: not a whole number of at least 0"),
        (lambda: cortexsim.train("clapp", SMALL, 16, device="gpu"), "--device gpu: not known"),
        (lambda: cortexsim.train("clapp", SMALL, 16, target="c"), "--target c: not known"),
        (lambda: cortexsim.compare(["clapp"], SMALL, samples=8), "samples = 8: not a list"),
        (lambda: cortexsim.compare(["clapp"], SMALL, samples=[]), r"samples = \[\]: not a list of one or more"),
        (lambda: cortexsim.compare("clapp", SMALL, [8]), "models = 'clapp': not a list"),
        (lambda: cortexsim.compare(["clapp"], SMALL, [8], seeds=0), "seeds = 0: not a whole number of at least 1"),
        (lambda: cortexsim.compare(["clapp"], SMALL, [8], workers=-1), "workers = -1: not a whole number"),
        (lambda: cortexsim.threshold([]), r"models = \[\]: not a list"),
        (lambda: cortexsim.threshold(["clapp"], depth=2), "depth = 2: not a list"),
    ],
)
def test_an_argument_that_is_impossible_is_named(call: Callable[[], object], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        call()


def test_numbers_of_numpy_are_numbers() -> None:
    assert cortexsim.train("untrained", SMALL, np.int64(16), {"readout.epochs": 2}).trial.samples == 16


def test_inputs_of_another_shape_are_not_taken_for_samples() -> None:
    run = cortexsim.train("untrained", SMALL, 16, {"readout.epochs": 2})
    shown = run.test.inputs[:4]
    for inputs in (shown[:, :2], shown[0], np.zeros((3, 2, 8), np.float32)):
        with pytest.raises(UserError, match=r"inputs of shape \(samples, .*\): this run has \(samples, \*\(4, 4\)\)"):
            run.activities(inputs)
    assert np.array_equal(run.activities(np.asfortranarray(shown))[0], run.activities(shown)[0])
    with pytest.raises(UserError, match=r"--fixations 0: this run has .* test samples \(1 to "):
        run.record(0)


def test_models_are_compared_on_the_task_that_they_are_for(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('learner = "untrained"\n[task]\nname = "sequence"\n[readout]\nepochs = 2\n')
    found = cortexsim.compare([tmp_path / "mine.toml", "untrained"], samples=[16], seeds=1)
    assert found.comparison.task.name == "sequence"
    (tmp_path / "other.toml").write_text('learner = "untrained"\n[task]\nname = "digits"\n')
    with pytest.raises(UserError, match="configured for different tasks"):
        cortexsim.compare([tmp_path / "mine.toml", tmp_path / "other.toml"], samples=[16], seeds=1)


def test_thresholds_stand_beside_backpropagation_and_the_control() -> None:
    found = cortexsim.threshold(["backprop-plain"], [2], {"features": 4, "multiplicity": 2}, grammars=2, cap=16)
    assert [entry["model"] for entry in found.entries] == ["backprop", "backprop-plain", "untrained"]
    assert "P*" in found._repr_html_()
    assert len(found.frame()) == 3


def test_results_are_read_from_whatever_holds_them(tmp_path: Path) -> None:
    kept(tmp_path / "runs" / "one", "untrained")
    for path in (tmp_path / "runs" / "one", tmp_path / "runs"):
        assert cortexsim.load_results(path)["learner"].tolist() == ["untrained"]
    rows = Path(cortexsim.__file__).parent.parent / "experiments" / "plain_sgd" / "rows.jsonl.gz"
    assert set(cortexsim.load_results(rows)["learner"]) == {"clapp-sgd", "untrained"}
    point = {"learner": "clapp", "accuracy": 0.5, "seed": 1, "point": {"training.eta": 0.1, "seed": 1}}
    (tmp_path / "sweep.json").write_text(json.dumps({"rows": [point]}))
    assert cortexsim.load_results(tmp_path / "sweep.json").to_dict("records") == [
        {"training.eta": 0.1, "seed": 1, "learner": "clapp", "accuracy": 0.5}
    ]
    (tmp_path / "bad.json").write_text(json.dumps({"nothing": 1}))
    with pytest.raises(UserError, match=r"bad\.json: no results"):
        cortexsim.load_results(tmp_path / "bad.json")
    with pytest.raises(UserError, match="No such file"):
        cortexsim.load_results(tmp_path / "none.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no results in it"):
        cortexsim.load_results(tmp_path / "empty")
