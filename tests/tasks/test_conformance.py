"""Requirements on every task, checked for each task of the package."""

import doctest
import importlib
import pickle
import sys
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.tasks import TASKS, UNLABELLED, Data, Task
from tests.tasks.pictures import write_folders

TRAIN, TEST = 60, 40
NEEDED = {"digits": "sklearn", "mnist1d": "mnist1d", "patches": "sklearn"}
MODULES = ["arrays", "digits", "images.task", "mnist1d", "patches", "sequence"]
SIGNED = {"patches"}  # The others have values from 0 to 1, which spikes can encode.


@pytest.fixture(params=sorted(TASKS))
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Task:
    if request.param in NEEDED:
        pytest.importorskip(NEEDED[request.param])
    settings: dict[str, Any] = {}
    if request.param == "images":
        write_folders(tmp_path / "pictures", classes=3, each=40)
        settings = {"path": str(tmp_path / "pictures")}
    if request.param == "arrays":
        generator = np.random.default_rng(0)
        labels = generator.integers(3, size=150)
        labels[:20] = UNLABELLED
        np.savez(tmp_path / "some.npz", X=generator.normal(size=(150, 4, 5, 2)), y=labels)
        settings = {"path": str(tmp_path / "some.npz")}
    return TASKS[request.param](**settings)


def keys(data: Data) -> list[bytes]:
    return [row.tobytes() for row in data.inputs]


def test_samples_have_the_declared_shape_and_labels(task: Task) -> None:
    for data, count in zip(task.draw(TRAIN, TEST, 0, 1), (TRAIN, TEST), strict=True):
        assert data.inputs.shape == (count, np.prod(task.grid), task.channels)
        assert data.inputs.dtype == np.float32
        assert np.isfinite(data.inputs).all()
        assert data.inputs.min() < data.inputs.max()
        assert task.name in SIGNED or (data.inputs.min() >= 0 and data.inputs.max() <= 1)
        assert data.labels.shape == (count,)
        assert np.issubdtype(data.labels.dtype, np.integer)
        assert data.labels.astype(int).min() >= UNLABELLED
        assert data.labels.max() < task.classes
        assert all(len(level) == count for level in data.latents)
        assert len(data) == count
    assert (data.labels.astype(int) >= 0).all()  # Test samples have labels.


def test_training_and_test_share_no_sample(task: Task) -> None:
    train, test = task.draw(TRAIN, TEST, 0, 1)
    assert len(set(keys(train)) | set(keys(test))) == TRAIN + TEST


def test_equal_seeds_draw_equal_samples(task: Task) -> None:
    again = type(task)(**{field.name: getattr(task, field.name) for field in fields(task)})  # type: ignore[arg-type]
    assert again == task
    for one, other in zip(task.draw(TRAIN, TEST, 2, 3), again.draw(TRAIN, TEST, 2, 3), strict=True):
        assert (one.inputs == other.inputs).all()
        assert (one.labels == other.labels).all()


def test_other_seeds_draw_other_samples(task: Task) -> None:
    drawn = [keys(task.draw(TRAIN, TEST, *seeds)[0]) for seeds in ((2, 3), (2, 4), (3, 3))]
    assert drawn[0] != drawn[1]
    assert drawn[0] != drawn[2]


def test_larger_training_sets_begin_with_the_smaller(task: Task) -> None:
    (small, tested), (large, same) = (task.draw(train, TEST, 0, 1) for train in (TRAIN // 2, TRAIN))
    assert keys(large)[: TRAIN // 2] == keys(small)
    assert (large.labels[: TRAIN // 2] == small.labels).all()
    assert keys(tested) == keys(same)


def test_chance_is_the_frequency_of_a_class(task: Task) -> None:
    assert 1 / task.classes <= task.chance < 1
    labels = task.draw(TRAIN, TEST, 0, 1)[1].labels
    assert abs(np.bincount(labels, minlength=task.classes)[labels[0]] / TEST - task.chance) < 0.3


def test_samples_can_be_indexed(task: Task) -> None:
    data = task.draw(TRAIN, TEST, 0, 1)[0]
    for chosen in (slice(5, 9), np.array([5, 6, 7, 8])):
        assert keys(data[chosen]) == keys(data)[5:9]
        assert (data[chosen].labels == data.labels[5:9]).all()


def test_second_views_keep_labels_and_change_inputs(task: Task) -> None:
    data = task.draw(TRAIN, TEST, 0, 1)[0]
    if not task.second_views:
        with pytest.raises(UserError, match="no second view"):
            data.second_view(1, stream(0, "view"))
        return
    view = data.second_view(1, stream(0, "view"))
    assert (view.labels == data.labels).all()
    assert view.inputs.shape == data.inputs.shape
    assert view.inputs.dtype == np.float32
    assert (view.inputs != data.inputs).any((1, 2)).all()
    assert (view.inputs == data.second_view(1, stream(0, "view")).inputs).all()


def test_requests_for_too_many_samples_are_refused_in_one_line(task: Task) -> None:
    with pytest.raises(UserError) as error:
        task.draw(task.distinct_samples, 1, 0, 1)
    assert "\n" not in str(error.value)
    assert str(task.distinct_samples) in str(error.value)


def test_tasks_are_frozen_and_can_be_pickled(task: Task) -> None:
    task.draw(TRAIN, TEST, 0, 1)
    with pytest.raises(FrozenInstanceError):
        task.path = "other"  # type: ignore[attr-defined]
    sent = pickle.dumps(task)
    assert len(sent) < 1000  # The settings only, not the samples.
    assert pickle.loads(sent) == task


def test_declared_properties_are_consistent(task: Task) -> None:
    assert TASKS[task.name] is type(task)
    assert len(task.grid) in (1, 2)
    assert task.branching >= 2
    assert task.depth is None or task.depth >= 1
    assert task.distinct_samples >= TRAIN + TEST
    assert bool(task.content) == hasattr(task, "path")  # Only files can change under the same settings.


@pytest.mark.parametrize("module", MODULES)
def test_every_task_has_an_example_that_runs(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if module in NEEDED:
        pytest.importorskip(NEEDED[module])
    monkeypatch.chdir(tmp_path)
    results = doctest.testmod(importlib.import_module(f"cortexsim.tasks.{module}"))
    assert results.attempted >= 3
    assert results.failed == 0


@pytest.mark.parametrize(("name", "module", "made"), [("digits", "sklearn", "_read"), ("mnist1d", "mnist1d", "_make")])
def test_missing_packages_are_reported_in_one_line(
    name: str, module: str, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    getattr(importlib.import_module(f"cortexsim.tasks.{name}"), made).cache_clear()
    for part in (module, f"{module}.datasets", f"{module}.data"):
        monkeypatch.setitem(sys.modules, part, None)
    with pytest.raises(UserError, match=r"^task .*pip install 'cortexsim\[\w+\]'\)$"):
        TASKS[name]().draw(100, 10, 0, 0)
