import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cortexsim.config.building import assemble
from cortexsim.config.registry import read_model
from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.tasks import photographs
from cortexsim.tasks.patches import Patches

pytest.importorskip("sklearn")


def pixels(data: Any) -> set[tuple[int, int, int]]:
    """Photograph, row and column of every pixel that patches cover."""
    return {
        (label, row + down, column + right)
        for label, (row, column) in zip(data.labels.tolist(), data.corners.tolist(), strict=True)
        for down in range(data.task.size)
        for right in range(data.task.size)
    }


@pytest.mark.parametrize("task_seed", [0, 1, 2])
def test_training_and_test_patches_share_no_pixel(task_seed: int) -> None:
    train, test = Patches().draw(3000, 500, task_seed, 0)
    nearby = train.second_view(1, stream(0, "view"))
    held_out = pixels(test) | pixels(test.second_view(1, stream(0, "view")))
    assert not (pixels(train) | pixels(nearby)) & held_out


def test_patches_are_cut_from_the_filtered_photograph() -> None:
    task = Patches(photographs="china")
    train, _ = task.draw(50, 1, 0, 0)
    picture = photographs.filtered("china")[0]
    for values, (row, column) in zip(train.inputs[:, :, 0], train.corners, strict=True):
        shown = picture[row : row + 13, column : column + 13] * task.inside / train.deviations[0]
        np.testing.assert_allclose(values, shown.ravel(), rtol=1e-6)


def test_a_uniform_photograph_is_filtered_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "_read", lambda name: np.full((1, 60, 60), 0.7))
    assert np.abs(photographs.filtered.__wrapped__("china")).max() < 1e-6


def test_values_have_mean_zero_and_unit_variance_inside_the_circle() -> None:
    task = Patches()
    values = task.draw(20_000, 1, 0, 0)[0].inputs.reshape(-1, 13, 13)
    assert task.inside.sum() == 137
    assert (values[:, ~task.inside] == 0).all()
    assert values[:, task.inside].mean() == pytest.approx(0, abs=0.02)
    assert values[:, task.inside].std() == pytest.approx(1, abs=0.05)


def test_two_eyes_see_the_same_and_a_closed_one_sees_noise() -> None:
    both = Patches(eyes=2).draw(2000, 1, 0, 0)[0].inputs
    closed = Patches(eyes=2, closed="left", noise=0.3).draw(2000, 1, 0, 0)[0].inputs
    inside = Patches().inside.ravel()
    assert (both[..., 0] == both[..., 1]).all()
    assert (closed[..., 1] == both[..., 1]).all()
    assert closed[:, inside, 0].std() == pytest.approx(0.3, rel=0.01)
    assert np.corrcoef(closed[:, inside, 0].ravel(), closed[:, inside, 1].ravel())[0, 1] == pytest.approx(0, abs=0.01)
    right = Patches(eyes=2, closed="right", noise=0.3).draw(10, 1, 0, 0)[0].inputs
    assert (right[..., 0] == both[:10, :, 0]).all()


def test_on_and_off_cells_carry_both_signs_apart() -> None:
    settings: dict[str, Any] = {"eyes": 2, "closed": "left", "noise": 0.3}
    signed = Patches(**settings).draw(50, 1, 0, 0)[0]
    rectified = Patches(**settings, polarity="on-off").draw(50, 1, 0, 0)[0]
    assert Patches(**settings, polarity="on-off").channels == rectified.inputs.shape[2] == 4
    for seen, shown in ((rectified.inputs, signed.inputs), *zip(*map(nearby, (rectified, signed)), strict=True)):
        assert (seen >= 0).all()
        np.testing.assert_array_equal(seen[..., :2] - seen[..., 2:], shown)
        assert not (seen[..., :2] * seen[..., 2:]).any()


def nearby(data: Any) -> list[Any]:
    """The next fixations."""
    return [data.second_view(1, stream(0, "view")).inputs]


def test_patches_of_equal_contrast_differ_from_the_others_by_a_factor() -> None:
    as_it_is, equal = (Patches(contrast=name).draw(200, 1, 0, 0)[0].inputs[..., 0] for name in ("photograph", "equal"))
    power = (equal**2).sum(1) / Patches().inside.sum()
    np.testing.assert_allclose(power, 1, rtol=1e-5)
    factor = np.sqrt((as_it_is**2).sum(1, keepdims=True) / Patches().inside.sum())
    np.testing.assert_allclose(equal * factor, as_it_is, rtol=1e-4, atol=1e-6)
    assert factor.std() > 0.2


