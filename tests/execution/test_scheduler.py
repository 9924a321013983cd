"""What is printed of the time that is left."""

import io
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cortexsim.config.registry import find_model
from cortexsim.config.trial import Trial
from cortexsim.execution.scheduler import TrialProgress, in_order
from cortexsim.learners import EpochEnd, HybridNetwork
from cortexsim.studies.single_run import EpochProgress
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import cpu_seconds, prepare
from cortexsim.verbosity import VARIABLE
from tests.training.test_survival import trial as toy

TASK = Hierarchy(features=4, multiplicity=2, depth=2)


def trials(*names: str) -> dict[str, Trial]:
    return {
        f"{name} {samples} {seed}": Trial(find_model(name), TASK, samples, 8, 0, seed)
        for name in names
        for samples in (8, 16)
        for seed in (0, 1)
    }


def told(key: str, seconds: float) -> dict[str, Any]:
    return {"key": key, "learner": key.split()[0], "samples": 8, "accuracy": 0.5, "seconds": seconds}


def watch(left: dict[str, Trial], workers: int = 1) -> TrialProgress:
    return TrialProgress(Console(file=io.StringIO(), width=200), left, 0, workers)


def cost(trial: Trial) -> float:
    return trial.cost


def test_runs_of_a_learner_are_timed_by_those_that_are_finished() -> None:
    several = trials("clapp", "untrained")
    found = watch(several)
    assert found.seconds_left() == pytest.approx(sum(map(cost, several.values())))
    first = several.pop("clapp 16 0")
    found.finished(told("clapp 16 0", 100 * first.cost))  # A slow machine: all is as slow until more is known.
    assert found.seconds_left() == pytest.approx(100 * sum(map(cost, several.values())))
    found.finished(told("untrained 16 0", 5 * several.pop("untrained 16 0").cost))
    slow, fast = ([trial for key, trial in several.items() if name in key] for name in ("clapp", "untrained"))
    assert found.seconds_left() == pytest.approx(100 * sum(map(cost, slow)) + 5 * sum(map(cost, fast)))


MEASURED = {
    "backprop": {256: 5.7, 512: 10.0, 1024: 21.0, 2048: 41.3},
    "clapp": {256: 0.5, 512: 0.8, 1024: 1.4, 2048: 2.8},
    "clapp-spiking": {256: 5.9, 512: 8.1, 1024: 12.6, 2048: 19.8},
    "dfa": {256: 0.9, 512: 1.4, 1024: 2.3, 2048: 4.1},
    "untrained": {256: 0.4, 512: 0.5, 1024: 0.8, 2048: 1.3},
}
"""Seconds of CPU time of runs on three levels, each the mean of three, on a machine with two cores."""


def test_the_remaining_time_is_right_from_the_beginning() -> None:
    """As in `cortexsim compare`, replayed on two workers of a machine that is half as fast."""
    task = Hierarchy(features=8, multiplicity=4, depth=3)
    several = {
        f"{name} {samples} {seed}": Trial(find_model(name), task, samples, 4096, 10 + seed, seed)
        for name, times in MEASURED.items()
        for samples in times
        for seed in range(3)
    }
    found, free, ended = watch(several, workers=2), [0.0, 0.0], []
    for key in in_order(several):
        name, samples, _ = key.split()
        seconds = 2 * MEASURED[name][int(samples)]
        worker = free.index(min(free))
        free[worker] += seconds
        ended.append((free[worker], key, seconds))
    total, first = max(free), found.seconds_left()
    assert first is not None
    assert 0.4 < first / total < 1.6
    for now, key, seconds in sorted(ended):
        found.finished(told(key, seconds))
        left = found.seconds_left()
        assert left is not None
        if now < 0.8 * total:
            assert 0.6 < left / (total - now) < 1.6, key


def test_workers_share_what_is_left_but_no_run() -> None:
    several = trials("clapp")
    found = watch(several, workers=8)
    found.finished(told("clapp 16 0", several["clapp 16 0"].cost * 40))
    assert found.seconds_left() == pytest.approx(several["clapp 16 1"].cost * 40)
    assert watch(trials("clapp"), workers=0).seconds_left() is None


