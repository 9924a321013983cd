"""Patches of photographs, for one eye or two, of which one may be closed."""

from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError, nearest
from cortexsim.seeds import stream
from cortexsim.tasks import photographs

CLOSED = ("none", "left", "right")
POLARITIES = ("signed", "on-off")
CONTRASTS = ("photograph", "equal")


class Field(NamedTuple):
    """A rectangle of a photograph, none of whose patches leaves it.

    Attributes:
        label: number of the photograph.
        top: row of the first patch.
        left: column of the first patch.
        rows: number of rows in which a patch can begin.
        columns: number of columns in which a patch can begin.
    """

    label: int
    top: int
    left: int
    rows: int
    columns: int

    @property
    def patches(self) -> int:
        """Number of different patches."""
        return self.rows * self.columns


@dataclass(frozen=True)
class Patches:
    """Circular patches of photographs, whose label is the number of the photograph.

    Photographs are filtered by a difference of Gaussians of standard deviations 1 and 3 pixels, as by retinal cells
    with centre and surround (Law & Cooper, PNAS 1994), and scaled to unit variance; values are of both signs. Test
    patches come from one strip of each photograph, a quarter of its width at a place that the task seed determines;
    training patches never overlap it. A second view, the context ``next``, is the next fixation: a patch that is
    displaced by a few pixels.

    Args:
        photographs: names, joined by ``+``: ``china`` and ``flower``, of scikit-learn; ``camera``, ``astronaut``,
            ``chelsea``, ``coffee``, and the stereo pair ``motorcycle``, of scikit-image.
        size: diameter of a patch, in pixels; values outside the circle are 0.
        eyes: 1 or 2, each of which has a channel. Both see the same patch, or their own half of a stereo pair.
        closed: eye that sees noise in place of the patch: ``"left"``, the first, ``"right"`` or ``"none"``.
        noise: standard deviation of the Gaussian noise that a closed eye sees.
        shift: largest distance between two fixations along each axis, in pixels.
        polarity: ``"signed"``: each eye has a channel of values of both signs; or ``"on-off"``: a channel of ON cells,
            active where they are positive, and one of OFF cells, active where they are negative, as spikes need: first
            the ON cells of all eyes, then their OFF cells.
        contrast: ``"photograph"``, as it is there, or ``"equal"``: each patch is scaled to a root mean square of 1
            inside the circle, as by contrast gain control (Carandini & Heeger, Nature Reviews Neuroscience 2012). What
            successive fixations share most is their contrast, and through ON and OFF cells a sum of inputs tells it.

    Raises:
        UserError: if a value is not possible. A package that is missing raises it when its photographs are first read,
            that is by `draw` or a property.

    >>> task = Patches(photographs="china+flower", eyes=2, closed="left", noise=0.5)
    >>> train, test = task.draw(train=1000, test=100, task_seed=0, seed=0)
    >>> task.grid, train.inputs.shape, sorted(set(test.labels.tolist()))
    ((13, 13), (1000, 169, 2), [0, 1])
    >>> Patches(polarity="on-off").channels
    2
    """

    name: ClassVar[str] = "patches"
    second_views: ClassVar[str] = "next"
    content: ClassVar[str] = ""
    depth: ClassVar[int | None] = None
    branching: ClassVar[int] = 2

    photographs: str = "china+flower"
    size: int = 13
    eyes: int = 1
    closed: str = "none"
    noise: float = 0.5
    shift: int = 4
    polarity: str = "signed"
    contrast: str = "photograph"

    def __post_init__(self) -> None:
        photographs.parse(self.photographs)
        for key, smallest, largest in (("size", 3, 64), ("eyes", 1, 2), ("shift", 1, 16)):
            if not smallest <= (value := getattr(self, key)) <= largest:
                raise UserError(f"patches: {key} = {value} is out of range ({smallest} to {largest})")
        for key, known in (("closed", CLOSED), ("polarity", POLARITIES), ("contrast", CONTRASTS)):
            if (chosen := getattr(self, key)) not in known:
                raise UserError(f"patches: {key} = '{chosen}' is not known ({nearest(chosen, known)})")
        if self.closed != "none" and self.eyes == 1:
            raise UserError(f"patches: closed = '{self.closed}': there is one eye (eyes = 2)")
        if not 0 <= self.noise <= 100:
            raise UserError(f"patches: noise = {self.noise:g} is out of range (0 to 100)")

    @property
    def grid(self) -> tuple[int, ...]:
        """Input positions: (size, size)."""
        return (self.size, self.size)

    @property
    def channels(self) -> int:
        """Number of eyes, or twice as many where ON and OFF cells have channels of their own."""
        return self.eyes if self.signed else 2 * self.eyes

    @property
    def signed(self) -> bool:
        """Whether values are of both signs, which no rate of spikes can be."""
        return self.polarity == "signed"

    @property
    def classes(self) -> int:
        """Number of photographs, but at least 2, so that a network has a choice."""
        return max(2, len(photographs.parse(self.photographs)))

    @property
    def chance(self) -> float:
        """Relative frequency of the photograph with most test patches."""
        counts = [field.patches for field in self._fields(0)[1]]
        return max(counts) / sum(counts) if len(counts) > 1 else 1 / self.classes

    @property
    def distinct_samples(self) -> int:
        """Number of different patches, for training and testing together."""
        return sum(field.patches for fields in self._fields(0) for field in fields)

    @property
    def max_test(self) -> int:
        """Number of different test patches."""
        return sum(field.patches for field in self._fields(0)[1])

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which grid positions lie in the circle, (size, size)."""
        offset = np.arange(self.size) - (self.size - 1) / 2
        return offset[:, None] ** 2 + offset**2 <= (self.size / 2) ** 2

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> "tuple[Fixations, Fixations]":
        """Choose the strips for testing with one seed, and training patches with the other; no patch is drawn twice.

        Args:
            train: number of training samples.
            test: number of test samples.
            task_seed: seed of the strips and of the test samples.
            seed: seed of the training samples.

        Returns:
            The training samples and the test samples.

        Raises:
            UserError: if there are too few patches, or a package is not installed.
        """
        if train + test > (most := self.distinct_samples):
            raise UserError(f"patches: {train} + {test} samples are too many (at most {most})")
        deviations = tuple(
            float(np.delete(photographs.filtered(name), np.s_[start : start + width], axis=2).std())
            for name, (start, width) in zip(photographs.parse(self.photographs), self._strips(task_seed), strict=True)
        )
        chosen, tested = self._fields(task_seed)
        return (
            self._choose(chosen, train, "training", seed, deviations),
            self._choose(tested, test, "test", task_seed, deviations),
        )

    def render(
        self,
        labels: NDArray[np.int64],
        corners: NDArray[np.intp],
        deviations: tuple[float, ...],
        noise: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Cut patches out of the photographs; a closed eye sees noise instead.

        Args:
            labels: photograph of each patch, (samples,).
            corners: first row and column of each patch, (samples, 2).
            deviations: standard deviation of each photograph, by which values are divided.
            noise: generator of what a closed eye sees.

        Returns:
            Input values, (samples, positions, channels).
        """
        values = np.empty((len(labels), self.size, self.size, self.eyes), np.float32)
        for label, name in enumerate(photographs.parse(self.photographs)):
            views, chosen = photographs.filtered(name), np.flatnonzero(labels == label)
            for eye in range(self.eyes):
                view = views[eye % len(views)]  # Of a photograph that is not a stereo pair, both eyes see the same.
                windows = np.lib.stride_tricks.sliding_window_view(view, (self.size, self.size))
                values[chosen, :, :, eye] = windows[tuple(corners[chosen].T)] / deviations[label]
        if self.contrast == "equal":
            square = np.einsum("nxye,xy->ne", values**2, self.inside) / self.inside.sum()
            values /= np.sqrt(np.maximum(square, np.finfo(np.float32).tiny))[:, None, None, :]
        if self.closed != "none":
            values[..., CLOSED.index(self.closed) - 1] = noise.normal(0, self.noise, values.shape[:3])
        seen = (values * self.inside[:, :, None]).reshape(len(values), -1, self.eyes)
        return seen if self.signed else np.maximum(np.concatenate([seen, -seen], 2), 0)

    def _strips(self, task_seed: int) -> list[tuple[int, int]]:
        """Choose the strip of each photograph for testing: its first column, and its width."""
        places, found = stream(task_seed, "strips"), []
        for name in photographs.parse(self.photographs):
            rows, columns = photographs.filtered(name).shape[1:]
            width, margin = columns // 4, self.size + 2 * self.shift  # On each side, so that training can fixate there.
            if min(width, rows) < margin or columns - width < 2 * margin:
                raise UserError(f"patches: size = {self.size} and shift = {self.shift} are too large for '{name}'")
            found.append((int(places.integers(margin, columns - width - margin + 1)), width))
        return found

    def _fields(self, task_seed: int) -> tuple[list[Field], list[Field]]:
        """List the fields of training, on both sides of the strips, and those of testing, in the strips."""
        train, test = [], []
        for label, (name, (start, width)) in enumerate(
            zip(photographs.parse(self.photographs), self._strips(task_seed), strict=True)
        ):
            height, columns = (extent - self.size + 1 for extent in photographs.filtered(name).shape[1:])
            train.append(Field(label, 0, 0, height, start - self.size + 1))
            train.append(Field(label, 0, start + width, height, columns - start - width))
            test.append(Field(label, 0, start, height, width - self.size + 1))
        return train, test

    def _choose(
        self, fields: list[Field], count: int, side: str, root: int, deviations: tuple[float, ...]
    ) -> "Fixations":
        sizes = np.array([field.patches for field in fields])
        ends = np.cumsum(sizes)
        if count > ends[-1]:
            raise UserError(f"patches: {count} {side} samples are too many (at most {ends[-1]})")
        order = stream(root, side, "places").permutation(ends[-1])[:count]
        number = np.searchsorted(ends, order, side="right")
        table, within = np.array(fields)[number], order - (ends - sizes)[number]
        corners = table[:, 1:3] + np.stack(np.divmod(within, table[:, 4]), 1)
        inputs = self.render(table[:, 0], corners, deviations, stream(root, side, "noise"))
        return Fixations(self, deviations, table, corners, inputs)


