"""The search for P*, against learners whose P* is known, and whole sweeps at toy size."""

import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from cortexsim import cli
from cortexsim.analysis.sample_complexity import Threshold, brackets
from cortexsim.config.registry import THRESHOLDS, experiment_paths, find_model
from cortexsim.config.trial import Row, Trial
from cortexsim.config.validation import read
from cortexsim.errors import UserError
from cortexsim.studies import engine
from cortexsim.studies.bisection import ThresholdSearch, next_octave, octave, run_searches, samples_at
from cortexsim.studies.engine import Engine
from cortexsim.studies.experiment import open_experiment
from cortexsim.studies.sweep_result import measure_sweeps
from cortexsim.studies.threshold_sweep import SweepTable, ThresholdsFile, ThresholdSweep, held_out, sweeps
from cortexsim.studies.threshold_tables import print_tables
from cortexsim.studies.thresholds import labels_needed, run_sweeps
from cortexsim.tasks.rhm import Hierarchy
from tests.studies.test_comparison import quick, silent, untimed

NAMES = sorted(name for name, path in experiment_paths().items() if path.name == THRESHOLDS)
Calls = list[Trial]
Learn = Callable[[Callable[[Trial], float]], Calls]
DEEP = Hierarchy(features=8, multiplicity=4, depth=4)


@pytest.fixture
def learn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Learn]:
    """Put in the place of training an accuracy that rises through the criterion at a known P*."""

    def install(needed: Callable[[Trial], float]) -> Calls:
        calls: Calls = []

        def fake(trial: Trial) -> Row:
            calls.append(trial)
            chance = 1 / trial.task.classes
            error = min(1.0, 0.1 * (needed(trial) / trial.samples) ** 2) * (1 - chance)
            row = {"learner": trial.model.name, "rule": "x", "samples": trial.samples, "labels": trial.samples}
            row |= {"labels_for": "readout", "accuracy": 1 - error, "chance": chance, "seed": trial.seed}
            row |= {"selectivity": [0.5] * trial.task.depth, "trained_layers": trial.task.depth}
            row |= {"substrate": "rate", "context": "none", "participation": [], "decoding": [], "sensitivity": []}
            row |= {"spikes": None, "multiply_adds": 1, "alignment": None, "seconds": 0.0}
            return row | {"grammar_seed": trial.grammar_seed, "diverged": False, "key": trial.key}

        monkeypatch.setattr(engine, "run_in_folder", lambda trial, path: fake(trial))
        return calls

    return install


def search(hierarchy: Hierarchy = DEEP, limit: int = 32768, seed: int = 0, model: str = "clapp") -> ThresholdSearch:
    return ThresholdSearch(Trial(find_model(model), hierarchy, limit, 64, 20 + seed, seed))


def settled(tmp_path: Path, *searches: ThresholdSearch) -> list[list[Row]]:
    return run_searches(searches, Engine(tmp_path, silent(), 1))


def enclosed(rows: list[Row]) -> tuple[float, float]:
    ((found,),) = brackets(rows).values()
    return found


@pytest.mark.parametrize("needed", [12.3, 40.5, 800, 1999, 2047, 7000, 15000])
def test_the_criterion_is_enclosed_from_above_and_from_below(needed: float, tmp_path: Path, learn: Learn) -> None:
    learn(lambda trial: needed)
    (rows,) = settled(tmp_path, search())
    low, high = enclosed(rows)
    assert low < needed <= high
    assert high / low == pytest.approx(2**0.25, rel=0.1 if needed < 20 else 0.02)
    assert max(row["samples"] for row in rows) >= 1.99 * low


def test_every_size_lies_on_one_grid_and_is_tried_once(tmp_path: Path, learn: Learn) -> None:
    calls = learn(lambda trial: 900)
    settled(tmp_path, search(), search(Hierarchy(features=8, multiplicity=3, depth=4)))
    sizes = [trial.samples for trial in calls]
    assert set(sizes) <= {round(2 ** (k / 4)) for k in range(80)}
    assert sizes == [256, 1024, 362, 724, 512, 1448, 724, 2048, 861, 1024, 1448, 2048, 861]  # The shorter one first.
    assert len({replace(trial, samples=0, task=DEEP).key for trial in calls}) == 1


def test_what_is_never_learned_is_beyond_the_largest_size_tried(tmp_path: Path, learn: Learn) -> None:
    calls = learn(lambda trial: 1e9)
    (rows,) = settled(tmp_path, search(limit=6000))
    assert enclosed(rows) == (5793, math.inf)
    assert [trial.samples for trial in calls] == [1024, 1448, 2048, 2896, 4096, 5793]


