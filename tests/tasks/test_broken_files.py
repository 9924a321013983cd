"""Unusable data files: each is reported in one line that names the file and the problem."""

import io
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.tasks.arrays import Arrays

Y = np.arange(12) % 3
X = np.random.default_rng(0).normal(size=(12, 4))
ROWS = [f"{k},{k * k},{'ab'[k % 2]}" for k in range(6)]

CSV = {
    "empty": ("", "is empty"),
    "only blank lines": ("\n\n\n", "is empty"),
    "header only": ("u,v,kind\n", "contains no samples"),
    "no header": ("1,2,0\n3,4,1\n5,6,0\n7,8,1\n", "line 1: contains numbers .*header"),
    "ragged row": ("\n".join(["u,v,kind", *ROWS[:3], "1,a", *ROWS[3:]]), "line 5: 2 cells, but the header has 3"),
    "long row": ("\n".join(["u,v,kind", "1,2,3,a", *ROWS]), "line 2: 4 cells, but the header has 3"),
    "text among numbers": ("\n".join(["u,v,kind", *ROWS, "7,x7,a"]), "column 'v', line 8: 'x7' is not a number"),
    "empty cell": ("\n".join(["u,v,kind", *ROWS, ",7,a"]), "column 'u', line 8: '' is not a number"),
    "nan": ("\n".join(["u,v,kind", "nan,1,a", *ROWS]), "column 'u', line 2: nan is not a finite number"),
    "infinite": ("\n".join(["u,v,kind", "1,-inf,a", *ROWS]), "column 'v', line 2: -inf is not a finite number"),
    "too large": ("\n".join(["u,v,kind", "1,1e300,a", *ROWS]), "column 'v', line 2: 1e300 is not a finite number"),
    "same name twice": ("\n".join(["u,u,kind", *ROWS]), "line 1: two columns are named 'u'"),
    "column without name": ("\n".join(["u,,kind", *ROWS]), "line 1: column 2 has no name"),
    "no such label": ("\n".join(["u,v,kinds", *ROWS]), "label = 'kind' is not a column .did you mean 'kinds'"),
    "semicolons": ("u;v;kind\n1;2;a\n3;4;b\n", "line 1: only one column, 'u;v;kind' .comma"),
    "one class": ("u,v,kind\n1,2,a\n3,4,a\n", "column 'kind': only one class, 'a'"),
    "all unlabelled": ("u,v,kind\n1,2,\n3,4,-1\n5,6,nan\n", "column 'kind': no labels"),
    "every sample a class": ("u,v,kind\n" + "\n".join(f"{k},2,{k}" for k in range(50)), "50 different labels for 50"),
    "a class with one sample": ("\n".join(["u,v,kind", *ROWS, "1,2,c"]), "column 'kind', line 8: 'c' is the only"),
    "fractions as labels": ("u,v,kind\n1,2,0\n3,4,0.5\n5,6,1\n", "column 'kind', line 3: 0.5 is not an integer"),
    "constant": ("u,v,kind\n" + "1,2,a\n1,2,b\n" * 4, "all samples are the same"),
    "open quote": ("\n".join(["u,v,kind", *ROWS, '1,2,"a']), "line 8: .*quotes"),
    "not UTF-8": ("\n".join(["u,v,größe", *ROWS]).encode("latin-1"), "is not UTF-8 encoded .*0xf6"),
    "several lines in a name": ('u,"v\nw",kind\n1,2,a\n1,"x\ny",b\n', "column 'v w', line 5: 'x y' is not a number"),
    "binary": (b"\x93NUMPY\x01\x00" + bytes(range(256)), "is not UTF-8 encoded"),
}


@pytest.mark.parametrize("case", CSV)
def test_broken_csv(case: str, tmp_path: Path) -> None:
    text, message = CSV[case]
    path = tmp_path / "broken.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(Arrays(str(path), label="kind" if case == "no such label" else ""), message)


def refused(task: Arrays, message: str, name: str = "broken") -> None:
    for ask in (lambda: task.grid, lambda: task.classes, lambda: task.draw(4, 2, 0, 0)):
        with pytest.raises(UserError, match=rf"{name}\.\w+: .*{message}") as error:
            ask()
        assert "\n" not in str(error.value)
        assert len(str(error.value).replace(str(Path(task.path).parent), "")) < 200


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as whole:
        for name, data in members.items():
            whole.writestr(name.replace("_npy", ".npy"), data)
    return file.getvalue()


def damaged() -> bytes:
    """Change a byte of the numbers themselves, which the checksum detects."""
    whole = bytearray(npz(X=X, y=Y))
    whole[whole.index(X.tobytes()) + 5] ^= 255
    return bytes(whole)


def put(array: np.ndarray, value: float) -> np.ndarray:
    changed = array.copy()
    changed[3, 2] = value
    return changed


