"""What tasks of the user's may hold: samples without a label, test sets of their own, and faults that are named."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.studies.test_size import checked_test_size
from cortexsim.tasks import TASKS
from cortexsim.tasks.data import ArrayData
from cortexsim.tasks.protocol import check_drawn
from cortexsim.training.measurement import run


@dataclass(frozen=True)
class Steps:
    """Rows of zeros with ones in one half; every second training sample has no label."""

    name: ClassVar[str] = "steps"
    grid: ClassVar[tuple[int, ...]] = (8,)
    channels: ClassVar[int] = 1
    classes: ClassVar[int] = 2
    chance: ClassVar[float] = 0.5
    depth: ClassVar[None] = None
    branching: ClassVar[int] = 2
    second_views: ClassVar[str] = ""
    content: ClassVar[str] = ""
    distinct_samples: ClassVar[int] = 10**6

    fault: str = ""

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[ArrayData, ArrayData]:
        learned, tested = self.some(train, stream(seed, "train")), self.some(test, stream(seed, "test"))
        learned.labels[::2] = -1
        return spoiled(learned, self.fault.removeprefix("train ")), spoiled(tested, self.fault.removeprefix("test "))

    def some(self, count: int, draw: np.random.Generator) -> ArrayData:
        labels = draw.integers(2, size=count)
        rows = np.where(np.arange(8) // 4 == labels[:, None], 0.9, 0.1) + draw.uniform(-0.1, 0.1, (count, 8))
        return ArrayData(rows[:, :, None].astype(np.float32), labels)


def spoiled(data: ArrayData, fault: str) -> ArrayData:
    match fault:
        case "shape":
            return ArrayData(data.inputs.transpose(0, 2, 1), data.labels)
        case "count":
            return data[:-1]
        case "nan":
            return ArrayData(data.inputs * np.float32(np.nan), data.labels)
        case "class":
            return ArrayData(data.inputs, data.labels + 1)
        case "real":
            return ArrayData(data.inputs, data.labels.astype(float))  # type: ignore[arg-type]
        case "unlabelled":
            return ArrayData(data.inputs, np.full_like(data.labels, -1))
        case "order":
            return data[np.argsort(data.labels)]
    return data


def row(fault: str = "", **values: Any) -> Row:
    values = {"network.cells": 16, "network.sends": "activity", "training.epochs": 1, "readout.epochs": 50} | values
    return run(Trial(changed(find_model("clapp"), values), Steps(fault), 40, 40, 0, 0, target="numpy"))


def test_a_readout_is_told_the_labels_that_there_are() -> None:
    found = row()
    assert found["labels"] == 20
    assert found["accuracy"] > 0.8
    assert row(**{"readout.labels": 5})["labels"] == 5


@pytest.mark.slow
def test_spiking_layers_learn_from_samples_without_a_label() -> None:
    spiking = {"layer": [{"size": 4}, {"size": "all"}], "network.substrate": ["spiking"]}
    spiking |= {"network.input_rms": "none", "training.batch": 64}
    assert row(**spiking)["labels"] == 20


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("train shape", r"task 'steps': its training samples have the shape \(40, 1, 8\), not \(40, 8, 1\)"),
        ("test shape", r"task 'steps': its test samples have the shape \(40, 1, 8\), not \(40, 8, 1\)"),
        ("train count", r"task 'steps': its training samples have the shape \(39, 8, 1\), not \(40, 8, 1\)"),
        ("train nan", "task 'steps': its training samples contain nan or infinite values"),
        ("test class", "task 'steps': its test samples have labels from 1 to 2, not from 0 to 1"),
        ("train class", "task 'steps': its training samples have labels from 0 to 2, not from -1 to 1"),
        ("train real", "task 'steps': the labels of its training samples have dtype float64 and shape .* .an integer"),
        ("test unlabelled", "task 'steps': its test samples have labels from -1 to -1, not from 0 to 1"),
    ],
)
def test_samples_that_are_not_what_a_task_announces_get_one_line(fault: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        row(fault)


def test_test_samples_in_order_of_class_are_refused() -> None:
    data = Steps().some(200, stream(0, "test"))
    check_drawn(Steps(), data, 200, "test")
    check_drawn(Steps(), spoiled(data, "order"), 200, "training")
    check_drawn(Steps(), spoiled(data[:40], "order"), 40, "test")  # Few samples may be in order by chance.
    with pytest.raises(UserError, match=r"task 'steps': its test samples have class \d in one half only"):
        check_drawn(Steps(), spoiled(data, "order"), 200, "test")


@pytest.mark.parametrize("chance", [50, 0, np.nan, "half", None])
def test_an_impossible_chance_is_refused(chance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Steps, "chance", chance)
    with pytest.raises(UserError, match=r"task 'steps': chance = .* \(above 0, at most 1"):
        row()


def test_chance_is_a_plain_number_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Steps, "chance", np.float32(0.5))
    assert type(row()["chance"]) is float


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("count", r"its second-view samples have the shape \(39, 8, 1\), not \(40, 8, 1\)"),
        ("nan", "its second-view samples contain nan or infinite values"),
    ],
)
def test_second_views_are_checked(fault: str, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Steps, "second_views", "next")
    monkeypatch.setattr(ArrayData, "second_view", lambda data, layer, generator: spoiled(data, fault))
    with pytest.raises(UserError, match=complaint):
        row(**{"rule.context": "next"})


@pytest.mark.parametrize(
    ("arrays", "samples", "expected"),
    [
        ({"y": np.arange(200) % 2}, 60, 140),
        ({"y": np.where(np.arange(200) < 80, np.arange(200) % 2, -1)}, 60, 20),  # A quarter of those with a label.
        ({"y": np.arange(200) % 2, "X_test": np.ones((30, 8)), "y_test": np.arange(30) % 2}, 60, 30),
    ],
)
def test_no_more_is_tested_on_than_a_file_has_to_test(
    arrays: dict[str, np.ndarray], samples: int, expected: int, tmp_path: Path
) -> None:
    np.savez(tmp_path / "some.npz", X=np.random.default_rng(0).random((200, 8)), **arrays)
    task = TASKS["arrays"](path=str(tmp_path / "some.npz"))
    assert checked_test_size(task, samples) == expected
    assert [len(data) for data in task.draw(samples, expected, 0, 0)] == [samples, expected]


def test_too_few_samples_for_testing_are_named(tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).random((200, 8)), np.arange(200) % 2
    np.savez(tmp_path / "some.npz", X=X, y=y, X_test=X[:7], y_test=y[:7])
    with pytest.raises(UserError, match=r"task 'arrays' has 7 samples to test on \(at least 8, 4 a class\)"):
        checked_test_size(TASKS["arrays"](path=str(tmp_path / "some.npz")), 60)
