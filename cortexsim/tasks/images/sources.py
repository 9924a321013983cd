"""Where pictures come from: archives in their official formats, or a folder for each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.tasks.images.archives import Archive
from cortexsim.tasks.images.library import torchvision
from cortexsim.tasks.images.pictures import Pixels

TESTS = ("test", "val", "validation", "valid", "dev")
"""Names of the folder beside ``train`` that is tested on; of several, the first of these."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Contents:
    """All pictures of a source.

    Attributes:
        pixels: of the training side, (samples, rows, columns, channels).
        labels: (samples,), -1 for unlabelled ones.
        test_pixels: of a separate test side, (test samples, rows, columns, channels), or None.
        test_labels: (test samples,), or None.
        names: of the classes.
        digest: of the contents.
    """

    pixels: Pixels
    labels: NDArray[np.int64]
    test_pixels: Pixels | None
    test_labels: NDArray[np.int64] | None
    names: tuple[str, ...]
    digest: str


def read_cifar10(root: Path, download: bool) -> Contents:
    """Read CIFAR-10 (Krizhevsky 2009): 50000 training and 10000 test pictures of 32 x 32 pixels, 10 classes."""
    kind = torchvision().datasets.CIFAR10
    meta = (kind.meta["filename"], kind.meta["md5"])
    archive = _archive("CIFAR-10", kind, [*kind.train_list, *kind.test_list, meta])
    archive.unpacked(root, download)
    train, test = (kind(str(root), train=side) for side in (True, False))
    first, second = (np.array(side.targets, dtype=np.int64) for side in (train, test))
    return Contents(train.data, first, test.data, second, tuple(train.classes), archive.digest)


def read_stl10(root: Path, download: bool, unlabelled: bool) -> Contents:
    """Read STL-10 (Coates, Ng, Lee 2011): 5000 and 8000 pictures of 96 x 96 pixels, 10 classes, 100000 unlabelled."""
    kind = torchvision().datasets.STL10
    archive = _archive("STL-10", kind, [*kind.train_list, *kind.test_list])
    archive.unpacked(root, download)
    train = kind(str(root), split="train+unlabeled" if unlabelled else "train")
    test = kind(str(root), split="test")
    sides = [np.ascontiguousarray(side.data.transpose(0, 2, 3, 1)) for side in (train, test)]
    first, second = (side.labels.astype(np.int64) for side in (train, test))
    names = tuple(getattr(train, "classes", map(str, range(10))))
    return Contents(sides[0], first, sides[1], second, names, archive.digest)


TINY = Archive(
    "Tiny ImageNet",
    "tiny-imagenet-200",
    "tiny-imagenet-200.zip",
    "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
    "90528d7ca1a48142e341f4ef8d21d0de",
)
ANNOTATIONS = "val_annotations.txt"


