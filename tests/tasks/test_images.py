"""Archives in their official formats, of a few made-up pictures: nothing here is downloaded."""

import io
import os
import shutil
import socket
import sys
import tarfile
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.tasks.images import Images
from cortexsim.tasks.images.archives import Archive
from tests.tasks import pictures


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **named: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)


def rows(inputs: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in inputs}


def test_cifar10_is_unpacked_and_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = pictures.cifar10(tmp_path, monkeypatch)
    task = Images(path=str(tmp_path), source="cifar10")
    train, test = task.draw(160, 40, 0, 0)
    assert (train.inputs.shape, test.inputs.shape, task.chance) == ((160, 1024, 3), (40, 1024, 3), 0.1)
    written = (shown.reshape(160, 1024, 3).astype(np.float32)) / 255
    assert rows(train.inputs) == rows(written)
    labels = {row.tobytes(): k % 10 for k, row in enumerate(written)}
    assert [labels[row.tobytes()] for row in train.inputs] == train.labels.tolist()
    assert (tmp_path / "cifar-10-batches-py" / "test_batch").is_file()
    assert (task.distinct_samples, task.max_test) == (200, 40)


def test_stl10_brings_its_unlabelled_pictures_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = pictures.stl10(tmp_path, monkeypatch)
    task = Images(path=str(tmp_path), source="stl10", unlabelled=True)
    train, test = task.draw(50, 20, 0, 0)
    assert train.labels.tolist().count(-1) == 30
    assert (train.labels[:20] >= 0).all()
    assert rows(train.inputs) == rows(shown.reshape(50, -1, 3).astype(np.float32) / 255)
    assert len(test) == 20
    assert Images(path=str(tmp_path), source="stl10").distinct_samples == 40


def test_tiny_imagenet_is_tested_on_its_validation_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures.tiny_imagenet(tmp_path, monkeypatch)
    task = Images(path=str(tmp_path), source="tiny-imagenet")
    train, test = task.draw(400, 200, 0, 0)
    assert (task.grid, task.classes, train.inputs.shape) == ((64, 64), 200, (400, 4096, 3))
    assert sorted(test.labels) == list(range(200))
    assert np.bincount(train.labels).tolist() == [2] * 200


@pytest.mark.parametrize("other", ["val", "validation", "valid", "dev"])
def test_folders_are_split_by_the_seed_unless_they_are_split_already(tmp_path: Path, other: str) -> None:
    pictures.write_folders(tmp_path / "plain", 3, 10)
    first, second = Images(path=str(tmp_path / "plain")).draw(20, 10, 0, 0)
    assert not rows(first.inputs) & rows(second.inputs)
    for side in ("train", other):
        shutil.copytree(tmp_path / "plain", tmp_path / "split" / side)
    task = Images(path=str(tmp_path / "split"))
    first, second = task.draw(30, 30, 0, 0)
    assert rows(first.inputs) == rows(second.inputs)
    with pytest.raises(UserError, match="31 test samples are too many"):
        task.draw(30, 31, 0, 0)


def test_a_folder_beside_train_has_to_be_a_known_one(tmp_path: Path) -> None:
    for side in ("train", "holdout"):
        pictures.write_folders(tmp_path / side, 2, 2)
    with pytest.raises(UserError, match="'train' has folders, and 'holdout' beside it is not one of test, val, "):
        Images(path=str(tmp_path)).draw(2, 1, 0, 0)


def test_a_picture_that_is_overwritten_is_read_again(tmp_path: Path) -> None:
    pictures.write_folders(tmp_path, 2, 2)
    task = Images(path=str(tmp_path))
    before, file = task.content, tmp_path / "class-0" / "1.png"
    file.write_bytes(pictures.png(pictures.drawn(1, 6, 9)[0]))
    os.utime(file, ns=(1, 1))
    assert task.content != before


def test_pictures_of_several_sizes_have_to_be_resized(tmp_path: Path) -> None:
    pictures.write_folders(tmp_path, 2, 4)
    (tmp_path / "class-1" / "wide.png").write_bytes(pictures.png(pictures.drawn(1, 9, 5)[0]))
    with pytest.raises(UserError, match=r"wide.png: 9 x 9 pixels, and others have 6 x 6 \(size = "):
        Images(path=str(tmp_path)).draw(4, 2, 0, 0)
    assert Images(path=str(tmp_path), size=4).draw(4, 2, 0, 0)[0].inputs.shape == (4, 16, 3)


def test_standard_scaling_is_that_of_every_channel_of_the_training_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures.cifar10(tmp_path, monkeypatch)
    train, test = Images(path=str(tmp_path), source="cifar10", scaling="standard").draw(160, 40, 0, 0)
    assert np.abs(train.inputs.mean((0, 1))).max() < 1e-5
    assert np.abs(train.inputs.std((0, 1)) - 1).max() < 1e-5
    assert np.abs(test.inputs.mean((0, 1))).max() > 1e-3


