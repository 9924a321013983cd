import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from cortexsim.analysis.sample_complexity import Threshold
from cortexsim.analysis.summary import Spread, Summary, largest_sizes, sizes_of, summarise
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model, read_model
from cortexsim.config.schema import Model
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.report import markdown
from cortexsim.report.comparison_text import accuracy_table, findings
from cortexsim.storage.ledger import Ledger
from cortexsim.studies import engine
from cortexsim.studies.comparison import Comparison, compare
from cortexsim.studies.engine import Engine
from cortexsim.tasks.rhm import Hierarchy

TIMES = ("seconds", "seconds_training", "cpu_seconds")
KEYS = {
    "learner",
    "rule",
    "substrate",
    "samples",
    "labels",
    "grammar_seed",
    "seed",
    "accuracy",
    "chance",
    "selectivity",
}
KEYS |= {"participation", "decoding", "seconds", "cpu_seconds", "context", "sensitivity", "multiply_adds"}


def quick(model: Model) -> Model:
    """A model with few epochs."""
    brief = changed(model, {"readout.epochs": 5})
    return brief if model.learner == "untrained" else changed(brief, {"training.epochs": 2})


def toy(*names: str) -> Comparison:
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=3)
    return Comparison(tuple(quick(find_model(name)) for name in names), hierarchy, (32, 64), seeds=2, grammar_seed=5)


def silent() -> Console:
    return Console(quiet=True)


def untimed(rows: list[Row]) -> list[Row]:
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Summary]]:
    out = tmp_path_factory.mktemp("compare")
    return out, compare(toy("backprop", "clapp", "dfa", "hebb", "untrained"), Engine(out, silent(), 1))[1]


def test_a_result_names_all_that_it_was_made_with(finished: tuple[Path, list[Summary]]) -> None:
    result = json.loads((finished[0] / "result.json").read_text())
    assert len(result["rows"]) == 5 * 2 * 2
    for row in result["rows"]:
        assert set(row) >= KEYS
        assert [len(row[key]) for key in ("selectivity", "participation", "decoding")] == [3, 3, 3]
        assert row["chance"] == 0.25
        assert row["spikes"] is None
        assert row["multiply_adds"] > 0
        assert row["grammar_seed"] == 5 + row["seed"]
    assert {"cortexsim", "torch", "python"} <= set(result["versions"])
    assert [model["name"] for model in result["configuration"]["models"]] == [
        "backprop",
        "clapp",
        "dfa",
        "hebb",
        "untrained",
    ]