NPZ: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is not an .npz file"),
    "text": (lambda: b"u,v\n1,2\n", "is not an .npz file"),
    "npy under another name": (lambda: npy(X), "is not an .npz file"),
    "truncated": (lambda: npz(X=X, y=Y)[:-40], "is not an .npz file, or only part of one"),
    "damaged": (damaged, "array 'X' cannot be read"),
    "no arrays": (lambda: zipped(), "has no array named X .*it contains none"),
    "zip of texts": (lambda: zipped(readme=b"hello"), "has no array named X .*readme"),
    "zip of a text named X": (lambda: zipped(X=b"hello", y_npy=npy(Y)), "'X' is not an array"),
    "other keys": (lambda: npz(data=X, y=Y), "has no array named X .*it contains 'data', 'y'; inputs = "),
    "no labels": (lambda: npz(X=X), "has no array named y .*it contains 'X'; label = "),
    "objects": (lambda: npz(X=np.array([{}, []] * 6, dtype=object), y=Y), "array 'X' cannot be read .*Python objects"),
    "other length": (lambda: npz(X=X, y=Y[:-1]), "'y' has 11 labels, but 'X' has 12 samples"),
    "labels one-hot": (lambda: npz(X=X, y=np.eye(3)[Y]), "array 'y': labels of shape .12, 3."),
    "fractions as labels": (lambda: npz(X=X, y=Y + 0.5), "'y', sample 0: 0.5 is not an integer"),
    "infinite label": (lambda: npz(X=X, y=np.where(Y == 1, np.inf, Y)), "'y', sample 1: inf is not an integer"),
    "complex labels": (lambda: npz(X=X, y=Y + 1j), "array 'y': labels of type complex128"),
    "all unlabelled": (lambda: npz(X=X, y=-np.ones(12)), "'y': no labels"),
    "plus and minus one": (lambda: npz(X=X, y=np.array([-1, 1] * 6)), "'y': only one class, '1' .*-1 mean unlabelled"),
    "five axes": (lambda: npz(X=np.ones((12, 2, 2, 2, 2)), y=Y), "array 'X': shape .* has 5 axes"),
    "one axis": (lambda: npz(X=np.arange(12), y=Y), "array 'X': shape .12,. has 1 axes"),
    "a single number": (lambda: npz(X=np.float64(3), y=Y), "array 'X': shape .. has 0 axes"),
    "no samples": (lambda: npz(X=X[:0], y=Y[:0]), "array 'X': shape .0, 4. is empty"),
    "no columns": (lambda: npz(X=X[:, :0], y=Y), "array 'X': shape .12, 0. is empty"),
    "nan": (lambda: npz(X=put(X, np.nan), y=Y), r"array 'X': value nan at \[3, 2\] is not a finite number"),
    "infinite": (lambda: npz(X=put(X, -np.inf), y=Y), r"array 'X': value -inf at \[3, 2\] is not a finite"),
    "complex": (lambda: npz(X=X + 1j, y=Y), "array 'X': values of type complex128"),
    "texts": (lambda: npz(X=X.astype(str), y=Y), "array 'X': values of type <U32"),
    "dates": (lambda: npz(X=np.zeros((12, 2), "datetime64[s]"), y=Y), "array 'X': values of type datetime64"),
    "records": (lambda: npz(X=np.zeros(12, [("a", "f4"), ("b", "i4")]), y=Y), "array 'X': values of type"),
    "constant": (lambda: npz(X=np.ones((12, 3)), y=Y), "all samples are the same"),
    "test labels missing": (lambda: npz(X=X, y=Y, X_test=X), "array 'X_test' has no counterpart .test_label"),
    "test inputs missing": (lambda: npz(X=X, y=Y, y_test=Y), "array 'y_test' has no counterpart .test_inputs"),
    "test of other shape": (lambda: npz(X=X, y=Y, X_test=X[:, :2], y_test=Y), "array 'X_test': samples of shape .2,."),
    "test of other length": (
        lambda: npz(X=X, y=Y, X_test=X, y_test=Y[:3]),
        "'y_test' has 3 labels, but 'X_test' has 12",
    ),
    "test of other class": (
        lambda: npz(X=X, y=Y, X_test=X, y_test=Y + 1),
        "'y_test', sample 2: class '3' has no training",
    ),
    "test without label": (lambda: npz(X=X, y=Y, X_test=X, y_test=Y - 1), "'y_test', sample 0: is missing"),
}


@pytest.mark.parametrize("case", NPZ)
def test_broken_npz(case: str, tmp_path: Path) -> None:
    content, message = NPZ[case]
    path = tmp_path / "broken.npz"
    path.write_bytes(content())
    refused(Arrays(str(path)), message)


