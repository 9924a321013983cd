"""cortexsim from Python: train, compare, find how many samples a model needs, and read what runs have kept.

>>> import cortexsim
>>> small = {"depth": 2, "features": 4, "multiplicity": 2}
>>> run = cortexsim.train("clapp", small, samples=16, settings={"training.epochs": 2})
>>> run.row["learner"], run.row["samples"], len(run.activities())
('clapp', 16, 2)
>>> found = cortexsim.compare(["clapp", "untrained"], small, samples=[8, 16], seeds=1, settings={"readout.epochs": 2})
>>> sorted({row["learner"] for row in found.rows}), len(found.rows)
(['clapp', 'untrained'], 4)
"""

import gzip
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table as Printed

from cortexsim.analysis.probes import activities
from cortexsim.analysis.summary import summarise
from cortexsim.config.overrides import changed
from cortexsim.config.own_tasks import shared_task
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model
from cortexsim.config.tasks import asked_task, build_task, titled
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError, about
from cortexsim.learners import HybridNetwork, load_exactly
from cortexsim.rate.threads import one_thread
from cortexsim.report import console as printing
from cortexsim.report import run_index
from cortexsim.storage.committed_rows import ROWS
from cortexsim.storage.run_directory import RESULT, RunFolder
from cortexsim.studies import comparison as comparing
from cortexsim.studies import samples_needed, thresholds
from cortexsim.studies.single_run import Progress
from cortexsim.studies.test_size import checked_test_size
from cortexsim.tasks import Data, Task
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import Prepared, prepare, train_and_measure

if TYPE_CHECKING:
    import pandas as pd

Shown = Task | Mapping[str, Any] | str | None
"""A task; its table, as in ``{"name": "digits"}`` or ``{"depth": 3}``; or what ``--task`` takes on the command line."""


@dataclass
class Run:
    """Hold a trained model, and what came of it.

    Attributes:
        trial: model, task, samples and seeds.
        row: what was measured, as in a line of a result; None of a run that has not ended.
    """

    trial: Trial
    row: Row | None
    _prepared: Prepared

    @property
    def accuracy(self) -> float | None:
        """Test accuracy, of the learner's own answer or of a readout; None of a run that has not ended."""
        return None if self.row is None else float(self.row["accuracy"])

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Weights, biases and running statistics by name, such as ``layer1.feedforward``, (copies, cells, inputs)."""
        state = self._prepared.learner.network.state()
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in state.items()}

    @property
    def test(self) -> Data:
        """The test samples: ``inputs`` (samples, positions, channels), ``labels`` (samples,), ``latents``."""
        return self._prepared.test

    def activities(self, inputs: np.ndarray | None = None) -> list[np.ndarray]:
        """Answer with what each layer sends, (samples, positions, cells), a rate without unit.

        Args:
            inputs: (samples, positions, channels); those of the test samples unless given.
        """
        with one_thread():
            return [code.cpu().numpy() for code in activities(self._prepared.learner.network, self._tensor(inputs))]

    def spikes(self, inputs: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Show samples one after the other to spiking layers, and answer with every spike.

        Args:
            inputs: (samples, positions, channels); the first ten test samples unless given.

        Returns:
            By population, ``input``, ``layer1``, ...: two rows, the time in seconds and the cell's number.

        Raises:
            UserError: where no layer spikes.
        """
        network = self._prepared.learner.network
        segments = network.segments if isinstance(network, HybridNetwork) else ()
        segment = next((part for part in segments if part.substrate == "spiking"), None)
        if segment is None:
            raise UserError(f"{self.trial.model.name}: no layer of this model spikes (network.substrate = 'spiking')")
        shown = self._tensor(self.test.inputs[:10] if inputs is None else inputs)
        below = network.activities(shown, segment.first)[-1] if segment.first else shown
        events = segment.record_all(below, 0, self.trial.seed).events
        dt = segment.settings.timing.dt
        return {name: np.stack([steps * dt, cells]) for name, (steps, cells) in events.items()}

    def _tensor(self, inputs: np.ndarray | None) -> torch.Tensor:
        return torch.from_numpy(self.test.inputs if inputs is None else inputs).to(self._prepared.inputs)

    def __repr__(self) -> str:
        where = f"{self.trial.model.name} on {titled(self.trial.task)}, {self.trial.samples} samples"
        return f"<Run: {where}, {'not ended' if self.row is None else f'test accuracy {self.accuracy:.3f}'}>"

    def _repr_html_(self) -> str:
        return f"<p>{repr(self)[1:-1]}</p>"


@dataclass
class Results:
    """Hold the rows of a comparison.

    Attributes:
        comparison: what was compared.
        rows: one a model, training-set size and seed.
    """

    comparison: comparing.Comparison
    rows: list[Row]

    def frame(self) -> "pd.DataFrame":
        """Give the rows as a table of pandas, one line a row."""
        return _frame(self.rows)

    def figure(self) -> Figure:
        """Draw accuracy against samples, and what the layers have learned."""
        return comparing.draw(self.comparison, self.rows)

    def __repr__(self) -> str:
        return f"<Results: {len(self.rows)} rows, {self.comparison.title}>"

    def _repr_html_(self) -> str:
        found = summarise(self.rows)
        table = printing.accuracy_table(found, self.comparison.title, self.rows[0]["test_samples"])
        return _html(table)