def test_a_failed_run_measures_nothing() -> None:
    found = watch(trials("clapp"))
    found.finished({"key": "clapp 16 0", "error": "something"})
    assert found.rates == {}


def test_one_of_each_learner_comes_first_to_time_the_others() -> None:
    several = trials("clapp", "clapp-spiking", "untrained")
    ordered = [several[key] for key in in_order(several)]
    assert {trial.model.name for trial in ordered[:3]} == {"clapp-spiking", "clapp", "untrained"}
    assert {trial.samples for trial in ordered[:3]} == {8}
    assert [trial.cost for trial in ordered[3:]] == sorted((trial.cost for trial in ordered[3:]), reverse=True)
    assert len(ordered) == 12


def test_the_first_epoch_of_a_stage_is_no_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    file, now = io.StringIO(), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = EpochProgress(Console(file=file, width=200), stages=2, epochs=5)
    for stage in range(2):
        for epoch in range(5):
            now += 500.0 if epoch == 0 else 2.0  # The compiler, and then an epoch.
            progress(EpochEnd(stage, epoch))
    lines = file.getvalue().splitlines()
    assert lines[0] == "stage 1 of 2, epoch 1 of 5"
    assert lines[1] == "stage 1 of 2, epoch 2 of 5, 16 s left"
    assert lines[5] == "stage 2 of 2, epoch 1 of 5, 8 s left"
    assert lines[-1] == "stage 2 of 2, epoch 5 of 5, 0 s left"


def test_within_a_long_epoch_progress_is_printed_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    file, now = io.StringIO(), 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = EpochProgress(Console(file=file, width=200), stages=2, epochs=2)
    for epoch in range(2):
        for shown in range(100, 501, 100):
            now += 6.0
            progress.within(shown, 500)
        progress(EpochEnd(0, epoch))
    assert file.getvalue().splitlines() == [
        "stage 1 of 2, epoch 1 of 2, 200 of 500 fixations, 108 s left",
        "stage 1 of 2, epoch 1 of 2, 400 of 500 fixations, 96 s left",
        "stage 1 of 2, epoch 1 of 2",
        "stage 1 of 2, epoch 2 of 2, 200 of 500 fixations, 78 s left",
        "stage 1 of 2, epoch 2 of 2, 400 of 500 fixations, 66 s left",
        "stage 1 of 2, epoch 2 of 2, 60 s left",
    ]


def test_spiking_layers_say_how_far_their_epoch_is(tmp_path: Path) -> None:
    prepared = prepare(toy("spiking", tmp_path))
    seen: list[tuple[int, int]] = []
    network, learner = prepared.learner.network, prepared.learner
    assert isinstance(network, HybridNetwork)
    for segment in network.segments:
        segment.progress = lambda shown, samples: seen.append((shown, samples))
    learner.step(0, learner.stage_inputs(0, prepared.inputs), prepared.labels, 0.0)
    assert seen == [(len(prepared.inputs), len(prepared.inputs))]


def test_how_much_is_printed_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    written = {}
    for level in ("quiet", "", "verbose"):
        monkeypatch.setenv(VARIABLE, level)
        file = io.StringIO()
        with TrialProgress(Console(file=file, width=200), trials("clapp"), 0) as several:
            for key in trials("clapp"):
                several.finished(told(key, 1.0))
        progress = EpochProgress(Console(file=file, width=200), stages=1, epochs=20)
        for epoch in range(20):
            progress(EpochEnd(0, epoch))
        written[level] = file.getvalue().splitlines()
    assert written["quiet"] == []
    assert len(written[""]) == 1 + 1 + 10
    assert len(written["verbose"]) == 1 + 4 + 20


def test_work_costs_processor_time() -> None:
    before, total = cpu_seconds(), 0
    while cpu_seconds() == before:  # The clock ticks in hundredths.
        total += sum(range(1000))
    assert cpu_seconds() > before