def test_an_untrained_network_is_tried_at_the_end_and_no_further(tmp_path: Path, learn: Learn) -> None:
    calls = learn(lambda trial: 1e9)
    settled(tmp_path, search(limit=6000, model="untrained"))
    assert [trial.samples for trial in calls] == [5793]


def test_what_two_samples_teach_needs_two_samples(tmp_path: Path, learn: Learn) -> None:
    learn(lambda trial: 0.1)
    (rows,) = settled(tmp_path, search())
    assert enclosed(rows) == (0, 2)


@pytest.mark.parametrize(("fails", "expected"), [((), (861, 1024)), ((1448,), (1448, 1722)), ((2048,), (2048, 2435))])
def test_luck_at_a_small_size_is_no_merit(
    fails: tuple[int, ...], expected: tuple[float, float], tmp_path: Path, learn: Learn
) -> None:
    learn(lambda trial: 1e9 if trial.samples in fails else 900)
    (rows,) = settled(tmp_path, search(Hierarchy(features=8, multiplicity=3, depth=4)))  # It begins at 512.
    assert enclosed(rows) == expected


def test_the_grid_stops_at_the_limit() -> None:
    assert [samples_at(octave(limit)) for limit in (2, 3, 362, 361, 5793, 32768)] == [2, 3, 362, 256, 5793, 32768]
    assert next_octave({}, start=11, limit=9) == 9
    assert next_octave({9: False}, start=11, limit=9) is None
    assert next_octave({9: True, 8.5: False}, 9, 9) == 8.75
    assert next_octave({9: True, 8.5: False}, 9, 9.5) == 9.5
    assert next_octave({9: True, 8.75: True, 8.5: False}, 9, 9) is None


def test_a_search_goes_on_where_it_was_stopped(tmp_path: Path, learn: Learn) -> None:
    seeds = [search(seed=seed) for seed in range(3)]

    def stopped(trial: Trial) -> float:
        if len(first) == 5:
            raise KeyboardInterrupt
        return 500 + 500 * trial.seed

    first = learn(stopped)
    with pytest.raises(KeyboardInterrupt):
        settled(tmp_path, *seeds)
    kept = [trial.key for trial in first[:-1]]
    second = learn(lambda trial: 500 + 500 * trial.seed)
    rows = settled(tmp_path, *seeds)
    assert not {trial.key for trial in second} & set(kept)
    assert len(kept) == 4
    whole = learn(lambda trial: 500 + 500 * trial.seed)
    (tmp_path / "whole").mkdir()
    assert settled(tmp_path / "whole", *seeds) == rows
    assert len(whole) == len(kept) + len(second)
    for needed, several in zip((500, 1000, 1500), rows, strict=True):
        low, high = enclosed(several)
        assert low < needed <= high <= 1.2 * low


def plan(**changes: object) -> ThresholdsFile:
    table = {"name": "depth", "varies": "depth", "values": [3, 2, 4], "cap": 4096, "grammar_seed": 20}
    table |= {"task": {"multiplicity": 3}, **changes}
    return ThresholdsFile.model_validate({"description": "x", "models": ["backprop", "clapp"], "sweep": [table]})