@dataclass
class Thresholds:
    """Hold how many samples models need.

    Attributes:
        entries: one a model and depth: ``model``, ``value`` (the depth), ``mean`` with its 95 % interval from ``low``
            to ``high``, or that P* is ``more_than`` or ``at_most`` so many samples, and ``runs``.
    """

    entries: list[dict[str, Any]]
    _tables: list[Printed]

    def frame(self) -> "pd.DataFrame":
        """Give the entries as a table of pandas."""
        return _frame(self.entries)

    def _repr_html_(self) -> str:
        return "".join(_html(table) for table in self._tables)


def load_model(model: Model | str | Path, settings: Mapping[str, Any] | None = None) -> Model:
    """Read a model by its name, or from a TOML file, and give it other values.

    >>> load_model("clapp", {"training.epochs": 5}).training.epochs
    5

    Args:
        model: name, path, or a model.
        settings: values by dotted keys, as in ``{"training.eta": 0.01}``.

    Raises:
        UserError: where there is no such model or key, or a value is not possible.
    """
    found = model if isinstance(model, Model) else find_model(str(model))
    return changed(found, settings) if settings else found


def train(
    model: Model | str | Path,
    task: Shown = None,
    samples: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    task_seed: int = 0,
    device: str = "cpu",
    target: str = "cpp",
    progress: bool = False,
) -> Run:
    """Train a model, and measure what it has learned.

    Nothing is written; ``cortexsim train`` keeps a run in a folder.

    Args:
        model: name of a model, path of a TOML file, or a model.
        task: what is learned; the model's own task unless given.
        samples: training samples; the model's own number unless given.
        settings: other values of the model, by dotted keys.
        seed: of the samples, the first weights and the order.
        task_seed: of the task: its grammar, or which samples are for testing.
        device: ``cpu``, ``cuda`` or ``mps``.
        target: of layers in Brian2: ``cpp`` (compiled once), ``numpy`` or ``cython``.
        progress: whether to print how far training is.

    Raises:
        UserError: where model and task do not fit, or cannot be.
    """
    found = load_model(model, settings)
    shown = _task(task, found.own_task())
    count = found.training.samples if samples is None else samples
    trial = Trial(found, shown, count, checked_test_size(shown, count), task_seed, seed, device, target)
    prepared = prepare(trial)
    callbacks = []
    if progress:
        callbacks.append(Progress(Console(markup=False), prepared.learner.stages, trial.model.training.epochs))
    return Run(trial, train_and_measure(trial, prepared, callbacks), prepared)


def compare(
    models: Sequence[Model | str | Path],
    task: Shown = None,
    samples: Sequence[int] = (256, 512, 1024, 2048),
    seeds: int = 3,
    task_seed: int = 10,
    settings: Mapping[str, Any] | None = None,
    device: str = "cpu",
    target: str = "cpp",
    workers: int = 1,
    out: str | Path | None = None,
    progress: bool = False,
) -> Results:
    """Set models side by side at several sizes of the training set.

    Args:
        models: names, paths or models.
        task: what is learned; unless given, what the models say they are for, or a hierarchy of three levels.
        samples: sizes of the training set.
        seeds: repetitions; repetition k has seed k and the task seed of the first plus k.
        task_seed: of the first repetition.
        settings: values that all models are given, by dotted keys, where they have them.
        device: ``cpu``, ``cuda`` or ``mps``.
        target: of layers in Brian2.
        workers: processes side by side; 0 takes one a core.
        out: folder for rows, figure and report, in which an interrupted comparison goes on; none is kept unless given.
        progress: whether to print how far it is.

    Raises:
        UserError: where a model and the task do not fit, or cannot be.
    """
    found = tuple(_settled(model, settings or {}) for model in models)
    planned = comparing.Comparison(
        models=found,
        task=_task(task, Hierarchy(depth=3) if task is not None else shared_task(found) or Hierarchy(depth=3)),
        samples=tuple(sorted(set(samples))),
        seeds=seeds,
        grammar_seed=task_seed,
        device=device,
        target=target,
    )
    planned.check()
    with _folder(out) as folder:
        rows, _ = comparing.compare(planned, folder, _console(progress), workers)
    return Results(planned, rows)


