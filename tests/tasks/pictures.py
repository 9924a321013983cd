"""Made-up pictures in the official formats of archives, with the checksums that torchvision is to expect."""

import io
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import md5
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

CLASSES = 10


def vision() -> Any:
    """torchvision, or skip the test where it is not installed."""
    pytest.importorskip("PIL")
    try:
        return imported()
    except ImportError as error:
        pytest.skip(f"torchvision: {error}")
    except RuntimeError:  # A build for another torch lacks compiled operators, which no test calls.
        for operator in ("nms", "qnms"):
            torch.library.define(f"torchvision::{operator}", "(Tensor x) -> Tensor")
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        return imported()


def imported() -> Any:
    for module in ("datasets", "transforms.v2"):
        import_module(f"torchvision.{module}")
    return import_module("torchvision")


def drawn(count: int, side: int, seed: int) -> NDArray[np.uint8]:
    """Pictures of one colour each, with noise: (count, side, side, 3)."""
    generator = np.random.default_rng(seed)
    colours = generator.integers(40, 215, size=(count, 1, 1, 3))
    return (colours + generator.integers(-40, 41, size=(count, side, side, 3))).astype(np.uint8)


def png(picture: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind)
    return stream.getvalue()


def write_folders(root: Path, classes: int, each: int, side: int = 6) -> None:
    vision()
    for k in range(classes):
        (root / f"class-{k}").mkdir(parents=True)
        for number, picture in enumerate(drawn(each, side, k)):
            (root / f"class-{k}" / f"{number}.png").write_bytes(png(picture))


def _tar(file: Path, folder: str, contents: Mapping[str, bytes]) -> str:
    with tarfile.open(file, "w:gz") as archive:
        for name, data in contents.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return md5(file.read_bytes()).hexdigest()


def _listed(contents: Mapping[str, bytes], names: Iterable[str]) -> list[list[str]]:
    return [[name, md5(contents[name]).hexdigest()] for name in names]


def cifar10(root: Path, monkeypatch: pytest.MonkeyPatch, train: int = 160, test: int = 40) -> NDArray[np.uint8]:
    """Write the archive, of five training batches and one for tests, and return the training pictures."""
    kind, contents, shown = vision().datasets.CIFAR10, {}, drawn(train + test, 32, 0)
    parts = [*np.split(np.arange(train), 5), np.arange(train, train + test)]
    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    for name, part in zip(names, parts, strict=True):
        entry = {"data": shown[part].transpose(0, 3, 1, 2).reshape(len(part), -1), "labels": (part % CLASSES).tolist()}
        contents[name] = pickle.dumps(entry)
    contents["batches.meta"] = pickle.dumps({"label_names": [f"class {k}" for k in range(CLASSES)]})
    monkeypatch.setattr(kind, "tgz_md5", _tar(root / kind.filename, kind.base_folder, contents))
    monkeypatch.setattr(kind, "train_list", _listed(contents, names[:5]))
    monkeypatch.setattr(kind, "test_list", _listed(contents, names[5:]))
    meta = {"filename": "batches.meta", "key": "label_names", "md5": md5(contents["batches.meta"]).hexdigest()}
    monkeypatch.setattr(kind, "meta", meta)
    return shown[:train]


def stl10(root: Path, monkeypatch: pytest.MonkeyPatch) -> NDArray[np.uint8]:
    """Write the archive, of 20, 20 and 30 unlabelled pictures, and return all but those for tests."""
    kind, counts = vision().datasets.STL10, {"train": 20, "test": 20, "unlabeled": 30}
    sides = {name: drawn(count, 96, seed) for seed, (name, count) in enumerate(counts.items())}
    contents = {f"{name}_X.bin": side.transpose(0, 3, 2, 1).tobytes() for name, side in sides.items()}
    labels = np.tile(np.arange(1, CLASSES + 1, dtype=np.uint8), 2).tobytes()
    contents |= {"train_y.bin": labels, "test_y.bin": labels}
    contents["class_names.txt"] = "\n".join(f"class {k}" for k in range(CLASSES)).encode()
    monkeypatch.setattr(kind, "tgz_md5", _tar(root / kind.filename, kind.base_folder, contents))
    monkeypatch.setattr(kind, "train_list", _listed(contents, ["train_X.bin", "train_y.bin", "unlabeled_X.bin"]))
    monkeypatch.setattr(kind, "test_list", _listed(contents, ["test_X.bin", "test_y.bin"]))
    return np.concatenate([sides["train"], sides["unlabeled"]])


def tiny_imagenet(root: Path, monkeypatch: pytest.MonkeyPatch, classes: int = 200) -> None:
    """Write the archive, of two training pictures and one of validation for each class."""
    vision()
    from cortexsim.tasks.images import sources

    names, train, val = [f"n{k:08d}" for k in range(classes)], drawn(2 * classes, 64, 0), drawn(classes, 64, 1)
    with zipfile.ZipFile(root / sources.TINY.file, "w") as archive:
        for k, name in enumerate(names):
            for number in range(2):
                data = png(train[2 * k + number], "JPEG")
                archive.writestr(f"tiny-imagenet-200/train/{name}/images/{name}_{number}.JPEG", data)
            archive.writestr(f"tiny-imagenet-200/val/images/val_{k}.JPEG", png(val[k], "JPEG"))
        lines = [f"val_{k}.JPEG\t{name}\t0\t0\t63\t63\n" for k, name in enumerate(names)]
        archive.writestr("tiny-imagenet-200/val/val_annotations.txt", "".join(lines))
    checksum = md5((root / sources.TINY.file).read_bytes()).hexdigest()
    monkeypatch.setattr(sources, "TINY", replace(sources.TINY, md5=checksum))