def test_contrast_of_a_closed_eye_and_of_nothing_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Patches(eyes=2, closed="right", noise=0.3, contrast="equal")
    inputs = task.draw(2000, 1, 0, 0)[0].inputs[:, task.inside.ravel()]
    assert inputs[..., 1].std() == pytest.approx(0.3, rel=0.01)
    np.testing.assert_allclose((inputs[..., 0] ** 2).mean(1), 1, rtol=1e-5)
    monkeypatch.setattr(photographs, "filtered", lambda name: np.zeros((1, 60, 80), np.float32))
    empty = Patches(photographs="china", contrast="equal", size=5, shift=1)
    shown = empty.render(np.zeros(3, int), np.zeros((3, 2), int), (1.0,), np.random.default_rng(0))
    assert not shown.any()


@pytest.mark.parametrize("learner", ["local", "untrained"])
def test_spiking_layers_refuse_values_of_both_signs(learner: str, tmp_path: Path) -> None:
    rule = '[rule]\nname = "clapp"\ncontext = "next"\n' if learner == "local" else ""
    network = '[network]\ncells = 3\nsubstrate = "spiking"\n[[layer]]\nsize = "all"\n'
    (tmp_path / "mine.toml").write_text(f'learner = "{learner}"\n{rule}{network}')
    model = read_model(tmp_path / "mine.toml")
    with pytest.raises(
        UserError, match=r"^mine: task 'patches': values are of both signs, .*'on-off' gives patches\)$"
    ):
        assemble(model, Patches(), seed=0, target="numpy")
    assert assemble(model, Patches(polarity="on-off"), seed=0, target="numpy").network.layers[0].positions == 1


def test_the_eyes_see_their_halves_of_a_stereo_pair() -> None:
    pytest.importorskip("skimage")
    inputs = Patches(photographs="motorcycle", eyes=2).draw(200, 1, 0, 0)[0].inputs
    assert (inputs[..., 0] != inputs[..., 1]).any((1,)).all()


def test_fixations_are_near_one_another() -> None:
    train, _ = Patches(shift=3).draw(5000, 1, 0, 0)
    steps = train.second_view(1, stream(0, "view")).corners - train.corners
    assert np.abs(steps).max() == 3
    assert (steps != 0).any(1).all()
    assert np.abs(steps.mean(0)).max() < 0.1
    assert len({tuple(step) for step in steps.tolist()}) == 7**2 - 1


def test_patches_are_drawn_once_and_from_everywhere() -> None:
    task = Patches(photographs="china")
    most = task.distinct_samples - task.max_test
    train, test = task.draw(most, task.max_test, 0, 0)
    for data in (train, test):
        assert len({tuple(corner) for corner in data.corners.tolist()}) == len(data)
    with pytest.raises(UserError, match=f"{most + 1} training samples are too many"):
        task.draw(most + 1, 1, 0, 0)
    with pytest.raises(UserError, match=f"{task.max_test + 1} test samples are too many"):
        task.draw(1, task.max_test + 1, 0, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"photographs": "chna"}, "'chna' is not known .did you mean 'china'"),
        ({"photographs": ""}, "'' is not known"),
        ({"photographs": "china+china"}, "'china' is there twice"),
        ({"size": 2}, "size = 2 is out of range"),
        ({"size": 65}, "size = 65 is out of range"),
        ({"eyes": 3}, "eyes = 3 is out of range"),
        ({"shift": 0}, "shift = 0 is out of range"),
        ({"eyes": 2, "closed": "both"}, "closed = 'both' is not known"),
        ({"closed": "left"}, "there is one eye"),
        ({"polarity": "on"}, "polarity = 'on' is not known .known: on-off, signed"),
        ({"contrast": "equals"}, "contrast = 'equals' is not known .did you mean 'equal'"),
        ({"eyes": 2, "noise": -1.0}, "noise = -1 is out of range"),
        ({"eyes": 2, "noise": float("nan")}, "noise = nan is out of range"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Patches(**settings)


def test_patches_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "filtered", lambda name: np.zeros((1, 60, 80), np.float32))
    with pytest.raises(UserError, match=r"size = 13 and shift = 4 are too large for 'china'"):
        Patches(photographs="china").draw(1, 1, 0, 0)


@pytest.mark.parametrize(
    ("name", "package", "module"), [("china", "sklearn", "datasets"), ("camera", "skimage", "data")]
)
def test_a_missing_package_is_named(name: str, package: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    photographs.filtered.cache_clear()
    for part in (package, f"{package}.{module}"):
        monkeypatch.setitem(sys.modules, part, None)
    with pytest.raises(
        UserError, match=rf"^task 'patches': photograph '{name}' needs .*pip install 'cortexsim\[\w+\]'\)$"
    ):
        importlib.import_module("cortexsim.tasks.patches").Patches(photographs=name).draw(10, 1, 0, 0)
