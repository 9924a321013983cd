"""Which task a command trains on: the one that is named, or the one that its models are for, and never another."""

from pathlib import Path

import pytest
from rich.console import Console

from cortexsim.config.own_tasks import check_model_tasks, shared_task
from cortexsim.config.registry import read_model
from cortexsim.config.schema import Model
from cortexsim.config.tasks import build_task, parse_task
from cortexsim.errors import UserError
from cortexsim.options import asked
from cortexsim.studies.engine import Engine
from cortexsim.studies.experiment import open_experiment
from cortexsim.studies.random_search import read_search, search
from cortexsim.studies.samples_needed import plan
from cortexsim.tasks import REQUIRED
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.tasks.sequence import ObjectSequence

OWN = '[task]\nname = "sequence"\nnoise = 0.2\n'
SEARCH = """
models = ["own.toml"]
samples = [8]
grammar_seeds = [0]
candidates = { "own.toml" = [{ "training.eta" = 0.1 }] }
"""
COMPARISON = 'description = "x"\n[[comparison]]\nname = "a"\nmodels = ["own.toml"]\nsamples = [8]\n'


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write(tmp_path, "own", OWN)
    return tmp_path


def write(folder: Path, name: str, text: str) -> Model:
    (folder / f"{name}.toml").write_text(f'learner = "backprop"\n{text}')
    return read_model(folder / f"{name}.toml")


def begun(kind: str, here: Path) -> None:
    if kind == "search":
        search(read_search(here / "plan.toml"), Engine(here / "out", Console(quiet=True), 1))
    else:
        open_experiment(str(here))


def test_models_are_compared_on_the_task_that_they_are_for(here: Path) -> None:
    silent, own, sized = write(here, "silent", ""), write(here, "own", OWN), write(here, "sized", "[task]\ndepth = 2")
    assert shared_task([silent]) is None
    assert shared_task([silent, own]) == ObjectSequence(noise=0.2)
    assert shared_task([sized, silent]) == Hierarchy(depth=2)
    with pytest.raises(UserError, match="--model sized, --model own: configured for different tasks"):
        shared_task([sized, own])


def test_models_that_name_one_file_are_for_one_task(here: Path) -> None:
    text = "from cortexsim.tasks.sequence import ObjectSequence\nTASK = ObjectSequence\n"
    (here / "mine.py").write_text(text)
    several = [write(here, name, '[task]\nname = "mine.py"\nnoise = 0.2') for name in ("one", "two")]
    found = shared_task(several)
    assert found is not None
    assert found.name == str(here / "mine.py")


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("", r"model 'own' is configured for name = 'sequence', .*noise = 0\.2.*, and the plan's task is name = 'rhm'"),
        ('task = {{ name = "sequence" }}', "and the plan's task is name = 'sequence'"),
        ('task = {{ name = "sequence", noise = 0.2 }}\n{space}', "'task.noise' is the same for all models"),
    ],
)
@pytest.mark.parametrize("kind", ["search", "experiment"])
def test_a_plan_has_the_task_that_its_models_are_for(kind: str, more: str, complaint: str, here: Path) -> None:
    if kind == "search":
        (here / "plan.toml").write_text(SEARCH + more.format(space='[space]\n"task.noise" = [0.1]'))
    else:
        (here / "comparisons.toml").write_text(COMPARISON + more.format(space='change = { "task.noise" = [0.1] }'))
    with pytest.raises(UserError, match=complaint):
        begun(kind, here)


def test_thresholds_are_those_of_hierarchies(here: Path) -> None:
    with pytest.raises(UserError, match="model 'own' is for task 'sequence', and sizes of the Random Hierarchy Model"):
        plan([str(here / "own.toml")], [2], {}, grammars=1, seeds=1, cap=64)


def test_files_of_one_name_in_two_folders_are_two_tasks(tmp_path: Path) -> None:
    models = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        text = f"from cortexsim.tasks.sequence import ObjectSequence\nTASK = ObjectSequence  # The {name}.\n"
        (tmp_path / name / "mine.py").write_text(text)
        models.append(write(tmp_path / name, name, '[task]\nname = "mine.py"\nnoise = 0.2'))
    with pytest.raises(UserError, match="--model one, --model two: configured for different tasks"):
        shared_task(models)
    with pytest.raises(UserError, match="model 'two' is configured for"):
        check_model_tasks(models, models[0].own_task())


@pytest.mark.parametrize("text", ["sequence,noise=0.1,noise=0.2", "digits,name=rhm", "flowers.csv,path=other.csv"])
def test_a_field_of_a_task_is_given_once(text: str) -> None:
    with pytest.raises(UserError, match=r"is given twice \(give it once\)"):
        parse_task(text)


@pytest.mark.parametrize("name", ["rows.csv", "mine.py"])
def test_the_file_of_a_task_is_found_again_from_anywhere(
    name: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    assert asked({"task": f"{name},noise=0.2"}) == {"task": f"{here / name},noise=0.2"}
    assert asked({"task": "digits"}) == {"task": "digits"}


@pytest.mark.parametrize(
    "field", ["from __future__ import annotations\n{}size: int = 8", "import numpy as np\n{}size: np.ndarray = None"]
)
def test_fields_of_a_task_that_no_table_can_have_get_one_line(field: str, here: Path) -> None:
    members = "\n    ".join(f"{name} = None" for name in REQUIRED)
    text = field.format(f"""
from dataclasses import dataclass
from typing import ClassVar
@dataclass(frozen=True)
class TASK:
    kind: ClassVar[str] = ""
    {members}
    """)
    (here / "mine.py").write_text(text)
    with pytest.raises(UserError, match=r"task '.*mine\.py': its fields cannot be read: .* \(annotate them with int"):
        build_task({"name": "mine.py"}, here)
