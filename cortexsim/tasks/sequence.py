"""Sequences of fixations: an object persists while its position, size and noise change, until it is replaced.

The task is procedural and one-dimensional. An object is a vector of values. At each fixation it appears at a new
position on the grid, stretched or compressed, with fresh noise. Only the identity of the object is stable between
successive fixations, which is the regularity that temporal-stability rules learn from (Földiák, Neural Computation 3,
194, 1991; Li and DiCarlo, Science 321, 1502, 2008).
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.seeds import stream

MAX_SAMPLES = 2**31  # Noise makes all samples distinct; this limit is nominal.


@dataclass(frozen=True)
class ObjectSequence:
    """Fixations of objects: each sample is one fixation, and its label is the object.

    Samples are in temporal order: an object for ``fixations`` samples, then a different one. Values range from 0, the
    background, to 1.

    Args:
        objects: number of objects, which are the classes.
        positions: number of grid positions.
        size: number of positions that an object covers at scale 1; its values are uniform in 0..1.
        shift: largest distance between the centres of object and grid, in positions; shifts are uniform.
        scale: largest deviation of the size of an object from scale 1; 0.25 means uniform scales in 0.75..1.25.
        noise: standard deviation of the Gaussian noise at each position, before values are clipped to 0..1.
        fixations: number of successive samples that show the same object.

    Raises:
        UserError: if a value is out of range, or an object could leave the grid.

    >>> task = ObjectSequence(objects=4, fixations=3)
    >>> train, test = task.draw(train=12, test=6, task_seed=0, seed=0)
    >>> train.inputs.shape, len(set(train.labels[:3])), bool(train.labels[3] != train.labels[2])
    ((12, 32, 1), 1, True)
    """

    name: ClassVar[str] = "sequence"
    second_views: ClassVar[str] = "next"
    content: ClassVar[str] = ""
    channels: ClassVar[int] = 1
    depth: ClassVar[int | None] = None
    branching: ClassVar[int] = 2
    distinct_samples: ClassVar[int] = MAX_SAMPLES

    objects: int = 8
    positions: int = 32
    size: int = 12
    shift: int = 8
    scale: float = 0.25
    noise: float = 0.05
    fixations: int = 4

    def __post_init__(self) -> None:
        for key, smallest in {"objects": 2, "positions": 2, "size": 2, "shift": 0, "fixations": 1}.items():
            if (value := getattr(self, key)) < smallest:
                raise UserError(f"sequence: {key} = {value} is too small (at least {smallest})")
        if not 0 <= self.scale < 1:
            raise UserError(f"sequence: scale = {self.scale:g} is out of range (at least 0, below 1)")
        if not 0.001 <= self.noise <= 1:
            # Without noise, training and test sets would share samples.
            raise UserError(f"sequence: noise = {self.noise:g} is out of range (0.001 to 1)")
        if self.widest + 2 * self.shift > self.positions:
            raise UserError(
                f"sequence: positions = {self.positions} is too small for objects of size = {self.size} at"
                f" scale = {self.scale:g} and shift = {self.shift} (at least {self.widest + 2 * self.shift})"
            )

    @property
    def widest(self) -> int:
        """Number of positions that an object covers at its largest scale."""
        return int(np.ceil(self.size * (1 + self.scale)))

    @property
    def grid(self) -> tuple[int, ...]:
        """Input positions: (positions,)."""
        return (self.positions,)

    @property
    def classes(self) -> int:
        """Number of objects."""
        return self.objects

    @property
    def chance(self) -> float:
        """1 / objects: all objects are equally likely."""
        return 1 / self.objects

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> "tuple[Fixations, Fixations]":
        """Draw the objects with one seed, and their fixations with the other seed.

        Args:
            train: number of training samples.
            test: number of test samples.
            task_seed: seed of the objects.
            seed: seed of the fixations.

        Returns:
            The training samples and the test samples.

        Raises:
            UserError: if there are too few samples.
        """
        if train + test > self.distinct_samples:
            raise UserError(f"sequence: {train} + {test} samples are too many (at most {self.distinct_samples})")
        templates = stream(task_seed, "objects").random((self.objects, self.size))
        first, second = (
            self._fixate(templates, count, seed, side) for count, side in ((train, "train"), (test, "test"))
        )
        return first, second

    def _fixate(self, templates: NDArray[np.float64], count: int, seed: int, side: str) -> "Fixations":
        """Draw a sequence of fixations; one stream per quantity makes a shorter sequence a prefix of a longer one."""
        runs = -(-count // self.fixations)
        # The first object is arbitrary; each of the others differs from the one before.
        first = stream(seed, side, "first").integers(self.objects, size=min(runs, 1))
        steps = stream(seed, side, "steps").integers(1, self.objects, size=max(runs - 1, 0))
        order = np.cumsum(np.concatenate([first, steps])) % self.objects
        labels = np.repeat(order, self.fixations)[:count].astype(np.int64)
        shifts, scales, noise = (stream(seed, side, key) for key in ("places", "sizes", "noise"))
        return Fixations(self, templates, labels, self.render(templates[labels], shifts, scales, noise))

    def render(
        self,
        objects: NDArray[np.float64],
        shifts: np.random.Generator,
        scales: np.random.Generator,
        noise: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Render one fixation per object, with random shifts, scales and noise.

        Args:
            objects: values of the object of each sample, (samples, size).
            shifts: generator of the positions.
            scales: generator of the scales.
            noise: generator of the noise.

        Returns:
            Input values, (samples, positions, 1).
        """
        count = len(objects)
        centre = (self.positions - 1) / 2 + shifts.integers(-self.shift, self.shift + 1, size=count)
        factor = scales.uniform(1 - self.scale, 1 + self.scale, size=count)
        # Coordinate of each grid position on the object, in units of the values of the object.
        on_object = (np.arange(self.positions) - centre[:, None]) / factor[:, None] + (self.size - 1) / 2
        below = np.clip(np.floor(on_object).astype(np.intp), 0, self.size - 2)
        fraction = on_object - below
        lower = np.take_along_axis(objects, below, axis=1)
        upper = np.take_along_axis(objects, below + 1, axis=1)
        values = np.where((fraction >= 0) & (fraction <= 1), lower + fraction * (upper - lower), 0)
        values += self.noise * noise.standard_normal((count, self.positions))
        return np.clip(values, 0, 1).astype(np.float32)[:, :, None]


@dataclass(frozen=True)
class Fixations:
    """Samples of an `ObjectSequence`, in temporal order.

    Attributes:
        task: the task that drew the samples.
        templates: values of the objects, (objects, size).
        labels: object shown in each sample, (samples,).
        inputs: input values, (samples, positions, 1).
    """

    latents: ClassVar[tuple[NDArray[np.integer], ...]] = ()
    exchangeable: ClassVar[bool] = False

    task: ObjectSequence
    templates: NDArray[np.float64]
    labels: NDArray[np.int64]
    inputs: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "Fixations":
        return replace(self, labels=self.labels[chosen], inputs=self.inputs[chosen])

    def second_view(self, layer: int, generator: np.random.Generator) -> "Fixations":
        """Render the next fixation of the object of each sample, with a new position, size and noise.

        Args:
            layer: number of the layer; has no effect.
            generator: source of randomness.
        """
        return replace(self, inputs=self.task.render(self.templates[self.labels], generator, generator, generator))


TASK = ObjectSequence
