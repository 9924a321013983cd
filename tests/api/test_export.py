"""Files that other programs read: nothing is lost on the way, and validators find nothing wrong."""

import csv
import json
import random
import re
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cortexsim
from cortexsim import cli
from cortexsim.api import Recording
from cortexsim.api.tables import flat, write_parquet
from cortexsim.config.trial import Trial
from cortexsim.storage.run_directory import RunFolder
from cortexsim.storage.weight_file import WeightSampling
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.checkpointing import run_in_folder
from tests.fuzz import broken_words
from tests.test_fuzz import names, outcome

SETTINGS = {"training.epochs": 1, "readout.epochs": 2, "network.cells": 3}
SPIKING = {**SETTINGS, "spiking.fixation": "8 ms", "spiking.blank": "4 ms"}
SHOWN = 3


def stored(folder: Path, model: str, settings: dict[str, Any]) -> Path:
    trial = Trial(cortexsim.load_model(model, settings), Hierarchy(4, 2, 2), 8, 8, 0, 0, target="numpy")
    RunFolder.begin(folder, trial, WeightSampling(every=4, synapses=5))
    run_in_folder(trial, folder)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        "rate": stored(folder / "rate", "clapp", SETTINGS),
        "spiking": stored(folder / "spiking", "clapp-psp", SPIKING),
    }


