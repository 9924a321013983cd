"""Photographs as a task."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from cortexsim.errors import UserError, nearest
from cortexsim.tasks.data import check_scaling, choose_test, choose_training, split
from cortexsim.tasks.images.pictures import Pictures, Scale
from cortexsim.tasks.images.sources import Contents, read_cifar10, read_folder, read_stl10, read_tiny_imagenet

SOURCES = {"cifar10": (32, 10), "stl10": (96, 10), "tiny-imagenet": (64, 200), "folder": (0, 0)}
"""Side in pixels and number of classes of each source; 0 where the folder determines it."""


@dataclass(frozen=True)
class Images:
    """Photographs: CIFAR-10, STL-10, Tiny ImageNet, or a folder of pictures for each class.

    Archives keep their split into training and test samples (for Tiny ImageNet, validation samples); so does a folder
    with ``train`` and ``test``, ``val``, ``validation``, ``valid`` or ``dev``. Nothing is downloaded unless asked for,
    and every archive is verified by its checksum. A second view is a random crop, flipped, with other colours, grey or
    blurred.

    Args:
        path: the folder that contains the archive, or what it unpacks to, or the folders of the classes.
        source: ``"cifar10"``, ``"stl10"``, ``"tiny-imagenet"`` or ``"folder"``.
        download: whether to fetch an archive that is missing.
        unlabelled: whether to train on the 100000 unlabelled pictures of STL-10 too.
        size: for folders, side in pixels to which pictures are resized and cropped; 0 leaves them as they are.
        scaling: ``"range"`` maps values to 0..1; ``"standard"`` maps them to mean 0 and standard deviation 1 of each
            channel, by the statistics of all samples available for training.
        smallest_crop: smallest share of a picture that a second view shows.

    Raises:
        UserError: if an argument is not possible. A missing or damaged file raises it when it is first read, that is by
            `draw` or a property.

    >>> task = Images(path="pictures", source="stl10", unlabelled=True)
    >>> task.grid, task.channels, task.classes
    ((96, 96), 3, 10)
    >>> Images(path="pictures", source="cifar10", size=64)
    Traceback (most recent call last):
    cortexsim.errors.UserError: size = 64: only pictures in folders are resized (above 0, or leave it out)
    """

    name: ClassVar[str] = "images"
    second_views: ClassVar[str] = "view"
    channels: ClassVar[int] = 3
    depth: ClassVar[int | None] = None
    branching: ClassVar[int] = 2

    path: str
    source: str = "folder"
    download: bool = False
    unlabelled: bool = False
    size: int = 0
    scaling: str = "range"
    smallest_crop: float = 0.08

    def __post_init__(self) -> None:
        check_scaling(self.scaling)
        if self.source not in SOURCES:
            raise UserError(f"source = '{self.source}' is not known ({nearest(self.source, SOURCES)})")
        if self.scaling == "none":
            raise UserError("scaling = 'none': bytes are no inputs ('range' or 'standard')")
        if not 0 < self.smallest_crop <= 1:
            raise UserError(f"smallest_crop = {self.smallest_crop:g} is out of range (above 0, at most 1)")
        if self.size < 0 or (self.size and self.source != "folder"):
            raise UserError(f"size = {self.size}: only pictures in folders are resized (above 0, or leave it out)")
        if self.unlabelled and self.source != "stl10":
            raise UserError(f"unlabelled = true: source = '{self.source}' has no unlabelled pictures ('stl10')")
        if self.download and self.source == "folder":
            raise UserError("download = true: source = 'folder' has no archive (leave it out)")

    @property
    def grid(self) -> tuple[int, ...]:
        """Rows and columns of pixels."""
        side = SOURCES[self.source][0]
        return (side, side) if side else tuple(self._contents.pixels.shape[1:3])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return SOURCES[self.source][1] or len(self._contents.names)

    @property
    def chance(self) -> float:
        """Relative frequency of the most frequent class among the labelled samples that are available for testing."""
        contents = self._contents
        labels = contents.labels if contents.test_labels is None else contents.test_labels
        return float(np.bincount(labels[labels >= 0]).max() / (labels >= 0).sum())

    @property
    def distinct_samples(self) -> int:
        """Number of pictures, for training and for testing."""
        contents = self._contents
        return len(contents.labels) + (0 if contents.test_labels is None else len(contents.test_labels))

    @property
    def max_test(self) -> int:
        """Size of the largest possible test set: the test side, or without one all but one picture per class."""
        contents = self._contents
        return len(contents.labels) - self.classes if contents.test_labels is None else len(contents.test_labels)

    @property
    def content(self) -> str:
        """SHA-256 digest of the pictures, or of the checksums of an archive."""
        return self._contents.digest

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> tuple[Pictures, Pictures]:
        """Draw the test samples with one seed, and the training samples from the others with the other seed.

        Args:
            train: number of training samples.
            test: number of test samples.
            task_seed: seed of the choice of test samples.
            seed: seed of the choice of training samples.

        Returns:
            The training samples and the test samples.

        Raises:
            UserError: if there are too few samples, or fewer training samples than classes, or a file is missing or
                damaged.
        """
        contents = self._contents
        test_pixels, test_labels = contents.test_pixels, contents.test_labels
        if test_pixels is None or test_labels is None:
            test_pixels, test_labels = contents.pixels, contents.labels
            chosen, held_out = split(contents.labels, train, test, task_seed, seed)
            available = np.delete(contents.pixels, held_out, 0)
        else:
            held_out = choose_test(len(test_labels), test, task_seed)
            chosen = choose_training(contents.labels, np.arange(len(contents.labels)), train, seed)
            available = contents.pixels
        scale = Scale.of(self.scaling, available)
        sides = (contents.pixels, contents.labels, chosen), (test_pixels, test_labels, held_out)
        first, second = (Pictures(x[some], y[some], scale, self.smallest_crop) for x, y, some in sides)
        return first, second

    @property
    def _contents(self) -> Contents:
        root = Path(self.path)
        return _read(root, self.source, self.download, self.unlabelled, self.size, _stamps(root, self.source))


def _stamps(root: Path, source: str) -> tuple[tuple[int, int], ...]:
    """Return when the folder, and for pictures all in it, was last changed, in ns, and sizes: a part of the key."""
    below = ("*", "*/*", "*/*/**/*") if source == "folder" else ()  # Folders of classes may be links, which * follows.
    found = [root, *(entry for depth in below for entry in sorted(root.glob(depth)))]
    status = [entry.stat() for entry in found if entry.exists()]
    return tuple((each.st_mtime_ns, each.st_size) for each in status)


@lru_cache(maxsize=2)
def _read(
    root: Path, source: str, download: bool, unlabelled: bool, size: int, stamps: tuple[tuple[int, int], ...]
) -> Contents:
    if source == "cifar10":
        return read_cifar10(root, download)
    if source == "stl10":
        return read_stl10(root, download, unlabelled)
    if source == "tiny-imagenet":
        return read_tiny_imagenet(root, download)
    return read_folder(root, size)


TASK = Images