def read_tiny_imagenet(root: Path, download: bool) -> Contents:
    """Read Tiny ImageNet (Le, Yang 2015): 100000 training pictures of 64 x 64 pixels, 200 classes, 10000 of validation.

    Its test labels are not published: the validation side is the test side.

    Args:
        root: folder that contains the archive, or what it unpacks to.
        download: whether to fetch an archive that is missing.

    Raises:
        UserError: if something is missing or damaged.
    """
    folder = TINY.unpacked(root, download)
    remedy = f"delete {folder} and unpack {TINY.file} again"
    names = _classes(folder / "train", remedy)
    listed = folder / "val" / ANNOTATIONS
    if not listed.is_file():
        raise UserError(f"{listed}: is missing ({remedy})")
    rows = [line.split("\t")[:2] for line in listed.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not rows or any(len(row) < 2 or row[1] not in names for row in rows):
        raise UserError(f"{listed}: is damaged: a line is not a file and one of {len(names)} classes ({remedy})")
    train = [(file, k) for k, name in enumerate(names) for file in _files(folder / "train" / name)]
    test = [(folder / "val" / "images" / name, names.index(label)) for name, label in rows]
    return _decoded(train, test, names, 0)


def read_folder(root: Path, size: int) -> Contents:
    """Read pictures from a folder for each class, or such folders in ``train`` and in one of `TESTS`.

    >>> for name in ("cats", "dogs"):
    ...     (Path("pictures") / name).mkdir(parents=True)
    >>> read_folder(Path("pictures"), size=32)
    Traceback (most recent call last):
    cortexsim.errors.UserError: pictures/cats: no pictures (.jpg, .jpeg, .png, .bmp, .ppm, .webp, .tif, .tiff)

    Args:
        root: the folder.
        size: side of the square, in pixels, to which pictures are resized and cropped; 0 to leave them as they are.

    Raises:
        UserError: if there is no such folder, no class in it, no known folder to test on beside ``train``, or a picture
            that cannot be read.
    """
    if not root.is_dir():
        raise UserError(f"path = '{root}': no such folder (a folder with a folder of pictures for each class)")
    tests = [root / name for name in TESTS if (root / name).is_dir()]
    split = (root / "train").is_dir() and bool(tests)
    source = root / "train" if split else root
    names = _classes(source, "a folder of pictures for each class")
    if not split and "train" in names and any(entry.is_dir() for entry in (source / "train").iterdir()):
        beside = next(name for name in names if name != "train")
        raise UserError(f"{source}: 'train' has folders, and '{beside}' beside it is not one of {', '.join(TESTS)}")
    sides = [[(file, k) for k, name in enumerate(names) for file in _files(source / name)]]
    for test in tests[:1] if split else []:
        if unknown := sorted(set(_classes(test, "a folder of pictures for each class")) - set(names)):
            raise UserError(f"{test / unknown[0]}: class '{unknown[0]}' has no pictures in {source}")
        there = [(k, test / name) for k, name in enumerate(names) if (test / name).is_dir()]
        sides.append([(file, k) for k, folder in there for file in _files(folder)])
    return _decoded(sides[0], sides[1] if split else None, names, size)


def _archive(title: str, kind: Any, contents: Sequence[Sequence[str]]) -> Archive:
    """Describe an archive as its class in torchvision does."""
    files = tuple((name, checksum) for name, checksum in contents)
    return Archive(title, kind.base_folder, kind.filename, kind.url, kind.tgz_md5, files)


def _classes(folder: Path, remedy: str) -> tuple[str, ...]:
    found = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
    if len(found) < 2:
        raise UserError(f"{folder}: {len(found)} folders of classes, and at least two are needed ({remedy})")
    return tuple(found)


def _files(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise UserError(f"{folder}: no pictures ({', '.join(SUFFIXES)})")
    return files


def _decoded(
    train: list[tuple[Path, int]], test: list[tuple[Path, int]] | None, names: tuple[str, ...], size: int
) -> Contents:
    """Decode the files of both sides, each with the number of its class."""
    digest, shape = sha256(repr(names).encode()), None
    sides: list[tuple[Pixels, NDArray[np.int64]] | None] = []
    for side in (train, test):
        pictures = []
        for file, label in side or []:
            picture = _picture(file, size)
            shape = shape or picture.shape
            if picture.shape != shape:
                raise UserError(
                    f"{file}: {picture.shape[0]} x {picture.shape[1]} pixels, and others have {shape[0]} x {shape[1]}"
                    " (size = the side, in pixels, to resize all to)"
                )
            digest.update(f"{file.parent.name}/{file.name} {label}".encode() + picture.tobytes())
            pictures.append(picture)
        labels = np.array([label for _, label in side or []], dtype=np.int64)
        sides.append(None if side is None else (np.stack(pictures), labels))
    first, second = sides
    assert first is not None
    tests = (None, None) if second is None else second
    return Contents(first[0], first[1], tests[0], tests[1], names, digest.hexdigest())


def _picture(file: Path, size: int) -> Pixels:
    """Decode a file to (rows, columns, 3)."""
    vision = torchvision()
    try:
        picture = vision.datasets.folder.default_loader(str(file))
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"{file}: cannot be read as a picture ({' '.join(str(error).split())})") from None
    if size:
        resized = vision.transforms.v2.functional.resize(picture, [size], antialias=True)
        picture = vision.transforms.v2.functional.center_crop(resized, [size, size])
    return np.asarray(picture, dtype=np.uint8)
