import os
from pathlib import Path

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.tasks.arrays import Arrays

LABELS = np.arange(60) % 3


def saved(folder: Path, **arrays: np.ndarray) -> str:
    path = folder / "some.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


def written(folder: Path, text: str) -> str:
    path = folder / "some.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("shape", "grid", "channels"),
    [((60, 7), (7,), 1), ((60, 4, 5), (4, 5), 1), ((60, 4, 5, 3), (4, 5), 3), ((60, 7, 1), (7, 1), 1)],
)
def test_axes_are_samples_then_grid_then_channels(
    tmp_path: Path, shape: tuple[int, ...], grid: tuple[int, ...], channels: int
) -> None:
    values = np.random.default_rng(0).random(shape)
    task = Arrays(saved(tmp_path, X=values, y=LABELS), scaling="none")
    assert (task.grid, task.channels, task.classes, task.distinct_samples) == (grid, channels, 3, 60)
    train, test = task.draw(40, 20, 0, 0)
    shown = np.concatenate([train.inputs, test.inputs])
    wanted = values.reshape(60, -1, channels).astype(np.float32)
    assert {row.tobytes() for row in shown} == {row.tobytes() for row in wanted}
    for row, label in zip(shown, np.concatenate([train.labels, test.labels]), strict=True):
        assert LABELS[(wanted == row).all((1, 2)).argmax()] == label


def test_columns_are_scaled_separately(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(60, 3)) * [1, 10, 0] + [0, 100, 7]
    task = Arrays(saved(tmp_path, X=values, y=LABELS))
    train, _ = task.draw(40, 20, 0, 0)
    assert (train.inputs[:, :2].min(0) == 0).all()
    assert (train.inputs[:, :2].max(0) == 1).all()
    assert (train.inputs[:, 2] == 0).all()  # A constant column.


def test_images_are_scaled_by_common_statistics(tmp_path: Path) -> None:
    values = np.zeros((60, 2, 2), dtype=np.uint8)
    values[:, 0, 0], values[:, 1, 1] = np.arange(60), 100
    train, test = Arrays(saved(tmp_path, X=values, y=LABELS)).draw(40, 20, 0, 0)
    shown = np.concatenate([train.inputs, test.inputs])
    assert (shown[:, 3] == 1).all()
    assert (np.sort(shown[:, 0, 0]) == np.arange(60, dtype=np.float32) / 100).all()


def test_test_samples_do_not_set_the_scale_and_are_clipped(tmp_path: Path) -> None:
    test = np.array([[-10.0], [10.0], [0.5]])
    path = saved(tmp_path, X=np.linspace(0, 1, 60)[:, None], y=LABELS, X_test=test, y_test=[0, 1, 2])
    assert set(Arrays(path).draw(60, 3, 0, 0)[1].inputs.ravel()) == {0, 1, 0.5}
    assert set(Arrays(path, scaling="none").draw(60, 3, 0, 0)[1].inputs.ravel()) == {-10, 10, 0.5}


def test_standard_scaling(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(60, 3)) * [1, 10, 0] + [0, 100, 0.1]
    train, _ = Arrays(saved(tmp_path, X=values, y=LABELS), scaling="standard").draw(40, 20, 0, 0)
    assert np.abs(train.inputs.mean(0)).max() < 1e-6
    assert train.inputs.std(0).ravel() == pytest.approx([1, 1, 0], abs=1e-6)


def test_small_differences_survive_large_offsets(tmp_path: Path) -> None:
    values = 1.6e9 + np.arange(60.0)[:, None]  # In single precision all of these are the same.
    train, test = Arrays(saved(tmp_path, X=values, y=LABELS)).draw(40, 20, 0, 0)
    assert len(np.unique(np.concatenate([train.inputs, test.inputs]))) >= 59