def export(monkeypatch: pytest.MonkeyPatch, run: Path, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["cortexsim", "export", str(run), "--fixations", str(SHOWN), *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def recorded(run: Path) -> Recording:
    return cortexsim.load_run(run).record(SHOWN)


def test_a_setting_that_is_a_word_or_a_number_is_text_in_parquet(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    write_parquet(tmp_path / "rows.parquet", [{"input_rms": "none", "seed": 0}, {"input_rms": 1.0, "seed": 1}])
    read = pandas.read_parquet(tmp_path / "rows.parquet")
    assert (list(read["input_rms"]), list(read["seed"])) == (["none", "1.0"], [0, 1])


@pytest.mark.parametrize("name", ["rate", "spiking"])
def test_a_file_of_nwb_is_valid_and_holds_what_was_recorded(
    name: str, runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pynwb = pytest.importorskip("pynwb")
    assert export(monkeypatch, runs[name], "--nwb", str(tmp_path / "run.nwb")) == 0
    assert pynwb.validate(path=str(tmp_path / "run.nwb")) in ([], ([], 0))
    run, expected = cortexsim.load_run(runs[name]), recorded(runs[name])
    with pynwb.NWBHDF5IO(tmp_path / "run.nwb", "r") as file:
        found = file.read()
        module = found.processing["plasticity"]
        for key, weights in run.weights.items():
            assert np.array_equal(np.reshape(module[key].data[0], weights.shape), weights), key
        for layer, activity in enumerate(expected.activity, 1):
            assert np.array_equal(module[f"activity_layer{layer}"].data[:], activity)
        for key, values in expected.modulators.items():
            assert np.array_equal(module[f"modulator_{key}"].data[:], values)
        over_time = run.weights_over_time
        assert over_time is not None
        for key, synapses in over_time.items():
            series, table = module[f"{key}_over_time"], module[f"{key}_synapses"].to_dataframe()
            assert np.array_equal(series.data[:], synapses.weights)
            assert np.array_equal(series.timestamps[:], (over_time.fixations - 8) * expected.period)
            assert list(table["pre"]) == list(synapses.pre)
            assert list(table["post"]) == list(synapses.post)
        assert json.loads(found.source_script)["trial"] == json.loads((runs[name] / "run.json").read_text())["trial"]
        assert json.loads(found.notes)["accuracy"] == run.accuracy
        trials = found.trials.to_dataframe()
        units = None if found.units is None else found.units.to_dataframe()
    assert list(trials["label"]) == list(np.repeat(expected.labels, expected.halves))
    assert list(trials["contrast"]) == ([-1.0, 1.0] if name == "spiking" else [1.0]) * SHOWN
    assert trials["stop_time"].iloc[-1] == pytest.approx(expected.duration)
    assert (units is None) is (name == "rate")
    if units is not None:
        assert sum(expected.sizes.values()) == len(units)
        assert expected.modulators
        assert expected.spikes["input"].shape[1] > 0
        for population, (times, cells) in expected.spikes.items():
            own = units[units["population"] == population]
            for cell, spikes in zip(own["cell"], own["spike_times"], strict=True):
                assert np.array_equal(spikes, times[cells == cell])


def test_neo_reads_the_spikes(runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pynwb")
    neo = pytest.importorskip("neo")
    assert export(monkeypatch, runs["spiking"], "--nwb", str(tmp_path / "run.nwb")) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of neo's own parts.
        segments = neo.io.NWBIO(str(tmp_path / "run.nwb"), mode="r").read_all_blocks()[0].segments
    trains = [train for segment in segments for train in segment.spiketrains]
    assert 0 < sum(map(len, trains)) == sum(times.size for times, _ in recorded(runs["spiking"]).spikes.values())


def test_arrays_and_tables_hold_what_was_recorded(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {kind: tmp_path / f"run.{kind}" for kind in ("npz", "csv", "parquet")}
    words = [word for kind, path in files.items() for word in (f"--{kind}", str(path))]
    assert export(monkeypatch, runs["spiking"], *words, "--activities") == 0
    run, expected = cortexsim.load_run(runs["spiking"]), recorded(runs["spiking"])
    with np.load(files["npz"]) as arrays:
        assert all(np.array_equal(arrays[f"weights/{name}"], values) for name, values in run.weights.items())
        assert all(np.array_equal(arrays[f"spikes/{name}"], values) for name, values in expected.spikes.items())
        assert np.array_equal(arrays["activity/layer2"], expected.activity[1])
        over_time = run.weights_over_time
        assert over_time is not None
        assert np.array_equal(arrays["weights_over_time/fixations"], over_time.fixations)
        for name, synapses in over_time.items():
            assert np.array_equal(arrays[f"weights_over_time/{name}"], synapses.weights)
            assert np.array_equal(arrays[f"weights_over_time/{name}/pre"], synapses.pre)
        assert np.array_equal(arrays["labels"], expected.labels)
    with files["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(values.size for values in expected.activity)
    for row in rows[::7]:
        place = tuple(int(row[name]) for name in ("fixation", "position", "cell"))
        assert float(row["activity"]) == expected.activity[int(row["layer"]) - 1][place]
    parquet = pytest.importorskip("pandas").read_parquet(files["parquet"])
    assert list(parquet["activity"]) == [float(row["activity"]) for row in rows]


def test_a_table_of_weights_has_a_row_per_synapse_and_time(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pandas = pytest.importorskip("pandas")
    files = ["--csv", str(tmp_path / "weights.csv"), "--parquet", str(tmp_path / "weights.parquet")]
    assert export(monkeypatch, runs["rate"], *files, "--weights") == 0
    over_time = cortexsim.load_run(runs["rate"]).weights_over_time
    assert over_time is not None
    for table in (pandas.read_csv(tmp_path / "weights.csv"), pandas.read_parquet(tmp_path / "weights.parquet")):
        assert len(table) == sum(synapses.weights.size for synapses in over_time.values())
        for (name, fixation), several in table.groupby(["synapses", "fixation"]):
            row = int(np.searchsorted(over_time.fixations, fixation))
            assert np.array_equal(several["weight"].astype("float32"), over_time[name].weights[row])
            assert list(several["pre"]) == list(over_time[name].pre)
            assert list(several["post"]) == list(over_time[name].post)


def test_a_table_of_results_has_a_row_per_trial(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert export(monkeypatch, runs["rate"], "--csv", str(tmp_path / "rows.csv")) == 0
    with (tmp_path / "rows.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    result = RunFolder(runs["rate"]).result
    assert result is not None
    assert float(row["accuracy"]) == result["accuracy"]
    assert [float(row[f"selectivity_{layer}"]) for layer in (1, 2)] == result["selectivity"]
    assert flat(result).keys() == row.keys()


def test_what_cannot_be_exported_gets_one_line(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "there.csv"
    there.write_text("mine")
    for words, complaint in (
        ([], "export: name a file to write (--nwb, --npz, --csv or --parquet FILE)"),
        (["--csv", str(there)], f"--csv {there}: is there already (give another name, or remove it)"),
        (["--npz", str(tmp_path / "no" / "a.npz")], "there is no folder"),
        (["--nwb", str(tmp_path / "a.h5")], "the name has to end in .nwb"),
        (["--npz", str(tmp_path / "a.npz"), "--fixations", "99"], "--fixations 99: this run has 8 test samples"),
        (["--csv", str(tmp_path / "a.csv"), "--weights", "--activities"], "--weights: not with --activities"),
    ):
        assert export(monkeypatch, runs["rate"], *words) == 2
        assert complaint in capsys.readouterr().err
    RunFolder.begin(tmp_path / "plain", RunFolder(runs["rate"]).trial)
    assert export(monkeypatch, tmp_path / "plain", "--csv", str(tmp_path / "a.csv"), "--weights") == 2
    assert "did not record them (cortexsim train MODEL --record weights)" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "plain")
    for name, text in (("empty.jsonl", ""), ("numbers.jsonl", "1\n2\n"), ("words.txt", "mine")):
        (tmp_path / "wrong").mkdir(exist_ok=True)
        (tmp_path / "wrong" / name).write_text(text)
        assert export(monkeypatch, tmp_path / "wrong" / name, "--csv", str(tmp_path / "rows.csv")) == 2
        assert "no results (result.json, rows.jsonl or rows.jsonl.gz)" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "wrong")
    assert there.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [there]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pynwb", None)
        assert export(patch, runs["rate"], "--nwb", str(tmp_path / "a.nwb")) == 2
        assert "--nwb needs pynwb (pip install 'cortexsim[nwb]')" in capsys.readouterr().err


LINES = [
    ["export", "nowhere", "--npz", "run.npz", "--fixations", "3"],
    ["export", "nowhere", "--csv", "rows.csv", "--activities"],
    ["export", "nowhere", "--parquet", "weights.parquet", "--weights"],
    ["export", "rows.jsonl", "--csv", "rows.csv", "--parquet", "rows.parquet"],
]


def test_a_broken_command_line_gets_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"accuracy": 0.5}\n')
    for number in range(60):
        draw = random.Random(number)
        words = broken_words(draw.choice(LINES), draw)
        code, said = outcome(monkeypatch, capsys, words)
        assert code in (0, 2), f"{words}: {said}"
        if code == 2:
            assert re.fullmatch(r"cortexsim: [^\n]+\n", said), f"{words}: {said}"
            assert names(words, said), f"{words}: {said}"
        for path in set(tmp_path.iterdir()) - {tmp_path / "rows.jsonl"}:
            path.unlink()
