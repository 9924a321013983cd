"""Every experiment of the package at toy size, and the search behind its constants."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from cortexsim.analysis.sample_complexity import Threshold
from cortexsim.analysis.summary import Spread, Summary
from cortexsim.config.registry import COMPARISONS, experiment_paths, find_experiment_file, folders
from cortexsim.errors import UserError
from cortexsim.studies.comparison_experiment import ComparisonExperiment, run_experiment
from cortexsim.studies.criterion import VerdictTable, judge
from cortexsim.studies.engine import Engine
from cortexsim.studies.random_search import read_search, search
from cortexsim.tasks.rhm import Hierarchy
from tests.studies.test_comparison import quick, silent

SIZES = "description = 'x'\n[[comparison]]\nname = 'a'\nmodels = ['clapp']\nsamples = [8, 16]\nsizes = "
TOY = Hierarchy(features=4, multiplicity=2, depth=2)

OF_COMPARISONS = sorted(name for name, path in experiment_paths().items() if path.name == COMPARISONS)
COMPILED = {
    "at_a_glance",
    "other_tasks",
    "spiking_constraints",
    "spiking_depth",
    "spiking_hierarchy",
    "substrates",
}  # For minutes.
MANY = {"masking", "self_supervised"}  # Learners.
LONG = {"exhaustive": COMPILED, "slow": MANY}


def opened(name: str, quick: bool = False) -> ComparisonExperiment:
    return ComparisonExperiment.open(find_experiment_file(name), quick=quick)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[getattr(pytest.mark, kind) for kind, names in LONG.items() if name in names])
        for name in OF_COMPARISONS
    ],
)
def test_every_experiment_runs_at_toy_size(name: str, tmp_path: Path) -> None:
    experiment = opened(name)
    deep = replace(TOY, depth=3)  # Where columns have cousins.
    planned = {
        key: replace(
            whole,
            models=tuple(quick(m) for m in whole.models),
            task=(deep if name == "self_supervised" else TOY) if isinstance(whole.task, Hierarchy) else whole.task,
            samples=(8, 16) if isinstance(whole.task, Hierarchy) else (16, 32),
            sizes={},
            seeds=1,
        )
        for key, whole in experiment.comparisons.items()
    }
    found = run_experiment(replace(experiment, comparisons=planned), Engine(tmp_path, silent(), 1))
    for key, summaries in found.items():
        assert [summary.learner for summary in summaries] == [model.name for model in planned[key].models]
        assert (tmp_path / key / "report.html").exists()
    result = json.loads((tmp_path / "result.json").read_text())
    assert len(result["rows"]) == sum(len(comparison.trials()) for comparison in planned.values())
    assert {row["comparison"] for row in result["rows"]} == set(planned)
    assert (result["verdict"] is None) == (experiment.plan.verdict is None)
    assert (tmp_path / "figure.png").exists() == bool(experiment.plan.row)
    assert (tmp_path / "alignment.png").exists() == (experiment.plan.alignment is not None)


@pytest.mark.parametrize("name", OF_COMPARISONS)
def test_every_experiment_can_be_run_as_it_is_written(name: str) -> None:
    plan = opened(name).plan
    if plan.quick:
        opened(name, quick=True)
    named = {model for row in plan.row for model in row.models}
    assert named <= {*plan.models, *(m for table in plan.comparison for m in table.models or [])}
    assert find_experiment_file(name).with_name("README.md").exists()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("description = 'x'", "key 'comparison' is missing"),
        (
            SIZES + "{ clap = [8] }",
            r"comparison 'a': sizes.clap: no such model is compared \(did you mean 'clapp'\?\)",
        ),
        (
            SIZES + "{ clapp = [9] }",
            r"comparison 'a': sizes.clapp = 9: not among samples \(8, 16\)",
        ),
        ("description = 'x'\n[[comparison]]\nname = 'a'\nmodels = []\nsamples = [8]", "comparison.0.models"),
        ("description = 'x'\n[[comparison]]\nname = 'a'\nmodel = ['clapp']", "unknown key 'comparison.0.model'"),
        ("description = ", "Invalid value"),
    ],
)
def test_a_faulty_experiment_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "comparisons.toml").write_text(text)
    with pytest.raises(UserError, match=complaint):
        opened(str(tmp_path))
    with pytest.raises(UserError, match="did you mean 'plain_sgd'"):
        opened("plain_sg")


CHANGED = """
description = "x"
[[comparison]]
name = "a"
models = ["hebb"]
controls = ["untrained"]
change = { "training.eta" = [0.001, 0.002], "network.cells" = [4, 8] }
samples = [16]
seeds = 2
task = { features = 4, multiplicity = 2, depth = 2 }
"""


def test_a_comparison_gives_a_model_other_values_beside_controls(tmp_path: Path) -> None:
    (tmp_path / "comparisons.toml").write_text(CHANGED)
    experiment = opened(str(tmp_path))
    planned = dict(experiment.comparisons)
    assert [model.name for model in planned["a"].models] == [
        "hebb, eta 0.001, cells 4",
        "hebb, eta 0.001, cells 8",
        "hebb, eta 0.002, cells 4",
        "hebb, eta 0.002, cells 8",
        "untrained",
    ]
    assert [(model.training.eta, model.network.cells) for model in planned["a"].models[:2]] == [(0.001, 4), (0.001, 8)]
    planned["a"] = replace(planned["a"], models=tuple(quick(model) for model in planned["a"].models))
    run_experiment(replace(experiment, comparisons=planned), Engine(tmp_path / "out", silent(), 1))
    rows = json.loads((tmp_path / "out" / "result.json").read_text())["rows"]
    assert rows[0]["point"] == {"training.eta": "0.001", "network.cells": "4"}
    drawn = (tmp_path / "out" / "a" / "figure.svg").read_text()
    for text in ("training.eta", "cells 4", "cells 8", "untrained", "selectivity, layer 1", "participation, layer 1"):
        assert f"<!-- {text} -->" in drawn


def test_a_value_that_cannot_be_is_named_with_its_comparison(tmp_path: Path) -> None:
    (tmp_path / "comparisons.toml").write_text(CHANGED.replace('"network.cells" = [4, 8]', '"network.cels" = [4, 8]'))
    with pytest.raises(UserError, match=r"comparison 'a': hebb: unknown key 'network\.cels'"):
        opened(str(tmp_path))
    (tmp_path / "comparisons.toml").write_text(CHANGED.replace("[4, 8]", "[4, 8, 4]"))
    with pytest.raises(UserError, match=r"comparison 'a': change: 'network.cells' has 4 more than once"):
        opened(str(tmp_path))


def test_a_search_draws_as_often_for_every_model(tmp_path: Path) -> None:
    plan = read_search(folders("experiments")[0] / "masking" / "search.toml")
    task = plan.task.model_copy(update={"features": 4, "multiplicity": 2, "depth": 2})
    space = {**plan.space, "training.epochs": [1]}
    small = {
        "draws": 2,
        "samples": [8],
        "grammar_seeds": [0],
        "test_samples": 8,
        "task": task,
        "space": space,
    }
    plan = plan.model_copy(update=small | {"models": ["backprop-plain", "dfa", "fa"], "also": {}})
    outcome = search(plan, Engine(tmp_path, Console(quiet=True), 1))
    assert {name: len(found) for name, found in outcome.items()} == dict.fromkeys(plan.models, 2)
    for found in outcome.values():
        assert found[0]["score"] >= found[1]["score"]
        assert set(found[0]["values"]) >= set(space)
    assert json.loads((tmp_path / "outcome.json").read_text())["outcome"] == outcome


def test_a_search_refuses_keys_that_no_model_has(tmp_path: Path) -> None:
    plan = read_search(folders("experiments")[0] / "masking" / "search.toml")
    wrong = plan.model_copy(update={"space": {"training.etta": [1]}, "draws": 1})
    with pytest.raises(UserError, match=r"unknown key 'training\.etta'"):
        search(wrong, Engine(tmp_path, Console(quiet=True), 1))


def test_a_quick_look_is_asked_for_where_there_is_one() -> None:
    quick, whole = (opened("masking", quick=asked).comparisons for asked in (True, False))
    assert sum(len(c.trials()) for c in quick.values()) < 0.2 * sum(len(c.trials()) for c in whole.values())
    with pytest.raises(UserError, match="--quick: experiment 'plain_sgd' has no quick form"):
        opened("plain_sgd", quick=True)


def test_repeats_draw_each_grammar_again_with_other_samples() -> None:
    trials = replace(opened("masking").comparisons["depth-4"], seeds=3, repeats=2).trials()
    assert {(trial.grammar_seed, trial.seed) for trial in trials} == {(10 + k % 3, k) for k in range(6)}


def summary(learner: str, means: dict[int, float]) -> Summary:
    accuracy = {size: Spread(mean, 0.01, 3) for size, mean in means.items()}
    return Summary(learner, learner, "none", "layers", 2, accuracy, Threshold((1.0,), (2.0,)), {}, {})


def test_a_verdict_names_who_stays_below_a_share_of_the_reference() -> None:
    found = {
        "depth-9": [
            summary("backprop", {8: 0.8, 16: 1.0}),
            summary("never", {8: 0.2, 16: 0.49}),
            summary("late", {8: 0.3, 16: 0.9}),
            summary("always", {8: 0.41, 16: 0.5}),
        ]
    }
    judged = judge(found, VerdictTable())
    entry = judged["judged"]["depth-9"]["never"]["16"]
    assert entry == {"accuracy": 0.49, "deviation": 0.01, "ratio": 0.49, "below": True}
    share = "depth-9, below 0.5 of the accuracy of backprop"
    assert judged["sentences"] == [
        f"{share} at every P (accuracy at P = 16): never 0.490 ± 0.010.",
        f"{share} at some P (accuracy at P = 16): late 0.900 ± 0.010 (below at 8).",
        f"{share} at no P (accuracy at P = 16): always 0.500 ± 0.010.",
    ]
