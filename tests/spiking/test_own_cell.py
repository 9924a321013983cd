"""A cell in a file of the user's: as the documentation writes it, and with each thing that can be wrong in it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cortexsim import cli
from cortexsim.config.consistency import cells_of
from cortexsim.config.registry import read_model
from cortexsim.config.schema import Model
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.spiking.cells import load_cell
from cortexsim.storage.run_directory import RunFolder
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.checkpointing import run_with_checkpoints
from cortexsim.training.measurement import prepare
from tests.pages import files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page on cells, in a folder outside the package, which is not the current one."""
    (tmp_path / "mine").mkdir()
    for name, text in files("howto/own_cell.md").items():
        (tmp_path / "mine" / name).write_text(text.replace("cells = 32", "cells = 8"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine"


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["cortexsim", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def trial(model: Model) -> Trial:
    return Trial(model, Hierarchy(4, 2, 2), 8, 4, 0, 0, target="numpy")


def finished(folder: RunFolder) -> tuple[float, bytes]:
    """Run to the end: spikes per sample, and the weights."""
    prepared = prepare(folder.trial)
    with folder.locked():
        row = run_with_checkpoints(folder, prepared, 0.0, print)
    weights = [tensor.detach().numpy() for tensor in prepared.learner.network.state().values()]
    assert all(np.isfinite(each).all() for each in weights)
    return row["spikes"], b"".join(each.tobytes() for each in weights)


def test_the_cell_of_the_page_makes_columns_that_spike(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "show", "mine/my_columns.toml") == 0
    model = read_model(Path("mine/my_columns.toml"))
    run = RunFolder.begin(Path("run"), trial(model))
    (folder / "my_cell.py").unlink()  # The run has a copy.
    spikes, weights = finished(run)
    assert spikes > 1
    for path in Path("run").glob("result.json"):
        path.unlink()
    assert finished(RunFolder(Path("run"))) == (spikes, weights)


def test_a_file_of_a_cell_is_part_of_what_a_run_is_known_by(folder: Path) -> None:
    file, model = folder / "my_cell.py", read_model(folder / "my_columns.toml")
    asked = trial(model)
    key, digest = asked.key, asked.settings_digest
    run = RunFolder.begin(folder / "run", asked)
    assert run.check() == []
    file.write_text(file.read_text() + "\n# The same cell.\n")
    assert asked.key == key
    file.write_text(file.read_text().replace('"b": "80.5 pA"', '"b": "90 pA"'))
    assert asked.key != key
    assert asked.settings_digest != digest
    with pytest.raises(UserError, match="holds another run"):
        RunFolder.begin(folder / "run", asked)
    assert run.check() == []
    (folder / "run" / "my_cell.py").write_text(file.read_text())
    with pytest.raises(UserError, match="its configuration, rule or cell model has changed"):
        RunFolder(folder / "run").check()


def test_a_cell_is_a_variable_of_a_module_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    assert load_cell("my_cell:CELL").name == "my_adex"
    (folder / "my_columns.toml").write_text(
        (folder / "my_columns.toml").read_text().replace("my_cell.py", "my_cell:CELL")
    )
    assert [cell.name for cell in cells_of(read_model(folder / "my_columns.toml"))] == ["my_adex"]


def without(text: str) -> Callable[[str], str]:
    return lambda file: file.replace(text, "")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (without('threshold="v > -10*mV",'), "cell 'my_adex': equations: 'rate' is missing"),
        (without("CELL = "), "holds no Cell named CELL"),
        (without('source="Brette & Gerstner 2005",'), "my_cell.py': TypeError"),
        (without(": amp"), "cell 'my_adex': equations: 'dadaptation/dt = .*cannot be read"),
        (lambda file: file.replace("adaptation += b", "adaptation += E_L"), "reset: adaptation = E_L is in V .in A."),
        (lambda file: file.replace("rheobase * drive", "drive"), "joins A and a number"),
        (lambda file: file.replace("source=", 'method="exact", source='), "method = 'exact': dv/dt = .*not linear"),
        (lambda file: file.replace("source=", 'method="rk5", source='), "method = 'rk5' is not known"),
        (lambda file: file.replace("adaptation", "w"), "'w' means something else in a layer"),
        (lambda _: "1 / 0", "my_cell.py': ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_wrong_in_a_file_gets_one_line(
    change: Callable[[str], str],
    complaint: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = folder / "my_cell.py"
    assert change(file.read_text()) != file.read_text()
    file.write_text(change(file.read_text()))
    with pytest.raises(UserError, match=complaint):
        load_cell("my_cell.py", folder)
    assert call(monkeypatch, "show", "mine/my_columns.toml") == 2
    printed = capsys.readouterr().err
    assert "spiking.cell: " in printed
    assert printed.count("\n") == 1


def test_two_files_of_one_name_are_not_mixed_up(folder: Path) -> None:
    model = folder / "my_columns.toml"
    (folder / "rules").mkdir()
    (folder / "rules" / "my_cell.py").write_text("from cortexsim.rules.hebb import RULE\n")
    model.write_text(model.read_text().replace('name = "hebb"', 'name = "rules/my_cell.py"'))
    with pytest.raises(UserError, match="are copied to one folder"):
        RunFolder.begin(folder / "run", trial(read_model(model)))
    assert not (folder / "run").exists()


@pytest.mark.parametrize(
    ("named", "complaint"),
    [("none.py", "cell file '.*none.py' does not exist"), ("nowhere:CELL", "cell 'nowhere:CELL': ModuleNotFoundError")],
)
def test_cells_that_are_not_there_are_named(named: str, complaint: str, folder: Path) -> None:
    model = folder / "my_columns.toml"
    model.write_text(model.read_text().replace("my_cell.py", named))
    with pytest.raises(UserError, match=f"spiking.cell: {complaint}"):
        cells_of(read_model(model))