def test_smaller_training_sets_are_scaled_like_larger_ones(tmp_path: Path) -> None:
    task = Arrays(saved(tmp_path, X=np.random.default_rng(0).normal(size=(60, 3)), y=LABELS))
    assert (task.draw(5, 20, 0, 0)[0].inputs == task.draw(40, 20, 0, 0)[0].inputs[:5]).all()


def test_unlabelled_samples_come_last_in_training_and_are_never_tested(tmp_path: Path) -> None:
    labels = LABELS.astype(float)
    labels[::4], labels[1] = -1, np.nan
    task = Arrays(saved(tmp_path, X=np.arange(60.0)[:, None], y=labels), scaling="none")
    train, test = task.draw(40, 20, 0, 0)
    assert (train.labels[:24] >= 0).all()
    assert (train.labels[24:] == -1).all()
    assert (test.labels >= 0).all()
    assert set(train.inputs[24:].ravel()) == {1, *range(0, 60, 4)}


def test_every_class_is_in_the_training_set_even_if_it_is_rare(tmp_path: Path) -> None:
    labels = np.array([0] * 50 + [1] * 8 + [2] * 2)
    task = Arrays(saved(tmp_path, X=np.arange(60.0)[:, None], y=labels))
    assert task.chance == pytest.approx(50 / 60)
    for seed in range(20):
        assert set(task.draw(3, 57, seed, seed)[0].labels) == {0, 1, 2}
    with pytest.raises(UserError, match=r"some\.npz: 2 training samples are too few \(at least 3"):
        task.draw(2, 10, 0, 0)
    with pytest.raises(UserError, match=r"some\.npz: 58 test samples are too many \(at most 57"):
        task.draw(3, 58, 0, 0)
    with pytest.raises(UserError, match=r"some\.npz: 51 training samples are too many \(at most 50"):
        task.draw(51, 10, 0, 0)


def test_separate_test_sets(tmp_path: Path) -> None:
    inputs, tested = np.arange(60.0)[:, None], 100 + np.arange(10.0)[:, None]
    test_labels = np.array([1, 1, 1, 1, 1, 1, 0, 0, 2, 2])
    path = saved(tmp_path, x_train=inputs, y_train=LABELS, x_test=tested, y_test=test_labels)
    task = Arrays(path, scaling="none")
    assert (task.distinct_samples, task.chance) == (70, 0.6)
    train, test = task.draw(60, 10, 0, 0)
    assert set(train.inputs.ravel()) == set(inputs.ravel())
    assert (test_labels[test.inputs.ravel().astype(int) - 100] == test.labels).all()
    assert (task.draw(3, 10, 0, 5)[1].inputs == test.inputs).all()
    assert [set(task.draw(3, 5, seed, 0)[1].inputs.ravel()) for seed in (0, 1)] != [set(test.inputs.ravel()[:5])] * 2
    with pytest.raises(UserError, match="11 test samples are too many"):
        task.draw(3, 11, 0, 0)


def test_csv_with_names_quotes_and_gaps(tmp_path: Path) -> None:
    text = (
        '\ufeffkind,"length, cm", width\r\n"b, second",1,2.5\r\na,-3e1,4\r\n\r\na,5, 6\r\n"b, second",7,8\r\n ,9,10\r\n'
    )
    task = Arrays(written(tmp_path, text), label="kind", scaling="none")
    assert (task.grid, task.class_names, task.distinct_samples) == ((2,), ("a", "b, second"), 5)
    train, test = task.draw(4, 1, 0, 0)
    rows = {tuple(row.ravel()): label for data in (train, test) for row, label in zip(data.inputs, data.labels)}  # noqa: B905
    assert rows == {(1, 2.5): 1, (-30, 4): 0, (5, 6): 0, (7, 8): 1, (9, 10): -1}


def test_csv_labels_are_the_last_column_and_sort_by_value(tmp_path: Path) -> None:
    rows = [f"{k},{(10, 2, 1.0)[k % 3]}" for k in range(9)]
    assert Arrays(written(tmp_path, "\n".join(["x,y", *rows]))).class_names == ("1", "2", "10")


