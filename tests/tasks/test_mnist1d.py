import random

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.tasks.mnist1d import Mnist1d

made = pytest.importorskip("mnist1d.data")


@pytest.fixture(scope="module")
def published() -> dict[str, np.ndarray]:
    return made.make_dataset(made.get_dataset_args())


def test_task_seed_zero_is_the_published_data_set(published: dict[str, np.ndarray]) -> None:
    train, test = Mnist1d(scaling="none").draw(4000, 1000, 0, 7)
    assert (test.inputs[:, :, 0] == published["x_test"].astype(np.float32)).all()
    assert (test.labels == published["y_test"]).all()
    shown, known = train.inputs[:, :, 0], published["x"].astype(np.float32)
    order, reference = np.lexsort(shown.T), np.lexsort(known.T)
    assert (shown[order] == known[reference]).all()
    assert (train.labels[order] == published["y"][reference]).all()


def test_statistics_are_the_published_ones() -> None:
    train, test = Mnist1d(scaling="none").draw(4000, 1000, 0, 0)
    shown = np.concatenate([train.inputs, test.inputs])
    assert shown.mean() == pytest.approx(0, abs=1e-5)
    assert shown.std() == pytest.approx(1, abs=1e-5)
    assert (np.bincount(np.concatenate([train.labels, test.labels])) == 500).all()


def test_scaling_follows_the_published_training_samples(published: dict[str, np.ndarray]) -> None:
    low, high = published["x"].min(), published["x"].max()
    small, test = Mnist1d().draw(50, 1000, 0, 0)
    large, _ = Mnist1d().draw(4000, 1000, 0, 0)
    assert (small.inputs == large.inputs[:50]).all()
    assert (large.inputs.min(), large.inputs.max()) == (0, 1)
    wanted = np.clip((published["x_test"] - low) / (high - low), 0, 1)
    assert np.abs(test.inputs[:, :, 0] - wanted).max() < 1e-6
    standard, _ = Mnist1d(scaling="standard").draw(4000, 1, 0, 0)
    assert standard.inputs.std() == pytest.approx(1, abs=1e-5)


def test_samples_beyond_the_published_data_set() -> None:
    train, test = Mnist1d(scaling="none").draw(4500, 1100, 0, 0)
    less, _ = Mnist1d(scaling="none").draw(4000, 1000, 0, 0)
    assert (train.inputs[:4000] == less.inputs).all()
    assert len({row.tobytes() for row in np.concatenate([train.inputs, test.inputs])}) == 5600
    assert train.inputs[4000:].std() == pytest.approx(1, abs=0.05)
    with pytest.raises(UserError, match="100001 test samples are too many"):
        Mnist1d().draw(10, 100_001, 0, 0)


def test_global_random_states_are_restored() -> None:
    before = random.getstate(), np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    Mnist1d().draw(10, 10, 987, 0)  # A task seed that no other test uses, so that the data set is not cached.
    after = random.getstate(), np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    assert before[0] == after[0]
    assert before[1]["pos"] == after[1]["pos"]
    assert (before[1]["key"] == after[1]["key"]).all()


def test_unknown_scaling_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean 'range'"):
        Mnist1d(scaling="rang")


def test_logistic_regression_is_as_accurate_as_published() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    train, test = Mnist1d(scaling="standard").draw(4000, 1000, 0, 0)
    fitted = linear.LogisticRegression().fit(train.inputs[:, :, 0], train.labels)
    assert fitted.score(test.inputs[:, :, 0], test.labels) == pytest.approx(0.32, abs=0.02)


def test_one_permutation_of_the_positions_reorders_all_samples_and_their_views() -> None:
    plain, shuffled = Mnist1d(), Mnist1d(shuffled=True)
    order = stream(3, "positions").permutation(40)
    assert (order != np.arange(40)).any()
    for one, other in zip(plain.draw(50, 60, 3, 7), shuffled.draw(50, 60, 3, 7), strict=True):
        assert (other.inputs == one.inputs[:, order]).all()
        assert (other.labels == one.labels).all()
        views = [data[10:20].second_view(1, stream(0, "view")) for data in (one, other)]
        assert (views[1].inputs == views[0].inputs[:, order]).all()
    assert (shuffled.draw(50, 1, 4, 7)[0].inputs != plain.draw(50, 1, 4, 7)[0].inputs[:, order]).any()