def test_a_result_names_every_threshold_its_bound_and_its_growth(tmp_path: Path, learn: Learn) -> None:
    law = {"backprop": lambda h: 2 * 8 * 3**h.depth, "clapp": lambda h: 346 if h.depth < 4 else 1e6}
    calls = learn(lambda trial: law[trial.model.name](trial.task) * 1.05**trial.seed)
    twice = plan(values=[3, 4]).sweep[0].model_copy(update={"name": "again"})
    whole = plan(values=[3, 4, 5])
    planned = sweeps(whole.model_copy(update={"sweep": [*whole.sweep, twice]}), tmp_path)
    run_sweeps(planned, Engine(tmp_path, silent(), 1))
    assert len({trial.key for trial in calls}) == len(calls)
    assert max(trial.samples for trial in calls) <= 4096
    result = json.loads((tmp_path / "result.json").read_text())
    found = {(t["sweep"], t["model"], t["value"]): t for t in result["thresholds"]}
    assert set(found) == {(s, m, v) for m in law for s, vs in (("depth", (3, 4, 5)), ("again", (3, 4))) for v in vs}
    supervised = found["depth", "backprop", 4]
    assert supervised["mean"] == pytest.approx(2 * 648 * 1.05, rel=0.1)
    assert supervised["low"] < supervised["mean"] < supervised["high"]
    assert supervised["labels_needed"] == supervised["mean"]
    assert [(run["seed"], run["grammar_seed"]) for run in supervised["runs"]] == [(0, 20), (1, 21), (2, 22)]
    for run in supervised["runs"]:
        assert run["more_than"] < 2 * 648 * 1.05 ** run["seed"] <= run["at_most"] < 1.2 * run["more_than"]
    stability = supervised["stability"]
    assert (stability["learned"], stability["runs"]) == (3, 3)
    assert stability["samples"] == pytest.approx(1.41 * supervised["mean"], rel=0.1)
    assert supervised["ratio"] is None
    ratio = found["depth", "clapp", 3]["ratio"]
    assert ratio["mean"] == pytest.approx(346 / 432, rel=0.1)
    assert ratio["low"] < ratio["mean"] / 1.18
    assert ratio["high"] > ratio["mean"] * 1.18  # Twice half a bracket of a quarter of an octave.
    bounded = found["depth", "clapp", 5]
    keys = ("mean", "more_than", "low", "grammars_beyond", "stability")
    assert [bounded[key] for key in keys] == [None, 4096, None, 3, None]
    assert bounded["labels_needed"] is None
    assert found["again", "backprop", 4]["runs"] == supervised["runs"]
    fits = {(entry["sweep"], entry["learner"]): entry for entry in result["fits"]}
    assert fits["depth", "backprop"]["slope"]["value"] == pytest.approx(1.0986, abs=0.1)
    assert fits["depth", "backprop"]["laws"]["n_c m^L"] == pytest.approx(1.0986, abs=1e-3)
    assert ("depth", "clapp") not in fits
    assert {row["sweep"] for row in result["rows"]} == {"depth", "again"}
    assert {(row["seed"], row["grammar_seed"]) for row in result["rows"]} == {(0, 20), (1, 21), (2, 22)}
    assert (tmp_path / "selectivity.svg").exists()


def test_what_is_printed_says_what_is_bounded_and_how_it_grows(tmp_path: Path, learn: Learn) -> None:
    learn(lambda trial: 16 * 3**trial.task.depth if trial.model.name == "backprop" else 1e6)
    console = Console(record=True, width=160, file=io.StringIO())
    print_tables(run_sweeps(sweeps(plan(values=[3, 4, 5]), tmp_path), Engine(tmp_path, console, 1)), console)
    printed = " ".join(console.export_text().split())
    for words in (
        "0 of 18 thresholds found; next 18 runs, 0 of them done before",
        "depth: v = 8, m = 3, s = 2, n_c = v; 3 grammars, seeded from 20",
        "clapp > 4096 > 4096 > 4096",
        "law n_c m^L 216 648 1944",
        "backprop, stable 3/3 at 724 3/3 at 2048 -",
        "backprop: P* grows as x",
        " a level (95 % interval x",
        "the laws: n_c m^L as x3.00, v m³/(1-f) as x1.00",
    ):
        assert words in printed


def test_the_same_samples_are_held_out_whatever_the_training_set() -> None:
    (sweep,) = sweeps(plan(values=[2, 3, 4]), Path())
    for searched in sweep.searches():
        trial = searched.largest
        assert trial.test_samples == held_out(trial.task)
        assert trial.samples + trial.test_samples <= trial.task.distinct_samples
    assert held_out(Hierarchy(depth=2)) == 128


def test_a_fraction_is_varied_through_synonyms() -> None:
    found = sweeps(plan(varies="fraction", values=[1.0, 0.25], task={"depth": 3}), Path())[0]
    assert [(value, h.multiplicity) for value, h in found.points] == [(0.25, 2), (1.0, 8)]
    assert found.title.startswith("v = 8, s = 2, L = 3, n_c = v")
    assert [law[-1] for law in found.swept([[FAKE]] * 12).laws.values()] == [4096, float("inf")]


FAKE: Row = {"samples": 64, "accuracy": 1.0, "chance": 0.1, "grammar_seed": 20, "seed": 0}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"varies": "dept"}, "sweep.varies = 'dept' is not known (did you mean 'depth'?)"),
        ({"value": [2]}, "unknown key 'sweep.0.value' (did you mean 'values'?)"),
        ({"values": [2.5]}, "sweep 'depth': values: L = 2.5: 2.5 is not a whole number"),
        ({"values": [0]}, "greater than 0"),
        ({"values": []}, "sweep.0.values"),
        ({"cap": 1}, "sweep.0.cap"),
        ({"task": {"depth": 2}}, "task.depth: it is what varies (leave it out)"),
        ({"task": {"multiplicity": 9}}, "L = 2: hierarchy: multiplicity = 9"),
        ({"task": {"multiplicity": 1}}, "this grammar has 8 distinct samples"),
        ({"varies": "fraction", "values": [0.3], "task": {}}, "f = 0.3: f v^(s-1) = 2.4 synonyms is not a whole"),
        ({"models": ["clap"]}, "did you mean 'clapp'"),
        ({"models": ["clapp", "clapp"]}, "'clapp' is given more than once"),
    ],
)
def test_a_faulty_sweep_gets_one_line_and_exit_code_2(
    changes: dict, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {"name": "depth", "varies": "depth", "values": [2, 3], "cap": 64, "models": ["clapp"], **changes}
    lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
    (tmp_path / "thresholds.toml").write_text("\n".join(["description = 'x'", "[[sweep]]", *lines]))
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["cortexsim", "experiment", str(tmp_path), "--out", str(out)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert complaint in printed.err
    assert printed.err.count("\n") == 1
    assert not out.exists()


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(entry)}" for key, entry in value.items()) + "}"
    return repr(value)