def test_labels_of_any_type(tmp_path: Path) -> None:
    values = np.arange(6.0)[:, None]
    for labels, names in (
        (np.array(["b", "a"] * 3), ("a", "b")),
        (np.array([b"b", b"a"] * 3), ("a", "b")),
        (np.array([True, False] * 3), ("0", "1")),
        (np.array([[7], [9]] * 3, dtype=np.uint8), ("7", "9")),
        (np.array([7.0, 9.0] * 3, dtype=np.float32), ("7", "9")),
    ):
        assert Arrays(saved(tmp_path, X=values, y=labels)).class_names == names


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("1_0", "10", "b"), ("10", "1_0", "b")),
        (("1e1", "10"), ("10", "1e1")),
        (("01", "1"), ("01", "1")),
        (("+1", "1"), ("+1", "1")),
        (("-2", "0", "10.0", "10"), ("-2", "0", "10")),
        (("NaN", "-1.0", "a", "inf"), ("a", "inf")),
    ],
)
def test_only_numbers_in_the_usual_form_are_numbers(
    tmp_path: Path, labels: tuple[str, ...], names: tuple[str, ...]
) -> None:
    rows = [f"{k},{label}" for k, label in enumerate(labels * 3)]
    assert Arrays(written(tmp_path, "\n".join(["x,y", *rows]))).class_names == names


def test_npy_with_a_file_of_labels_beside_it(tmp_path: Path) -> None:
    np.save(tmp_path / "some.npy", np.arange(60.0).reshape(30, 2))
    np.save(tmp_path / "labels.npy", LABELS[:30])
    for label in ("labels.npy", str(tmp_path / "labels.npy")):
        train, test = Arrays(str(tmp_path / "some.npy"), label=label, scaling="none").draw(20, 10, 0, 0)
        shown = np.concatenate([train.inputs, test.inputs])[:, 0, 0].astype(int) // 2
        assert (LABELS[shown] == np.concatenate([train.labels, test.labels])).all()


def test_keys_of_npz_by_name(tmp_path: Path) -> None:
    path = saved(tmp_path, X=np.ones((3, 3)), a=np.arange(60.0)[:, None], b=LABELS)
    assert Arrays(path, inputs="a", label="b").grid == (1,)


def test_changed_files_are_read_again_and_others_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Arrays(saved(tmp_path, X=np.random.default_rng(0).random((60, 3)), y=LABELS))
    assert task.classes == 3
    with monkeypatch.context() as patch:
        patch.setattr(np, "load", None)  # Reading it again would call this.
        assert task.grid == (3,)
        task.draw(10, 10, 0, 0)
    saved(tmp_path, X=np.random.default_rng(0).random((60, 4)), y=LABELS % 2)
    os.utime(task.path, ns=(1, 1))
    assert (task.classes, task.grid) == (2, (4,))


def test_content_depends_on_the_contents_of_files_and_not_on_their_names(tmp_path: Path) -> None:
    texts = ["x,y\n1,0\n2,1\n3,0\n4,1\n", "x,y\n1,0\n2,1\n3,0\n5,1\n"]
    paths = [tmp_path / name for name in ("a.csv", "b.csv", "c.csv")]
    for path, text in zip(paths, (texts[0], texts[0], texts[1]), strict=True):
        path.write_text(text, encoding="utf-8")
    first, same, other = (Arrays(str(path)).content for path in paths)
    assert first == same != other


def test_content_of_npy_includes_its_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "some.npy", np.arange(60.0).reshape(30, 2))
    found = []
    for labels in (LABELS[:30], LABELS[1:31]):
        np.save(tmp_path / "labels.npy", labels)
        found.append(Arrays(str(tmp_path / "some.npy"), label="labels.npy").content)
    assert found[0] != found[1]
