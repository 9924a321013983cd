"""Searches in stages: each keeps the best, on its own grammars and sizes; and says which values lie at an edge."""

import json
import math
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console

from cortexsim.config.registry import find_model, folders
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.studies import engine
from cortexsim.studies import random_search as searching
from cortexsim.studies.engine import Engine
from cortexsim.studies.random_search import RandomSearch, read_search, search
from cortexsim.studies.search_space import Range, at_edges, draw

BEST = 0.02
OUTCOMES = sorted(path for at in folders("experiments") for path in at.glob("*/outcome-*.json"))
PLAN = """
models = ["backprop", "clapp"]
draws = 7
task = { depth = 3 }
[[stages]]
samples = [64]
grammar_seeds = [100]
[[stages]]
keep = 3
samples = [64, 128]
grammar_seeds = [100, 101]
[[stages]]
keep = 1
samples = [128]
grammar_seeds = [110]
[space]
"training.eta" = { low = 0.001, high = 0.1, log = true }
"""
Run = list[list[Trial]]


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs nothing: the accuracy is the higher, the closer eta is to the best; rows that are there are not run."""
    asked: Run = []

    class Fake(Engine):
        def __call__(self, trials: Sequence[Trial], title: str = "") -> list[Row]:
            asked.append([trial for trial in trials if trial.key not in self.ledger.rows])
            for trial in asked[-1]:
                accuracy = 1 - abs(math.log(trial.model.training.eta / BEST)) / 10
                row = {"learner": trial.model.name, "rule": "x", "substrate": "rate", "context": "none"}
                row |= {"labels_for": "readout", "labels": 1, "grammar_seed": trial.grammar_seed, "seed": trial.seed}
                row |= {"trained_layers": 1, "chance": 0.1, "selectivity": [], "participation": [], "decoding": []}
                row |= {"sensitivity": [], "spikes": None, "multiply_adds": 1, "alignment": None, "diverged": False}
                said = {"key": trial.key, "samples": trial.samples, "accuracy": accuracy, "seconds": 1.0}
                self.ledger.add({**row, **said})
            return [self.ledger.rows[trial.key] for trial in trials]

    monkeypatch.setattr(engine, "Engine", Fake)
    return asked


def planned(tmp_path: Path, text: str = PLAN) -> RandomSearch:
    (tmp_path / "plan.toml").write_text(text)
    return read_search(tmp_path / "plan.toml")


def etas(trials: list[Trial], name: str) -> set[float]:
    return {trial.model.training.eta for trial in trials if trial.model.name == name}


SEARCHES = [
    path
    for path in sorted(folders("experiments")[0].glob("*/*.toml"))
    if {"draws", "candidates", "stages"} & tomllib.loads(path.read_text()).keys()
]


@pytest.mark.parametrize("path", SEARCHES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_search_of_the_package_draws_values_that_its_models_use(path: Path, stages: Run, tmp_path: Path) -> None:
    whole = read_search(path)
    plan = whole.model_copy(update={"draws": min(whole.draws, 8)})
    outcome = search(plan, engine.Engine(tmp_path, Console(quiet=True)))
    assert [name for name, found in outcome.items() if found] == plan.models
    assert len(stages) == len(plan.plan)


def test_each_stage_scores_the_best_of_the_one_before(tmp_path: Path, stages: Run) -> None:
    outcome = search(planned(tmp_path), engine.Engine(tmp_path / "out", Console(quiet=True)))
    for name in ("backprop", "clapp"):
        drawn = sorted(etas(stages[0], name), key=lambda eta: abs(math.log(eta / BEST)))
        assert [len(etas(stage, name)) for stage in stages] == [7, 3, 1]
        assert etas(stages[1], name) == set(drawn[:3])
        assert etas(stages[2], name) == set(drawn[:1])
        assert [entry["values"]["training.eta"] for entry in outcome[name]] == drawn
        assert [entry["stage"] for entry in outcome[name]] == [3, 2, 2, *[1] * 4]
    assert {(t.samples, t.grammar_seed, t.seed) for t in stages[0]} == {(64, 100, 0)}
    # What the first stage has run is not run again.
    assert {(t.samples, t.grammar_seed, t.seed) for t in stages[1]} == {(64, 101, 1), (128, 100, 0), (128, 101, 1)}
    assert {(t.samples, t.grammar_seed, t.seed) for t in stages[2]} == {(128, 110, 0)}
    assert json.loads((tmp_path / "out" / "outcome.json").read_text())["outcome"] == outcome
    rows = json.loads((tmp_path / "out" / "result.json").read_text())["rows"]
    assert [(row["stage"], row["samples"]) for row in rows[-2:]] == [(3, 128)] * 2
    assert {row["point"]["training.eta"] for row in rows if row["stage"] == 1} == etas(stages[0], "backprop") | etas(
        stages[0], "clapp"
    )


def test_a_search_that_was_stopped_goes_on(tmp_path: Path, stages: Run) -> None:
    outcome = search(planned(tmp_path), engine.Engine(tmp_path / "out", Console(quiet=True)))
    again = search(planned(tmp_path), engine.Engine(tmp_path / "out", Console(quiet=True)))
    assert again == outcome
    assert [len(stage) for stage in stages[3:]] == [0, 0, 0]


def test_candidates_come_before_the_draws(tmp_path: Path, stages: Run) -> None:
    more = PLAN + '[[candidates.clapp]]\n[[candidates.clapp]]\n"training.eta" = 0.02\n'
    outcome = search(planned(tmp_path, more), engine.Engine(tmp_path / "out", Console(quiet=True)))
    assert {name: len(found) for name, found in outcome.items()} == {"backprop": 7, "clapp": 9}
    assert outcome["clapp"][0]["values"] == {"training.eta": 0.02}
    drawn = {entry["values"]["training.eta"] for entry in outcome["clapp"][1:] if entry["values"]}
    assert etas(stages[0], "clapp") == drawn | {0.02, find_model("clapp").training.eta}


def test_a_range_is_drawn_from_evenly() -> None:
    generator = np.random.default_rng(0)
    log, linear = Range(low=0.001, high=0.1, log=True), Range(low=-1.0, high=3.0)
    drawn = [draw({"a": log, "b": linear, "c": [1, {"low": 5.0, "high": 6.0}]}, generator) for _ in range(2000)]
    a, b, c = (np.array([values[key] for values in drawn]) for key in "abc")
    assert 0.001 <= a.min() < 0.0011
    assert 0.09 < a.max() <= 0.1
    assert np.mean(a < 0.01) == pytest.approx(0.5, abs=0.05)
    assert -1 <= b.min() < -0.95
    assert b.mean() == pytest.approx(1.0, abs=0.1)
    assert np.mean(c == 1) == pytest.approx(0.5, abs=0.05)
    assert set(np.unique(c > 5)) == {False, True}


@pytest.mark.parametrize(
    ("value", "space", "edge"),
    [
        (0.0012, Range(low=0.001, high=0.1, log=True), "low"),
        (0.01, Range(low=0.001, high=0.1, log=True), None),
        (0.08, Range(low=0.001, high=0.1, log=True), "high"),
        (0.0, Range(low=0.001, high=0.1, log=True), "low"),
        (0.08, Range(low=0.001, high=0.1), None),
        (80, [80, 160, 40], None),
        (160, [80, 160, 40], "high"),
        (1.45, ["none", {"low": 0.5, "high": 1.5}], "high"),
        ("none", ["none", {"low": 0.5, "high": 1.5}], None),
        ("batch", ["batch", "layer"], None),
        (80, [80], None),
    ],
)
def test_a_value_at_an_edge_of_its_space_is_named(value: object, space: object, edge: str | None) -> None:
    assert at_edges({"key": value}, {"key": space}) == ({"key": edge} if edge else {})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("low = 0.001", "low = 0.2"), "low must be below high"),
        (lambda text: text.replace("low = 0.001", "low = 0.0"), "a logarithm needs a low above 0"),
        (lambda text: text.replace("keep = 3", "keep = 0"), "keep = 0: should be greater than or equal to 1"),
        (lambda text: "samples = [64]\ngrammar_seeds = [1]\n" + text, "either samples and grammar_seeds, or"),
        (lambda text: text[: text.index("[[stages")] + text[text.index("[space") :], "either samples and grammar_"),
        (lambda text: text.replace("samples = [64]\n", ""), "samples"),
        (lambda text: text + "[also.clap]\n", r"also.clap: no such model in models \(did you mean 'clapp'\?\)"),
        (lambda text: text + "[[candidates.calpp]]\n", r"candidates.calpp: no such model in models \(did you mean"),
        (lambda text: text.replace('"backprop"', '"x/clapp.toml"'), r"plan.toml: models: two are named 'clapp'"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(tmp_path: Path, change: Callable[[str], str], complaint: str) -> None:
    with pytest.raises((UserError, ValidationError), match=complaint):
        planned(tmp_path, change(PLAN))


@pytest.mark.parametrize("path", OUTCOMES, ids=lambda path: path.stem)
def test_a_committed_outcome_is_of_the_draws_of_its_file(path: Path) -> None:
    plan = read_search(path.with_name(f"{path.stem.partition('-')[2]}.toml"))
    outcome = json.loads(path.read_text())["outcome"]
    for name in plan.models:
        draws = searching._draws(plan, name)
        entries = outcome[Path(name).stem]
        assert [entry["values"] for entry in sorted(entries, key=lambda entry: entry["draw"])] == draws