@pytest.mark.parametrize("field", ["inputs", "label", "test_inputs", "test_label"])
def test_unknown_keys(field: str, tmp_path: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(npz(X=X, y=Y))
    refused(
        Arrays(str(tmp_path / "broken.npz"), **{field: "Z"}), f"{field} = 'Z' is not an array of the file .known: X, y"
    )


HUGE = npy(np.zeros((12, 4))).replace(b"(12, 4), }          ", b"(12, 99999999999), }")

NPY: dict[str, tuple[bytes, bytes, str]] = {
    "text": (b"hello", npy(Y), "is not an .npy file"),
    "objects": (npy(np.array([None] * 12)), npy(Y), "Python objects"),
    "truncated": (npy(X)[:-8], npy(Y), "cannot be read"),
    "torn header": (npy(X)[:20], npy(Y), "cannot be read"),
    "more values in the header than in the file": (HUGE, npy(Y), "cannot be read"),
    "labels of text": (npy(X), b"hello", "label = .*labels.npy': is not an .npy file"),
    "labels in an npz": (npy(X), npz(y=Y), "label = .*labels.npy': is not an .npy file"),
    "labels in two axes": (npy(X), npy(X), "label = .*labels.npy': labels of shape .12, 4."),
    "other length": (npy(X), npy(Y[:5]), "'labels.npy' has 5 labels, but 'broken.npy' has 12 samples"),
    "one class": (npy(X), npy(Y * 0), "'labels.npy': only one class, '0'"),
}


@pytest.mark.parametrize("case", NPY)
def test_broken_npy(case: str, tmp_path: Path) -> None:
    inputs, labels, message = NPY[case]
    (tmp_path / "broken.npy").write_bytes(inputs)
    (tmp_path / "labels.npy").write_bytes(labels)
    refused(Arrays(str(tmp_path / "broken.npy"), label="labels.npy"), message)


@pytest.mark.parametrize("suffix", ["csv", "npz", "npy"])
def test_missing_files_and_folders(suffix: str, tmp_path: Path) -> None:
    task = Arrays(str(tmp_path / f"broken.{suffix}"), label="y")
    refused(task, "does not exist")
    Path(task.path).mkdir()
    refused(task, "is a folder")


def test_missing_file_of_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "some.npy", X)
    refused(Arrays(str(tmp_path / "some.npy"), label="broken.npy"), "does not exist")


def test_impossible_file_names() -> None:
    refused(Arrays("a\0b.csv"), "does not exist|cannot be read", name="b")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read anything")
@pytest.mark.parametrize("suffix", ["csv", "npz", "npy"])
def test_files_without_read_permission(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"broken.{suffix}"
    path.write_bytes(npy(X))
    path.chmod(0)
    np.save(tmp_path / "y.npy", Y)
    refused(Arrays(str(path), label="y.npy"), "cannot be read .*denied")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "some.xlsx"}, r"path = 'some.xlsx' has an unknown ending \(.npy, .npz, .csv\)"),
        ({"path": ""}, "path = '' has an unknown ending"),
        ({"path": "some.npy"}, "path = 'some.npy' contains no labels"),
        ({"path": "some.csv", "inputs": "X"}, "inputs = 'X' names an array of a .npz file, but path = 'some.csv'"),
        ({"path": "some.csv", "scaling": "standart"}, "scaling = 'standart' is not known .did you mean 'standard'"),
    ],
)
def test_impossible_arguments(settings: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Arrays(**settings)


@pytest.mark.parametrize("suffix", ["csv", "npz", "npy"])
def test_damaged_files_are_read_or_refused_in_one_line(suffix: str, tmp_path: Path) -> None:
    whole = {"csv": "\n".join(["u,v,kind", *ROWS]).encode(), "npz": npz(X=X, y=Y), "npy": npy(X)}[suffix]
    np.save(tmp_path / "y.npy", Y)
    task, draw = Arrays(str(tmp_path / f"broken.{suffix}"), label="y.npy" if suffix == "npy" else ""), random.Random(0)
    message = []
    for _ in range(300):
        content = bytearray(whole)
        place = draw.randrange(min(len(content), 150))
        change = draw.choice(
            [[draw.randrange(256)], [], b",", b'"', b"\n", b"\0", b"nan", b"1e400", b"9" * 25, b"\xff", b"(", b"L"]
        )
        content[place : place + draw.choice([0, 1, 1, 4, 10_000])] = bytes(change)
        Path(task.path).write_bytes(content)
        try:
            assert np.isfinite(task.draw(4, 2, 0, 0)[0].inputs).all()
        except UserError as error:
            message.append(str(error).replace(str(tmp_path), ""))
    assert 100 < len(message) < 300
    assert max(map(len, message)) < 200
    assert "\n" not in "".join(message)