def test_sweeps_have_names_of_their_own_and_models() -> None:
    whole = plan()
    with pytest.raises(UserError, match="another one has this name"):
        sweeps(whole.model_copy(update={"sweep": [*whole.sweep, *whole.sweep]}), Path())
    with pytest.raises(UserError, match="it names no models"):
        sweeps(whole.model_copy(update={"models": []}), Path())
    with pytest.raises(UserError, match="has no quick form"):
        sweeps(whole, Path(), quick=True)
    other = whole.sweep[0].model_copy(update={"reference": "clap"})
    with pytest.raises(UserError, match="reference = 'clap': not among its models"):
        sweeps(whole.model_copy(update={"sweep": [other]}), Path())


def test_a_name_stands_for_one_model_in_all_sweeps(tmp_path: Path) -> None:
    (tmp_path / "clapp.toml").write_text('learner = "untrained"\n')
    whole = plan()
    other = whole.sweep[0].model_copy(update={"name": "other", "models": ["clapp.toml"]})
    with pytest.raises(UserError, match="sweep 'other': models: 'clapp' names two that differ"):
        sweeps(whole.model_copy(update={"sweep": [*whole.sweep, other]}), tmp_path)


def test_labels_are_as_many_as_samples_or_as_the_readout_is_told() -> None:
    needed = Threshold((90, 90), (110, 110))
    middle = pytest.approx(math.sqrt(90 * 110))
    assert labels_needed(needed, [{"labels": 64}, {"labels": 128}]) == middle
    assert labels_needed(needed, [{"labels": 32}, {"labels": 32}]) == 32
    assert labels_needed(Threshold((90, 90), (110, math.inf)), [{"labels": 64}]) is None


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_of_thresholds_can_be_run_as_it_is_written(name: str) -> None:
    path = experiment_paths()[name]
    whole = read(path, ThresholdsFile)
    counts = [sum(len(sweep.searches()) for sweep in sweeps(whole, path.parent, quick=short)) for short in (0, 1)]
    assert counts[0] > counts[1] > 0
    assert (path.parent / "README.md").exists()


def test_a_sweep_runs_from_the_command_line(tmp_path: Path, learn: Learn) -> None:
    learn(lambda trial: 100)
    written = open_experiment(NAMES[0], quick=True).run(Engine(tmp_path, silent(), 1))
    for name in written.split(", "):
        assert (tmp_path / name).exists()


@pytest.mark.slow
def test_trained_networks_are_swept_and_the_workers_change_nothing(tmp_path: Path) -> None:
    table = SweepTable(name="toy", varies="multiplicity", values=[3], seeds=2, cap=64)
    points = ((3, Hierarchy(features=4, multiplicity=3, depth=3)),)
    planned = [ThresholdSweep(table, points, (quick(find_model("backprop")), quick(find_model("clapp"))))]
    rows = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        run_sweeps(planned, Engine(out, silent(), workers))
        rows.append(untimed(json.loads((out / "result.json").read_text())["rows"]))
    assert rows[0] == rows[1]
    assert max(row["samples"] for row in rows[0]) <= 64


def test_one_grammar_learned_from_two_samples_and_another_never_is_a_bound() -> None:
    def measure(trials: Sequence[Trial], title: str) -> list[Row]:
        learned = {True: 1.0, False: 0.5}
        return [
            {"learner": "clapp", "chance": 0.5, "grammar_seed": t.grammar_seed, "seed": t.seed, "samples": t.samples}
            | {"accuracy": learned[t.grammar_seed == 0]}
            for t in trials
        ]

    table = SweepTable(name="depth", varies="depth", values=[3], seeds=2, cap=64)
    (found,) = measure_sweeps([ThresholdSweep(table, ((3, DEEP),), (find_model("clapp"),))], measure)
    assert found.swept.thresholds["clapp"][0].censored
