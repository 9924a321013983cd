"""What a result says of the code that made it, and what a finished row is known by."""

import ast
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import cortexsim
from cortexsim.config import provenance, trial
from cortexsim.config.provenance import DATA, PRESENTATION, code_state, git_state
from cortexsim.config.registry import find_model
from cortexsim.errors import UserError
from cortexsim.spiking import cells
from cortexsim.storage.run_directory import RunFolder
from tests.training.test_survival import trial as toy

PACKAGE = Path(cortexsim.__file__).parent
ROOT = PACKAGE.parent


def commands(folder: Path, *several: str) -> None:
    for words in several:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *words.split()], cwd=folder, check=True, capture_output=True)


def test_code_in_an_environment_inside_a_checkout_is_not_that_of_the_checkout(tmp_path: Path) -> None:
    inside = tmp_path / ".venv" / "package"
    inside.mkdir(parents=True)
    for path in (inside / "code.py", tmp_path / "code.py"):
        path.write_text("")
    (tmp_path / ".gitignore").write_text(".venv/")
    commands(tmp_path, "init -q", "add code.py .gitignore", "commit -qm one")
    here = git_state(tmp_path, tmp_path / "code.py")
    assert here is not None
    assert len(here["commit"]) == 40
    assert not here["changed"]
    assert git_state(inside, inside / "code.py") is None
    (tmp_path / "code.py").write_text("changed")
    assert git_state(tmp_path, tmp_path / "code.py") == {**here, "changed": True}


def test_a_run_records_the_code_that_ran(tmp_path: Path) -> None:
    RunFolder.begin(tmp_path / "run", toy("clapp", tmp_path))
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["code"] == code_state()
    assert record["code"]["folder"] == str(PACKAGE)
    assert record["versions"]["code"] == record["code"]["digest"]


def imported(path: Path) -> set[Path]:
    """List the files of the package that a file imports, but for what it names in types alone."""
    found, module = set(), ast.parse(path.read_text())
    for node in [node for node in module.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]:
        module.body.remove(node)
    for node in ast.walk(module):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            for file in (ROOT / f"{name.replace('.', '/')}.py", ROOT / name.replace(".", "/") / "__init__.py"):
                if file.is_file() and file.is_relative_to(PACKAGE):
                    found.add(file)
    return found


def test_what_a_row_is_made_by_is_never_left_out_of_its_key() -> None:
    left_out = {path for pattern in PRESENTATION for path in PACKAGE.glob(pattern)}
    assert all(list(PACKAGE.glob(pattern)) for pattern in PRESENTATION)
    reached, new = set(), {PACKAGE / "training" / "measurement.py", PACKAGE / "training" / "checkpointing.py"}
    while new:
        reached |= new
        new = {file for path in new for file in imported(path)} - reached
    assert len(reached) > 60
    assert not reached & left_out


def test_a_finished_row_is_made_again_with_other_code_engines_or_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    spiking, rate = (replace(toy("clapp", Path()), model=find_model(name)) for name in ("clapp-spiking", "clapp"))
    keys = {"spiking": spiking.key, "rate": rate.key}
    with monkeypatch.context() as patch:
        patch.setattr(trial, "engines", lambda: {"torch": "0"})
        assert spiking.key != keys["spiking"]
    with monkeypatch.context() as patch:
        patch.setattr(trial, "code_digest", lambda: "other")
        assert rate.key != keys["rate"]
        assert rate.settings_digest == replace(rate).settings_digest
    known = cells.known_cells()
    other = {**known, "lif": replace(known["lif"], threshold="v > 3.5")}
    monkeypatch.setattr(cells, "known_cells", lambda: other)
    assert spiking.key != keys["spiking"]
    assert rate.key == keys["rate"]


def test_every_file_of_code_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(PACKAGE, tmp_path / "cortexsim", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance.cortexsim, "__file__", str(tmp_path / "cortexsim" / "__init__.py"))
    digest = provenance.code_digest.__wrapped__
    before = digest()
    for name, counts in (
        ("report/console.py", False),
        ("rules/clapp.py", True),
        ("spiking/templates/network.cpp", True),
    ):
        path = tmp_path / "cortexsim" / name
        text = path.read_text()
        path.write_text(text + "\n")
        assert (digest() != before) is counts, name
        path.write_text(text)
    assert digest() == before


def test_an_installed_package_has_the_digest_of_its_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "cortexsim"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in DATA:  # Wheels have these inside the package.
        shutil.copytree(ROOT / folder, package / folder)
    assert list(package.glob("experiments/*/*.py"))
    monkeypatch.setattr(provenance.cortexsim, "__file__", str(package / "__init__.py"))
    assert provenance.code_digest.__wrapped__() == provenance.code_digest()


def test_a_run_is_the_same_however_its_model_is_described(tmp_path: Path) -> None:
    run = toy("clapp", tmp_path)
    model = run.model.model_copy(update={"description": "In other words."})
    model._name, model._path = run.model._name, run.model._path
    described = replace(run, model=model)
    assert described.model.description == "In other words."
    assert (described.key, described.settings_digest) == (run.key, run.settings_digest)
    assert RunFolder.begin(tmp_path / "run", run).record == RunFolder.begin(tmp_path / "run", described).record


def test_a_run_does_not_go_on_with_other_code(tmp_path: Path) -> None:
    RunFolder.begin(tmp_path / "run", toy("clapp", tmp_path))
    path = tmp_path / "run" / "run.json"
    record = json.loads(path.read_text())
    record["code"] |= {"digest": "other", "git": None, "folder": "/elsewhere"}
    del record["sha256"]
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"started with other code, /elsewhere; this is .* \(start a new run\)"):
        RunFolder(tmp_path / "run").check()


def test_a_model_edited_in_a_checkout_is_what_runs_there(tmp_path: Path) -> None:
    """The package is installed elsewhere; the directory it is called from is a checkout."""
    for name in ("installed", "checkout"):
        (tmp_path / name).mkdir()
        for part in ("cortexsim", "models"):
            shutil.copytree(ROOT / part, tmp_path / name / part, ignore=shutil.ignore_patterns("__pycache__"))
    edited = tmp_path / "checkout" / "models" / "clapp.toml"
    edited.write_text(edited.read_text().replace("epochs = 80", "epochs = 3"))
    code = "from cortexsim.config.registry import find_model as f; m = f('clapp'); print(m.training.epochs, m._path)"
    words = [sys.executable, "-P", "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    for folder, said in (("checkout", "3 models/clapp.toml"), (".", "80 ")):
        done = subprocess.run(words, cwd=tmp_path / folder, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(said)
