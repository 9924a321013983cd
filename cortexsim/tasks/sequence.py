"""Objects that persist over fixations while their place, size and noise change, until a saccade brings another object.

Procedural, in one dimension. An object is a row of values; at each fixation it lies at another place of the grid,
stretched or compressed, under fresh noise. What stays from one fixation to the next is the object: the regularity that
rules of temporal stability learn from (Földiák, Neural Computation 3, 194, 1991; Li and DiCarlo, Science 321, 1502,
2008).

>>> from cortexsim.tasks import TASKS
>>> task = TASKS["sequence"](objects=4, fixations=3)
>>> train, test = task.draw(train=12, test=6, task_seed=0, seed=0)
>>> train.inputs.shape, len(set(train.labels[:3])), bool(train.labels[3] != train.labels[2])
((12, 32, 1), 1, True)
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError
from cortexsim.seeds import stream

MAX_SAMPLES = 2**31  # Noise makes every sample another one; more than these are not drawn.


@dataclass(frozen=True)
class ObjectSequence:
    """Fixations of objects: each sample is one fixation, and its label is the object.

    Samples come in the order in which they are seen: an object for ``fixations`` samples, then another one. Values are
    from 0, the empty ground, to 1.

    Args:
        objects: different objects, which are the classes.
        positions: places of the grid.
        size: places that an object covers, unstretched; its values are uniform in 0..1.
        shift: furthest that an object lies from the middle of the grid, in places; each place is equally likely.
        scale: how far the stretch of an object lies from 1 at most, uniform: 0.25 is 0.75 to 1.25.
        noise: standard deviation of the normal noise at each place, before values are clipped to 0..1.
        fixations: samples for which an object persists.

    Raises:
        UserError: where a value is out of range, or an object would leave the grid.
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
            # Without noise, training and test would share samples.
            raise UserError(f"sequence: noise = {self.noise:g} is out of range (0.001 to 1)")
        if self.widest + 2 * self.shift > self.positions:
            raise UserError(
                f"sequence: positions = {self.positions} is too small for objects of size = {self.size} at"
                f" scale = {self.scale:g} and shift = {self.shift} (at least {self.widest + 2 * self.shift})"
            )

    @property
    def widest(self) -> int:
        """Places that an object covers at most, stretched as far as it goes."""
        return int(np.ceil(self.size * (1 + self.scale)))

    @property
    def grid(self) -> tuple[int, ...]:
        """The places, in a row."""
        return (self.positions,)

    @property
    def classes(self) -> int:
        """The objects."""
        return self.objects

    @property
    def chance(self) -> float:
        """All objects are equally likely."""
        return 1 / self.objects

    def draw(self, train: int, test: int, task_seed: int, seed: int) -> "tuple[Fixations, Fixations]":
        """Draw the objects from the one seed, and from the other what is seen of them.

        Raises:
            UserError: where more samples are asked for than are counted as distinct.
        """
        if train + test > self.distinct_samples:
            raise UserError(f"sequence: {train} + {test} samples are too many (at most {self.distinct_samples})")
        templates = stream(task_seed, "objects").random((self.objects, self.size))
        learned, tested = (
            self._watch(templates, count, seed, side) for count, side in ((train, "train"), (test, "test"))
        )
        return learned, tested

    def _watch(self, templates: NDArray[np.float64], count: int, seed: int, side: str) -> "Fixations":
        """See one object after the other; every quantity has its own stream, so that more begins with less."""
        runs = -(-count // self.fixations)
        # The first object is any, and each of the others any but the one before.
        first = stream(seed, side, "first").integers(self.objects, size=min(runs, 1))
        steps = stream(seed, side, "steps").integers(1, self.objects, size=max(runs - 1, 0))
        order = np.cumsum(np.concatenate([first, steps])) % self.objects
        labels = np.repeat(order, self.fixations)[:count].astype(np.int64)
        places, sizes, noise = (stream(seed, side, key) for key in ("places", "sizes", "noise"))
        return Fixations(self, templates, labels, self.show(templates[labels], places, sizes, noise))

    def show(
        self,
        objects: NDArray[np.float64],
        places: np.random.Generator,
        sizes: np.random.Generator,
        noise: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Show objects (samples, size) once each, in a place, a size and noise of its own: (samples, positions, 1)."""
        count = len(objects)
        middle = (self.positions - 1) / 2 + places.integers(-self.shift, self.shift + 1, size=count)
        stretch = sizes.uniform(1 - self.scale, 1 + self.scale, size=count)
        # Where each place of the grid lies on the object, in places of the object.
        on_object = (np.arange(self.positions) - middle[:, None]) / stretch[:, None] + (self.size - 1) / 2
        below = np.clip(np.floor(on_object).astype(np.intp), 0, self.size - 2)
        part = on_object - below
        lower = np.take_along_axis(objects, below, axis=1)
        upper = np.take_along_axis(objects, below + 1, axis=1)
        seen = np.where((part >= 0) & (part <= 1), lower + part * (upper - lower), 0)
        seen += self.noise * noise.standard_normal((count, self.positions))
        return np.clip(seen, 0, 1).astype(np.float32)[:, :, None]


@dataclass(frozen=True)
class Fixations:
    """Hold what is seen of objects.

    Attributes:
        task: the sizes.
        templates: the objects, (objects, size).
        labels: which object is seen, (samples,).
        inputs: (samples, positions, 1).
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
        """Show every object in its next fixation: at another place, in another size, under other noise.

        The same for all layers, since what changes is what is shown.
        """
        seen = self.task.show(self.templates[self.labels], generator, generator, generator)
        return replace(self, inputs=seen)


TASK = ObjectSequence