def damage(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def test_what_is_missing_or_damaged_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures.vision()
    task = Images(path=str(tmp_path), source="cifar10")
    with pytest.raises(UserError, match=r"neither the folder cifar-10-batches-py .* nor its archive .*download = true"):
        task.draw(20, 10, 0, 0)
    pictures.cifar10(tmp_path, monkeypatch)
    archive = tmp_path / "cifar-10-python.tar.gz"
    damage(archive)
    with pytest.raises(UserError, match=r"cifar-10-python.tar.gz: is damaged: its MD5 is \w{32}, not \w{32} \(delete"):
        task.draw(20, 10, 0, 0)
    damage(archive)  # The other way round.
    task.draw(20, 10, 0, 0)
    folder = tmp_path / "cifar-10-batches-py"
    damage(folder / "data_batch_3")
    (tmp_path / "touched").touch()
    with pytest.raises(UserError, match=r"data_batch_3: is damaged.*unpack cifar-10-python.tar.gz again"):
        task.draw(20, 10, 0, 0)
    (folder / "data_batch_3").unlink()
    with pytest.raises(UserError, match=r"data_batch_3: is missing"):
        task.draw(20, 10, 0, 0)


@pytest.mark.parametrize("name", ["../outside", "pictures/../../outside", "/outside"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with tarfile.open(root / "pictures.tar", "w") as archive:
        for each in ("pictures/inside", name):
            archive.addfile(tarfile.TarInfo(each), io.BytesIO())
    checksum = md5((root / "pictures.tar").read_bytes()).hexdigest()
    with pytest.raises(UserError, match=r"pictures.tar: cannot be unpacked \('.*outside' leads out of its folder\)"):
        Archive("Pictures", "pictures", "pictures.tar", "https://example.org", checksum).unpacked(root, download=False)
    assert [path.name for path in tmp_path.rglob("*")] == ["root", "pictures.tar"]


def test_a_truncated_picture_is_named(tmp_path: Path) -> None:
    pictures.write_folders(tmp_path, 2, 4)
    file = tmp_path / "class-0" / "2.png"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(UserError, match=r"2.png: cannot be read as a picture") as error:
        Images(path=str(tmp_path)).draw(4, 2, 0, 0)
    assert "\n" not in str(error.value)


def test_nothing_is_downloaded_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    utils, asked = pictures.vision().datasets.utils, []

    def fetch(url: str, root: str, filename: str, md5: str) -> None:
        asked.append(url)
        raise OSError("no network")

    monkeypatch.setattr(utils, "download_url", fetch)
    for source in ("cifar10", "stl10", "tiny-imagenet"):
        with pytest.raises(UserError, match="download = true"):
            Images(path=str(tmp_path), source=source).draw(20, 10, 0, 0)
    assert asked == []
    with pytest.raises(UserError, match=r"stl10_binary.tar.gz: cannot be downloaded to .*\(no network\)"):
        Images(path=str(tmp_path), source="stl10", download=True).draw(20, 10, 0, 0)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"source": "cifar"}, r"source = 'cifar' is not known \(did you mean 'cifar10'\?\)"),
        ({"size": 8, "source": "stl10"}, "only pictures in folders are resized"),
        ({"unlabelled": True}, "has no unlabelled pictures"),
        ({"download": True}, "has no archive"),
        ({"scaling": "none"}, "bytes are no inputs"),
        ({"smallest_crop": 0.0}, "smallest_crop = 0 is out of range"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Images(path="pictures", **settings)


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        Images(path=str(tmp_path / "nowhere")).draw(4, 2, 0, 0)
    (tmp_path / "one").mkdir()
    with pytest.raises(UserError, match="1 folders of classes, and at least two"):
        Images(path=str(tmp_path)).draw(4, 2, 0, 0)


def test_views_follow_from_their_stream_and_leave_other_streams_alone(tmp_path: Path) -> None:
    pictures.write_folders(tmp_path, 2, 8, side=12)
    train = Images(path=str(tmp_path)).draw(8, 4, 0, 0)[0]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    views = [train.second_view(1, stream(seed, "pairs")).inputs for seed in (0, 0, 1)]
    assert torch.equal(torch.rand(3), expected)
    assert (views[0] == views[1]).all()
    assert (views[0] != views[2]).any((1, 2)).all()
    alone = train[:3].second_view(1, stream(0, "pairs")).inputs
    assert (alone[0] == views[0][0]).all()


def test_views_are_of_all_five_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one picture with a bright left half: mirrored, grey, of other colours, and crops of one half alone."""
    shown = np.zeros((32, 32, 3), np.uint8)
    shown[:, :16] = (200, 100, 50)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(2):
            (tmp_path / name / f"{number}.png").write_bytes(pictures.png(shown))
    pictures.vision()
    some = Images(path=str(tmp_path), smallest_crop=1.0).draw(2, 1, 0, 0)[0]
    generator = stream(0, "pairs")
    views = np.concatenate([some.second_view(1, generator).pixels for _ in range(100)]).astype(int)
    left, right = views[:, :, 1].mean((1, 2)), views[:, :, -2].mean((1, 2))
    grey = np.ptp(views, 3).max((1, 2)) <= 1
    bright = views.max((1, 2, 3))
    assert 0.4 < (right > left).mean() < 0.6
    assert 0.1 < grey[bright > 20].mean() < 0.35
    assert len(np.unique(bright)) > 50
    cropped = Images(path=str(tmp_path), smallest_crop=0.08).draw(2, 1, 0, 0)[0]
    plain = np.concatenate([cropped.second_view(1, generator).pixels for _ in range(50)]).astype(int)
    flat = np.ptp(plain.mean(3), 2).max(1) < 3
    assert 0.02 < flat.mean() < 0.5
    blurred = np.abs(np.diff(views.mean(3), axis=2)).astype(bool).sum(2).max(1) > 1  # More than one step in a row.
    assert 0.3 < blurred[bright > 20].mean() < 0.7


def test_a_missing_library_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [module for module in sys.modules if module.startswith("torchvision")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(UserError, match=r"^task 'images' needs torchvision \(pip install 'cortexsim\[images\]'\)$"):
        Images(path=str(tmp_path), source="cifar10").draw(20, 10, 0, 0)