@dataclass(frozen=True)
class Fixations:
    """Samples of `Patches`.

    Attributes:
        task: the task that drew the samples.
        deviations: standard deviation of each photograph, by which values were divided.
        fields: `Field` of each sample, (samples, 5).
        corners: first row and column of each patch, (samples, 2).
        inputs: input values, (samples, positions, channels).
    """

    latents: ClassVar[tuple[NDArray[np.integer], ...]] = ()
    exchangeable: ClassVar[bool] = False

    task: Patches
    deviations: tuple[float, ...]
    fields: NDArray[np.int64]
    corners: NDArray[np.intp]
    inputs: NDArray[np.float32]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Number of the photograph of each sample, (samples,)."""
        return self.fields[:, 0]

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, chosen: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "Fixations":
        return replace(self, fields=self.fields[chosen], corners=self.corners[chosen], inputs=self.inputs[chosen])

    def second_view(self, layer: int, generator: np.random.Generator) -> "Fixations":
        """Cut out the next fixation of each sample: a patch nearby, on the same side of the strip.

        Args:
            layer: number of the layer; has no effect.
            generator: source of randomness.
        """
        width = 2 * self.task.shift + 1
        steps = generator.integers(width**2 - 1, size=len(self))
        steps += steps >= width**2 // 2  # Leaves out the step of length 0.
        steps = np.stack(np.divmod(steps, width), 1) - self.task.shift
        place, extent = self.corners - self.fields[:, 1:3], self.fields[:, 3:5]
        outside = (place + steps < 0) | (place + steps >= extent)
        corners = self.corners + np.where(outside, -steps, steps)
        inputs = self.task.render(self.labels, corners, self.deviations, generator)
        return replace(self, corners=corners, inputs=inputs)


TASK = Patches
