import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.tasks.digits import Digits

datasets = pytest.importorskip("sklearn.datasets")


def test_pixels_are_those_of_scikit_learn() -> None:
    train, test = Digits().draw(1297, 500, 0, 0)
    shown = np.concatenate([train.inputs, test.inputs])[:, :, 0] * 16
    pixels, labels = datasets.load_digits(return_X_y=True)
    order, known = np.lexsort(shown.T), np.lexsort(pixels.T)
    assert (shown[order] == pixels[known]).all()
    assert (np.concatenate([train.labels, test.labels])[order] == labels[known]).all()


def test_chance_is_the_most_frequent_digit() -> None:
    assert Digits().chance == pytest.approx(183 / 1797)


def test_every_digit_is_in_the_smallest_training_set() -> None:
    for seed in range(5):
        assert set(Digits().draw(10, 100, 0, seed)[0].labels) == set(range(10))
    with pytest.raises(UserError, match="9 training samples are too few"):
        Digits().draw(9, 100, 0, 0)


def test_test_samples_follow_from_the_task_seed_alone() -> None:
    first, second = Digits().draw(10, 100, 4, 0)[1], Digits().draw(900, 100, 4, 1)[1]
    assert (first.inputs == second.inputs).all()
    assert (first.inputs != Digits().draw(10, 100, 5, 0)[1].inputs).any()


def test_test_sets_leave_one_of_each_digit() -> None:
    train, test = Digits().draw(10, 1787, 0, 0)
    assert sorted(train.labels) == list(range(10))
    assert len(test) == 1787
    with pytest.raises(UserError, match="1788 test samples are too many"):
        Digits().draw(10, 1788, 0, 0)
