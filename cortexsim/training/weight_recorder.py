"""Recording of single weights while a network learns."""

import shutil
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from rich.filesize import decimal
from torch import Tensor

from cortexsim.errors import UserError
from cortexsim.learners import Budget, Cursor, HybridNetwork, Learner, batch_size
from cortexsim.rate import Network, SynapseEnds, synapse_ends, weights_of_layers
from cortexsim.seeds import stream
from cortexsim.storage.run_directory import RunFolder
from cortexsim.storage.weight_file import FILE, WeightFile, Weights, WeightSampling
from cortexsim.verbosity import quiet

NUMBERS: dict[str, Weights] = {"torch.float32": "F32", "torch.float64": "F64"}


class FixationCount:
    """Counts the fixations that a learner has seen since training began, over all stages.

    >>> from cortexsim.config.building import assemble
    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> learner = assemble(find_model("backprop"), Hierarchy(depth=2), seed=0)
    >>> count = FixationCount(learner, samples=100, budget=Budget(epochs=2, batch=30))
    >>> count.at(Cursor(stage=0, epoch=1, batch=2))  # Samples that fill no batch are left out of an epoch.
    150
    >>> count.times(every=50).tolist()
    [0, 60, 120, 150, 180]

    Args:
        learner: which learns.
        samples: number of training samples.
        budget: epochs and batch size.
    """

    def __init__(self, learner: Learner, samples: int, budget: Budget) -> None:
        self.batches = [batch_size(learner, stage, samples, budget) for stage in range(learner.stages)]
        self.epochs = [samples // batch * batch for batch in self.batches]  # Fixations in an epoch of each stage.
        self.starts = np.cumsum([0, *(budget.epochs * epoch for epoch in self.epochs)]).tolist()
        self.streaming = learner.streaming_stages

    def at(self, cursor: Cursor) -> int:
        """Count the fixations before a position in the training."""
        start: int = self.starts[cursor.stage]
        if cursor.stage == len(self.epochs):
            return start
        return start + cursor.epoch * self.epochs[cursor.stage] + cursor.batch * self.batches[cursor.stage]

    def times(self, every: int) -> np.ndarray:
        """Return after how many fixations weights are recorded, (times,).

        They are zero, the multiples of a number, each put off to the end of its batch, and all fixations.
        """
        found, every = [np.array([0, self.starts[-1]])], min(every, self.starts[-1])
        for stage, batch in enumerate(self.batches):
            start, end = self.starts[stage], self.starts[stage + 1]
            step = 1 if stage in self.streaming else batch
            multiples = np.arange(start - start % every + every, end + 1, every)
            found.append(start - (start - multiples) // step * step)
        return np.unique(np.concatenate(found))


def choose_synapses(
    network: Network, layers: int, count: int | None, seed: int
) -> dict[str, tuple[SynapseEnds, Weights]]:
    """Choose synapses of the lowest layers, from the random stream ``synapses``, with the type of their weights.

    Args:
        network: the network.
        layers: how many, from below.
        count: how many of each tensor of feedforward or context weights; None for all.
        seed: root seed.
    """
    found, tensors = {}, network.state()
    for name, (layer, kind) in weights_of_layers(network, layers).items():
        size = tensors[name].numel()
        place = np.arange(size)
        if count is not None and count < size:
            place = np.sort(stream(seed, "synapses", name).choice(size, count, replace=False))
        found[name] = synapse_ends(layer, kind, place), NUMBERS[str(tensors[name].dtype)]
    return found


class WeightRecorder:
    """Writes the weights of chosen synapses into the folder of a run, from before training to its end.

    Args:
        folder: the run's folder.
        sampling: which weights, and when.
        learner: the run's learner.
        budget: epochs and batch size.
    """

    def __init__(self, folder: RunFolder, sampling: WeightSampling, learner: Learner, budget: Budget) -> None:
        self.folder, self.learner = folder, learner
        self.count = FixationCount(learner, folder.trial.samples, budget)
        self.times = self.count.times(sampling.every)
        self.chosen = choose_synapses(learner.network, learner.trained_layers, sampling.synapses, folder.trial.seed)
        self.file = WeightFile(folder.path / FILE, folder.record["asked"], self.times, self.chosen)
        self.shown = 0
        if isinstance(learner.network, HybridNetwork):
            for segment in learner.network.segments:
                segment.observer = self

    def begin(self, cursor: Cursor, notify: Callable[[str], None]) -> None:
        """Set up the file, or check the rows before a position from which training continues.

        Args:
            cursor: the position.
            notify: called with one line about the size of a new file.

        Raises:
            UserError: rows are damaged or missing, or the disk has no room for them.
        """
        self.shown = self.count.at(cursor)
        rows = int(np.searchsorted(self.times, self.shown, "right")) if self.shown else 0
        intact = self.file.has(rows)
        if rows and not intact:
            raise UserError(
                f"{self.file.path}: damaged or missing (delete {self.folder.checkpoints.folder}, and the run begins"
                " anew, with the same result)"
            )
        if not intact:
            self._create(notify)
        if not rows:
            self._write({})

    def _create(self, notify: Callable[[str], None]) -> None:
        if (free := shutil.disk_usage(self.folder.path).free) < self.file.bytes:
            raise UserError(
                f"--record weights: {FILE} would take {decimal(self.file.bytes)}, and {decimal(free)} are free"
                " (fewer --synapses, or a larger --every)"
            )
        if not quiet():
            synapses = sum(len(ends.place) for ends, _ in self.chosen.values())
            notify(f"Weights of {synapses} synapses at {len(self.times)} times: {decimal(self.file.bytes)} in {FILE}")
        self.file.create()

    def __call__(self, cursor: Cursor) -> None:
        """Called at the end of each batch, with where training now is."""
        self.shown = self.count.at(cursor)
        if self.times[np.searchsorted(self.times, self.shown)] == self.shown:
            self._write({})

    def due(self, fixations: int) -> Sequence[int]:
        """Return the numbers of fixations of the next batch, fewer than all of it, after which weights are recorded."""
        first, last = np.searchsorted(self.times, [self.shown + 1, self.shown + fixations])
        return [int(time) - self.shown for time in self.times[first:last]]

    def observe(self, shown: int, tensors: Mapping[str, Tensor]) -> None:
        """Record weights within a batch; see `learners.segment.Observer`."""
        self._write(tensors, shown)

    def sync(self) -> None:
        """Sync the file to disk, so that its rows survive a power failure."""
        self.file.sync()

    def _write(self, changed: Mapping[str, Tensor], within: int = 0) -> None:
        """Write the row of the present time, with tensors that differ from those of the network."""
        tensors = {**self.learner.network.state(), **changed}
        weights = {
            name: tensors[name].detach().cpu().numpy().ravel()[ends.place] for name, (ends, _) in self.chosen.items()
        }
        self.file.write(int(np.searchsorted(self.times, self.shown + within)), weights)