def test_the_report_is_self_contained(finished: tuple[Path, list[Summary]]) -> None:
    page = (finished[0] / "report.html").read_text()
    assert page.count("<svg") == page.count("</svg>") == 1
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "<script" not in page
    for word in ("clapp", "untrained", "chance", "n_c"):
        assert word in page
    assert (finished[0] / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_rows_do_not_depend_on_the_number_of_workers(finished: tuple[Path, list[Summary]], tmp_path: Path) -> None:
    rows = json.loads((finished[0] / "result.json").read_text())["rows"]
    side_by_side = Engine(tmp_path, silent(), workers=2)(toy("backprop", "clapp").trials())
    assert untimed(side_by_side) == untimed([row for row in rows if row["learner"] in ("backprop", "clapp")])


def test_an_interrupted_comparison_goes_on_where_it_stood(
    finished: tuple[Path, list[Summary]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.loads((finished[0] / "result.json").read_text())["rows"]
    lines = (finished[0] / "rows.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "rows.jsonl").write_text("".join(lines[:-2]) + lines[-2][:40])  # Killed while it wrote a row.
    computed = []

    def counted(trial, path):
        computed.append(trial.key)
        return run(trial, path)

    run = engine.run_in_folder
    monkeypatch.setattr(engine, "run_in_folder", counted)
    trials = toy("backprop", "clapp", "dfa", "hebb", "untrained").trials()
    rows = Engine(tmp_path, silent(), workers=1)(trials)
    assert len(computed) == 2
    assert untimed(rows) == untimed(whole)
    assert len(Ledger(tmp_path / "rows.jsonl").rows) == 20


def test_a_trial_asked_for_twice_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def counted(trial, path):
        ran.append(trial)
        return row("untrained", trial.samples, trial.seed, 0.5) | {"key": trial.key}

    monkeypatch.setattr(engine, "run_in_folder", counted)
    trial = toy("untrained").trials()[0]
    rows = Engine(tmp_path, silent(), workers=1)([trial, trial])
    assert (len(ran), len(rows)) == (1, 2)


def test_a_trial_is_known_by_all_that_it_depends_on() -> None:
    trial = toy("clapp").trials()[0]
    others = [
        replace(trial, seed=9),
        replace(trial, samples=33),
        replace(trial, task=Hierarchy(depth=3)),
        replace(trial, model=quick(find_model("hebb"))),
        replace(trial, device="cuda"),
    ]
    assert len({trial.key, *(other.key for other in others)}) == 6
    assert trial.key == toy("clapp").trials()[0].key


def row(learner: str, samples: int, seed: int, accuracy: float) -> Row:
    layers = {quantity: [0.1, 0.2] for quantity in ("selectivity", "participation", "decoding")}
    words = {"rule": learner, "context": "none", "labels_for": "layers", "trained_layers": 2, "chance": 0.5}
    return {
        "learner": learner,
        "samples": samples,
        "seed": seed,
        "grammar_seed": seed,
        "accuracy": accuracy,
        **words,
        **layers,
    }


def test_summaries_hold_spread_and_samples_needed() -> None:
    rows = [
        row("a", 100, 0, 0.6),
        row("a", 400, 0, 1.0),
        row("a", 100, 1, 0.8),
        row("a", 400, 1, 0.9),
        row("a", 100, 2, 0.96),
    ]
    rows += [row("a", 400, 2, 0.97)]
    (found,) = summarise(rows)
    assert found.accuracy[100] == Spread(
        pytest.approx(np.mean([0.6, 0.8, 0.96])), pytest.approx(np.std([0.6, 0.8, 0.96], ddof=1)), 3
    )
    assert found.needed == Threshold((100, 400, 0), (400, np.inf, 100))
    assert found.needed.text() == "not enclosed"
    (found,) = summarise(rows[:2])
    assert found.needed.text() == "100 to 400"


def test_a_learner_can_be_run_with_some_of_the_sizes() -> None:
    comparison = replace(toy("backprop", "clapp"), sizes={"backprop": (32,)})
    sizes = [(trial.model.name, trial.samples) for trial in comparison.trials()]
    assert sizes == [("backprop", 32)] * 2 + [("clapp", 32)] * 2 + [("clapp", 64)] * 2
    rows = [row(name, samples, seed, 0.75) for seed, (name, samples) in enumerate(sizes)]
    summaries = summarise(rows)
    assert [summary.accuracies(sizes_of(summaries)) for summary in summaries] == [
        ["0.750 ± 0.000", "-"],
        ["0.750 ± 0.000", "0.750 ± 0.000"],
    ]
    assert "| `backprop` | 0.750 ± 0.000 | - |" in markdown.accuracy(summaries)
    assert largest_sizes(summaries) == "64 (backprop: 32)"
    assert len(accuracy_table(summaries, "", 10).rows) == len(findings(summaries, with_divergence(rows), {})) == 2


def with_divergence(rows: list[Row]) -> list[Row]:
    return [{**each, "diverged": False} for each in rows]


def test_a_trial_whose_files_change_before_it_runs_is_refused_and_one_that_runs_keeps_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "from cortexsim.rules import Rule, ThreeFactor\n"
    rule += "RULE = Rule('mine', '', '', ThreeFactor('activity_post', '1'))\n"
    (tmp_path / "mine.py").write_text(rule)
    (tmp_path / "mine.toml").write_text('learner = "local"\n[rule]\nname = "mine.py"\n')
    trials = Comparison((quick(read_model(tmp_path / "mine.toml")),), Hierarchy(4, 2, 2), (8, 16), seeds=1).trials()
    run = engine.run_in_folder

    def edited(trial: Trial, path: Path) -> Row:
        row = run(trial, path)
        (tmp_path / "mine.py").write_text(rule.replace("'1'", "'-1'"))
        return row

    monkeypatch.setattr(engine, "run_in_folder", edited)
    with pytest.raises(UserError, match="mine: a file of its model, rule, cell or task has changed"):
        Engine(tmp_path / "out", silent(), 1)(trials)
    kept = Ledger(tmp_path / "out" / "rows.jsonl").rows
    (tmp_path / "mine.py").write_text(rule)
    assert len(kept) == 1
    assert kept.keys() < {trial.key for trial in trials}
