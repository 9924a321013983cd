"""What is said of the time that is left: only what has been measured, and of each learner by itself."""

import io
import time
from typing import Any

import pytest
from rich.console import Console

from cortexsim.config.registry import find_model
from cortexsim.config.trial import Trial
from cortexsim.execution.scheduler import TrialProgress, in_order
from cortexsim.learners import EpochEnd
from cortexsim.studies.single_run import EpochProgress
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import cpu_seconds

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


def test_nothing_is_expected_before_every_learner_that_is_left_was_measured() -> None:
    found = watch(trials("clapp", "untrained"))
    found.finished(told("clapp 16 0", 40.0))
    assert found.seconds_left() is None
    found.finished(told("untrained 16 0", 6.0))
    assert found.seconds_left() == pytest.approx(40 + 20 + 20 + 6 + 3 + 3)  # Half the samples take half as long.
    for key in ("clapp 16 1", "clapp 8 0", "clapp 8 1"):
        found.finished(told(key, 30.0))
    assert found.seconds_left() == pytest.approx(6 + 3 + 3)


def test_workers_share_what_is_left_but_no_run() -> None:
    found = watch(trials("clapp"), workers=8)
    found.finished(told("clapp 16 0", 40.0))
    assert found.seconds_left() == pytest.approx(40)
    assert watch(trials("clapp"), workers=0).seconds_left() is None


def test_runs_that_may_have_waited_for_the_compiler_measure_nothing() -> None:
    found = watch(trials("clapp-spiking"), workers=2)
    for key in ("clapp-spiking 16 0", "clapp-spiking 16 1"):
        found.finished(told(key, 1000.0))
        assert found.seconds_left() is None
    found.finished(told("clapp-spiking 8 0", 5.0))
    assert found.seconds_left() == pytest.approx(5)


def test_a_failed_run_measures_nothing() -> None:
    found = watch(trials("clapp"))
    found.finished({"key": "clapp 16 0", "error": "something"})
    assert found.seconds_left() is None


def test_one_of_each_learner_comes_first() -> None:
    several = trials("clapp", "clapp-spiking", "untrained")
    ordered = [several[key] for key in in_order(several)]
    assert [(trial.model.name, trial.samples) for trial in ordered[:3]] == [
        ("clapp-spiking", 16),
        ("clapp", 16),
        ("untrained", 16),
    ]
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


def test_work_costs_processor_time() -> None:
    before, total = cpu_seconds(), 0
    while cpu_seconds() == before:  # The clock ticks in hundredths.
        total += sum(range(1000))
    assert cpu_seconds() > before