def threshold(
    models: Sequence[str | Path],
    depth: Sequence[int] = (3,),
    sizes: Mapping[str, int] | None = None,
    grammars: int = 5,
    seeds: int = 1,
    task_seed: int = 10,
    cap: int = 4096,
    alone: bool = False,
    device: str = "cpu",
    target: str = "cpp",
    workers: int = 1,
    out: str | Path | None = None,
    progress: bool = False,
) -> Thresholds:
    """Find P*, the samples that models need to learn a hierarchy, beside backpropagation and an untrained network.

    Args:
        models: names, or paths of TOML files.
        depth: levels of the hierarchies.
        sizes: their other sizes, such as ``{"multiplicity": 2}``.
        grammars: what an interval is over.
        seeds: how often each grammar comes.
        task_seed: of the first grammar.
        cap: largest training set that may be tried.
        alone: whether to leave out backpropagation and the untrained network.
        device: ``cpu``, ``cuda`` or ``mps``.
        target: of layers in Brian2.
        workers: processes side by side; 0 takes one a core.
        out: folder in which an interrupted search goes on; none is kept unless given.
        progress: whether to print how far it is.

    Raises:
        UserError: where a model or a hierarchy cannot be.
    """
    names = [str(model) for model in models]
    sweep = samples_needed.plan(
        names if alone else samples_needed.beside(names),
        list(depth),
        dict(sizes or {}),
        grammars=grammars,
        seeds=seeds,
        grammar_seed=task_seed,
        cap=cap,
        device=device,
        target=target,
    )
    with _folder(out) as folder:
        (found,) = thresholds.run_sweeps([sweep], folder, _console(progress), workers)
    tables = [samples_needed.table(found, index) for index in range(len(found.swept.values))]
    return Thresholds(thresholds.entries(found), tables)


def load_results(path: str | Path) -> "pd.DataFrame":
    """Read results into a table of pandas, one line a row.

    Each row has, among others, ``learner``, ``rule``, ``substrate``, ``context``, ``samples`` (to train on), ``labels``
    (seen), ``grammar_seed``, ``seed``, ``accuracy`` and ``chance`` (on test samples, 0 to 1); layer by layer,
    ``selectivity``, ``participation``, ``decoding``, ``readout_by_layer``; ``spikes`` and ``synaptic_operations`` of a
    sample; ``seconds``.

    Args:
        path: folder of a run, comparison, sweep or experiment; a folder of runs; or a file of rows, such as the
            ``rows.jsonl.gz`` beside an experiment.

    Raises:
        UserError: where there are no results, or pandas is missing.
    """
    path = Path(path)
    if path.is_dir():
        for name in (RESULT, ROWS, "rows.jsonl"):
            if (path / name).exists():
                return load_results(path / name)
        rows = [{"run": run.name, **run.row} for run in run_index.find(path) if run.row is not None]
        if not rows:
            raise UserError(f"{path}: no results in it (a folder that cortexsim has written)")
        return _frame(rows)
    try:
        text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
        if path.suffix == ".json":
            found = json.loads(text)
            rows = found["rows"] if "rows" in found else found["thresholds"]
        else:
            rows = [json.loads(line) for line in text.splitlines()]
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from None
    except (EOFError, ValueError, KeyError, TypeError):
        raise UserError(f"{path}: no results (result.json, rows.jsonl or rows.jsonl.gz)") from None
    return _frame(rows)


def load_run(path: str | Path) -> Run:
    """Read a run that ``cortexsim train`` has kept: its weights, and a network that answers as it did.

    Args:
        path: the run's folder.

    Raises:
        UserError: where it is none, or has no checkpoint yet, or cannot be read by this version.
    """
    folder = RunFolder(Path(path))
    folder.check()
    checkpoint = folder.checkpoints.newest(lambda line: None)
    if checkpoint is None and folder.trial.model.learner != "untrained":
        raise UserError(f"{path}: no checkpoint yet (cortexsim train --resume {path})")
    prepared = prepare(folder.trial)
    if checkpoint is not None:
        with about(f"{path}"):
            load_exactly(prepared.learner, checkpoint.state)
    return Run(folder.trial, folder.result, prepared)


def _task(task: Shown, own: Task) -> Task:
    if task is None:
        return own
    if isinstance(task, str):
        return build_task(asked_task(task))
    return build_task(task) if isinstance(task, Mapping) else task


def _settled(model: Model | str | Path, settings: Mapping[str, Any]) -> Model:
    """Give a model those of some values that it reads: a control learns nothing, and has no rate of learning."""
    found = load_model(model)
    if found.learner == "untrained":
        settings = {key: value for key, value in settings.items() if not key.startswith(("training.", "rule."))}
    return changed(found, settings) if settings else found


def _console(progress: bool) -> Console:
    return Console(markup=False, highlight=False, quiet=not progress)


@contextmanager
def _folder(out: str | Path | None):  # type: ignore[no-untyped-def]
    """Give the folder that was asked for, or one that is gone afterwards."""
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _html(table: Printed) -> str:
    console = Console(record=True, file=io.StringIO(), width=140)
    console.print(table)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


def _frame(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    try:
        import pandas as pd
    except ImportError:
        raise UserError("tables of results need pandas (pip install 'cortexsim[results]')") from None
    return pd.DataFrame(list(rows))
