from typing import Any

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.tasks.sequence import ObjectSequence


def place(inputs: np.ndarray) -> np.ndarray:
    """Centre of the values above noise in each sample, (samples,)."""
    seen = inputs[:, :, 0] > 0.1
    return (seen.argmax(1) + seen.shape[1] - 1 - seen[:, ::-1].argmax(1)) / 2


@pytest.mark.parametrize("fixations", [1, 3, 7])
def test_an_object_persists_and_is_then_replaced_by_another(fixations: int) -> None:
    train, test = ObjectSequence(fixations=fixations).draw(210, 50, 0, 0)
    for labels in (train.labels, test.labels[: 50 // fixations * fixations]):
        runs = labels.reshape(-1, fixations)
        assert (runs == runs[:, :1]).all()
        assert (runs[1:, 0] != runs[:-1, 0]).all()


def test_objects_are_equally_frequent() -> None:
    counts = np.bincount(ObjectSequence(objects=5).draw(40_000, 1, 0, 0)[0].labels)
    assert np.abs(counts / 40_000 - 0.2).max() < 0.01


def test_without_shift_or_scale_the_inputs_are_the_object() -> None:
    task = ObjectSequence(positions=13, size=13, shift=0, scale=0, noise=0.001)
    train, _ = task.draw(20, 1, 0, 0)
    assert np.abs(train.inputs[:, :, 0] - train.templates[train.labels]).max() < 0.01


def test_positions_are_uniform_and_objects_are_never_cut_off() -> None:
    task = ObjectSequence(objects=2, positions=25, size=5, shift=10, scale=0, noise=0.001)
    train, _ = task.draw(8000, 1, 3, 0)
    one = train[train.labels == 0]
    places = place(one.inputs)
    found = np.round(places - places.min()).astype(int)
    assert np.ptp(places) == 20
    assert np.abs(np.bincount(found) / len(one) - 1 / 21).max() < 0.015
    total = one.templates[0].sum()
    assert np.abs(one.inputs.sum((1, 2)) - total).max() < 0.05


def test_widths_cover_the_range_of_scales() -> None:
    task = ObjectSequence(objects=2, positions=64, size=33, shift=0, scale=0.5, noise=0.001)
    train, _ = task.draw(2000, 1, 0, 0)
    widths = (train.inputs[:, :, 0] > 0.01).sum(1)
    assert widths.min() in range(15, 18)
    assert widths.max() in range(46, 50)


def test_noise_has_the_given_standard_deviation() -> None:
    task = ObjectSequence(positions=40, size=4, shift=0, scale=0, noise=0.1)
    ground = task.draw(3000, 1, 0, 0)[0].inputs[:, :10]
    assert (ground == 0).mean() == pytest.approx(0.5, abs=0.01)  # Half of it lies below 0 and is clipped.
    assert np.sqrt((ground**2).mean() * 2) == pytest.approx(0.1, abs=0.002)


def test_the_second_view_is_the_same_object_at_another_position() -> None:
    task = ObjectSequence(objects=2, positions=30, size=6, shift=12, scale=0, noise=0.001)
    train, _ = task.draw(1000, 1, 3, 0)
    view = train.second_view(2, stream(0, "view"))
    assert np.corrcoef(place(train.inputs), place(view.inputs))[0, 1] == pytest.approx(0, abs=0.1)
    total = train.templates.sum(1)[train.labels]
    assert np.abs(view.inputs.sum((1, 2)) - total).max() < 0.05


def test_objects_follow_from_the_task_seed_alone() -> None:
    task = ObjectSequence()
    drawn = [task.draw(8, 8, *seeds)[0].templates for seeds in ((1, 2), (1, 3), (2, 2))]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objects": 1}, "objects = 1 is too small"),
        ({"positions": 1}, "positions = 1 is too small"),
        ({"size": 1}, "size = 1 is too small"),
        ({"shift": -1}, "shift = -1 is too small"),
        ({"fixations": 0}, "fixations = 0 is too small"),
        ({"scale": -0.1}, "scale = -0.1 is out of range"),
        ({"scale": 1.0}, "scale = 1 is out of range"),
        ({"noise": 0.0}, "noise = 0 is out of range"),
        ({"noise": float("nan")}, "noise = nan is out of range"),
        ({"positions": 30}, "positions = 30 is too small .*at least 31"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ObjectSequence(**settings)


def test_objects_can_be_decoded_by_nearest_neighbours_but_not_linearly() -> None:
    train, test = ObjectSequence().draw(4000, 400, 0, 0)
    shown, asked = train.inputs[:, :, 0].astype(float), test.inputs[:, :, 0].astype(float)
    distances = (shown**2).sum(1) - 2 * asked @ shown.T
    assert (train.labels[distances.argmin(1)] == test.labels).mean() > 0.98
    weights = np.linalg.lstsq(np.c_[shown, np.ones(4000)], np.eye(8)[train.labels], rcond=None)[0]
    assert ((np.c_[asked, np.ones(400)] @ weights).argmax(1) == test.labels).mean() < 0.5
