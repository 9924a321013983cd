"""Values of models: numbers that are numbers, quantities within bounds, and one set of defaults."""

from dataclasses import fields
from pathlib import Path

import pytest

from cortexsim.config.overrides import parse_assignment
from cortexsim.config.registry import read_model
from cortexsim.config.schema import Model, TrainingTable
from cortexsim.config.validation import read
from cortexsim.config.values import ModulatorTable, SpikingTable, settings
from cortexsim.errors import UserError
from cortexsim.spiking import Control, Settings
from cortexsim.spiking.cells import load_cell

SPIKING = 'learner = "local"\n[rule]\nname = "clapp"\n[network]\nshared = false\nsubstrate = "spiking"\n'


def test_settings_made_in_python_are_those_of_an_empty_table() -> None:
    training = TrainingTable()
    rates = (training.eta, training.context_eta, training.feedback_eta, training.weight_decay)
    found = settings(SpikingTable(), {"surprise": ModulatorTable()}, *rates)
    expected = Settings(cell=load_cell(str(Settings().cell)), control={"surprise": Control()})
    assert {field.name: getattr(found, field.name) for field in fields(Settings)} == {
        field.name: getattr(expected, field.name) for field in fields(Settings)
    }


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('fixation = "1e300 ms"', "spiking.fixation = '1e300 ms': .*beyond all bounds"),
        ('fixation = "1e-300 ms"', "beyond all bounds"),
        ('fixation = "200 s"', "200005 time steps .at most 100000"),
        ('blank = "1e300 ms"', "beyond all bounds"),
        ('dt = "1e-300 ms"', "beyond all bounds"),
        ('dt = "1e-4 ms"', "time steps .at most 100000"),
        ('tau_eligibility = "1e300 s"', "beyond all bounds"),
        ('input_rate = "1e300 Hz"', "beyond all bounds"),
        ('parameters = { tau_membrane = "1e300 ms" }', "parameters.tau_membrane = '1e300 ms' is beyond all bounds"),
        ("parameters = { beta = true }", "spiking.parameters.beta"),
        ("gain = true", "spiking.gain = True"),
        ('gain = "4"', "spiking.gain = '4'"),
        ("mean_rate = true", "spiking.mean_rate = True"),
        ('[modulator.surprise]\ndelay = "1e300 s"', "modulator.surprise.delay = '1e300 s': .*beyond all bounds"),
        ('[modulator.surprise]\ndelay = "6500 s"', "delay = 6.5e\\+06 ms is 100000 fixations .at most 1000"),
        ("[training]\neta = true", "training.eta = True: "),
        ('[training]\neta = "1"', "training.eta = '1': "),
        ('[training]\nwarm_up = "0.1"', "training.warm_up = '0.1'"),
        ("[training]\nepochs = true", "training.epochs = True"),
        ("[rule.constants]\nmargin = true", "rule.constants.margin = True"),
    ],
)
def test_values_beyond_reason_get_one_line(tmp_path: Path, line: str, complaint: str) -> None:
    if line.startswith("[rule"):
        text = SPIKING.replace("[network]", f"{line}\n[network]")
    else:
        text = f"{SPIKING}[spiking]\n{line}\n"
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UserError, match=complaint) as refused:
        read_model(tmp_path / "mine.toml")
    assert "\n" not in str(refused.value)
    assert "mine.toml" in str(refused.value)


def test_whole_numbers_are_numbers_too(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('learner = "backprop"\n[training]\neta = 1\nweight_decay = 0\n')
    assert read_model(tmp_path / "mine.toml").training.eta == 1.0


def test_arrays_nested_too_deep_get_one_line(tmp_path: Path) -> None:
    nested = "[" * 2000 + "]" * 2000
    (tmp_path / "mine.toml").write_text(f'learner = "backprop"\n[network]\nsubstrate = {nested}\n')
    with pytest.raises(UserError, match=r"mine.toml: arrays or tables are nested too deep"):
        read(tmp_path / "mine.toml", Model)
    with pytest.raises(UserError, match=r"--grid training.eta: values are nested too deep"):
        parse_assignment("--grid", f"training.eta={nested}")
