"""Weights over time from the command line: what can be asked for, and what is written."""

import sys
from pathlib import Path

import pytest

import cortexsim
from cortexsim import cli
from cortexsim.config.registry import find_model
from cortexsim.errors import UserError
from cortexsim.storage.weight_file import WeightSampling
from cortexsim.studies.sampling import checked_sampling

MODEL = """
learner = "local"
[task]
depth = 2
features = 4
multiplicity = 2
[network]
cells = 4
[rule]
name = "clapp"
[training]
epochs = 2
[readout]
epochs = 2
"""
Given = tuple[str | None, int | None, str | None]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, None, None), None),
        (("weights", None, None), WeightSampling(32, 64)),
        (("weights", 5, "7"), WeightSampling(5, 7)),
        (("weights", 5, "all"), WeightSampling(5, None)),
    ],
)
def test_an_epoch_and_64_synapses_are_recorded_unless_others_are_asked_for(
    given: Given, expected: WeightSampling | None
) -> None:
    assert checked_sampling(*given, find_model("clapp"), 32) == expected


@pytest.mark.parametrize(
    ("model", "given", "complaint"),
    [
        ("clapp", (None, 5, None), "--every 5: nothing is recorded (add --record weights, or leave it out)"),
        ("clapp", (None, None, "all"), "--synapses all: nothing is recorded"),
        ("clapp", ("weight", None, None), "--record weight: not known (did you mean 'weights'?)"),
        ("clapp", ("weights", 5, "0"), "--synapses 0: not a number of synapses, such as 64, nor 'all'"),
        ("clapp", ("weights", 5, ""), "--synapses '': not a number"),
        ("clapp", ("weights", 5, "9" * 5000), ": not a number of synapses"),
        ("untrained", ("weights", 5, None), "--record weights: untrained learns nothing"),
    ],
    ids=str,
)
def test_what_cannot_be_recorded_gets_one_line(model: str, given: Given, complaint: str) -> None:
    with pytest.raises(UserError) as told:
        checked_sampling(*given, find_model(model), 32)
    assert complaint in str(told.value)


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["cortexsim", "train", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_a_command_records_draws_and_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = tmp_path / "mine.toml", tmp_path / "run"
    model.write_text(MODEL)
    asked = [str(model), "--samples", "16", "--out", str(out), "--record", "weights"]
    assert run(monkeypatch, *asked, "--every", "0") == 2
    assert "'--every'" in capsys.readouterr().err
    assert not out.exists()
    assert run(monkeypatch, *asked, "--synapses", "3") == 0
    said = capsys.readouterr().out
    assert "Weights of 6 synapses at 3 times" in said
    assert "weights_over_time.safetensors" in said.splitlines()[-1]
    assert "layer 1, context weights" in (out / "weights_over_time.svg").read_text()
    assert (out / "weights_over_time.png").stat().st_size > 10_000
    assert "Weights over time" in (out / "report.html").read_text()
    over_time = cortexsim.load_run(out).weights_over_time
    assert over_time is not None
    assert over_time.fixations.tolist() == [0, 16, 32]
    assert run(monkeypatch, *asked, "--synapses", "4") == 2
    assert "records other weights" in capsys.readouterr().err
    assert run(monkeypatch, "--resume", str(out), "--every", "3") == 2
    assert "--every: --resume goes on with the run's own settings" in capsys.readouterr().err
    assert run(monkeypatch, "--resume", str(out)) == 0
