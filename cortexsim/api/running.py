"""Train one model, compare several, or search for the number of samples that each needs."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from cortexsim.api.arguments import several, whole
from cortexsim.api.results import Results, Run, Thresholds
from cortexsim.config.overrides import changed
from cortexsim.config.own_tasks import shared_task
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model
from cortexsim.config.targets import checked_target
from cortexsim.config.tasks import build_task, parse_task
from cortexsim.config.trial import Trial
from cortexsim.rate import choose_device
from cortexsim.storage.folders import COMMAND, check_output_folder, locked
from cortexsim.storage.ledger import record_command
from cortexsim.studies import comparison as comparing
from cortexsim.studies import samples_needed, thresholds
from cortexsim.studies.engine import Engine
from cortexsim.studies.single_run import EpochProgress
from cortexsim.studies.test_size import checked_test_size
from cortexsim.tasks import Task
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import prepare, train_and_measure

TaskLike = Task | Mapping[str, Any] | str | None
"""A task; its table, as in ``{"name": "digits"}`` or ``{"depth": 3}``; or a value of the option ``--task``."""


def load_model(model: Model | str | Path, settings: Mapping[str, Any] | None = None) -> Model:
    """Load a model by name or from a TOML file, and optionally change some of its settings.

    >>> load_model("clapp", {"training.epochs": 5}).training.epochs
    5

    Args:
        model: name, path of a TOML file, or a model.
        settings: new values by dotted key, as in ``{"training.eta": 0.01}``.

    Raises:
        UserError: there is no such model or key, or a value is invalid.
    """
    loaded = model if isinstance(model, Model) else find_model(str(model))
    return changed(loaded, settings) if settings else loaded


def train(
    model: Model | str | Path,
    task: TaskLike = None,
    samples: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    task_seed: int = 0,
    device: str = "cpu",
    target: str = "cpp",
    progress: bool = False,
) -> Run:
    """Train a model and measure what it has learned. Nothing is written to disk; see ``cortexsim train`` for that.

    >>> small = {"depth": 2, "features": 4, "multiplicity": 2}
    >>> run = train("clapp", small, samples=16, settings={"training.epochs": 2})
    >>> [activity.shape for activity in run.activities()]
    [(16, 2, 64), (16, 1, 64)]

    Args:
        model: name, path of a TOML file, or a model.
        task: the task, its table, or its name; the model's own task by default.
        samples: number of training samples; the model's own number by default.
        settings: changes to the model by dotted key, as in ``{"training.eta": 0.01}``.
        seed: seed of samples, initial weights and order of presentation.
        task_seed: seed of the task: of its grammar, or of the split into training and test samples.
        device: device of rate layers: ``cpu``, ``cuda`` or ``mps``.
        target: code generation for layers in Brian2: ``cpp`` (compiled once), ``numpy`` or ``cython``.
        progress: whether to print the progress of the training.

    Raises:
        UserError: a setting is invalid, model and task do not fit together, or too few samples are left for testing.
    """
    loaded = load_model(model, settings)
    chosen = _task(task, loaded.own_task())
    count = loaded.training.samples if samples is None else whole("samples", samples, 2)
    seed, task_seed = whole("seed", seed, 0), whole("task_seed", task_seed, 0)
    device, target = choose_device(device), checked_target(target)
    trial = Trial(loaded, chosen, count, checked_test_size(chosen, count), task_seed, seed, device, target)
    prepared = prepare(trial)
    callbacks = []
    if progress:
        callbacks.append(EpochProgress(Console(markup=False), prepared.learner.stages, trial.model.training.epochs))
        callbacks[0].follow(prepared.learner.network)
    return Run(trial, train_and_measure(trial, prepared, callbacks), prepared)


def compare(
    models: Sequence[Model | str | Path],
    task: TaskLike = None,
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
    """Train several models on the same samples, for several sizes of the training set.

    >>> small = {"depth": 2, "features": 4, "multiplicity": 2}
    >>> quick = {"training.epochs": 2, "readout.epochs": 2}
    >>> results = compare(["clapp", "untrained"], small, samples=[8, 16], seeds=1, settings=quick)
    >>> [(row["learner"], row["samples"]) for row in results.rows]
    [('clapp', 8), ('clapp', 16), ('untrained', 8), ('untrained', 16)]

    Args:
        models: names, paths of TOML files, or models.
        task: the task, its table, or its name. By default the task that the models are configured for, or else a
            random hierarchy of three levels.
        samples: training-set sizes.
        seeds: number of repetitions; repetition k has the seed k and the task seed ``task_seed + k``.
        task_seed: task seed of the first repetition.
        settings: changes to all models by dotted key. Untrained models do not read the keys ``training.*`` and
            ``rule.*``, and are left without them.
        device: device of rate layers: ``cpu``, ``cuda`` or ``mps``.
        target: code generation for layers in Brian2: ``cpp``, ``numpy`` or ``cython``.
        workers: number of processes; 0 for one per core.
        out: folder for rows, figure and report. An interrupted comparison is resumed by the same call with the same
            folder. By default nothing is kept on disk.
        progress: whether to print the progress.

    Raises:
        UserError: a setting is invalid, models and task do not fit together, or too few samples are left for testing.
    """
    loaded = tuple(_with_settings(model, settings or {}) for model in several("models", models))
    comparison = comparing.Comparison(
        models=loaded,
        task=_task(task, Hierarchy(depth=3) if task is not None else shared_task(loaded) or Hierarchy(depth=3)),
        samples=tuple(sorted({whole("samples", count, 2) for count in several("samples", samples)})),
        seeds=whole("seeds", seeds, 1),
        grammar_seed=whole("task_seed", task_seed, 0),
        device=choose_device(device),
        target=checked_target(target),
    )
    comparison.check()
    with _folder(out, "compare", comparing.configuration(comparison)) as folder:
        engine = Engine(folder, _console(progress), whole("workers", workers, 0))
        rows, _ = comparing.compare(comparison, engine)
    return Results(comparison, rows)


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
    """Estimate the sample complexity P* of models: the number of samples that each needs to learn a random hierarchy.

    Backpropagation and an untrained network are measured along with the models, as reference and control.

    >>> sizes = {"features": 4, "multiplicity": 2}
    >>> found = threshold(["untrained"], depth=[2], sizes=sizes, grammars=2, cap=16, alone=True)
    >>> [(entry["model"], entry["more_than"]) for entry in found.entries]
    [('untrained', 16)]

    Args:
        models: names, or paths of TOML files.
        depth: numbers of levels of the hierarchies.
        sizes: other parameters of the hierarchies, such as ``{"multiplicity": 2}``.
        grammars: number of grammars; the confidence interval is over grammars.
        seeds: number of repetitions on each grammar.
        task_seed: seed of the first grammar.
        cap: largest training-set size to try.
        alone: whether to leave out backpropagation and the untrained network.
        device: device of rate layers: ``cpu``, ``cuda`` or ``mps``.
        target: code generation for layers in Brian2: ``cpp``, ``numpy`` or ``cython``.
        workers: number of processes; 0 for one per core.
        out: folder for the results. An interrupted search is resumed by the same call with the same folder. By default
            nothing is kept on disk.
        progress: whether to print the progress.

    Raises:
        UserError: a model or a parameter of the hierarchy is invalid.
    """
    names = [str(model) for model in several("models", models)]
    sweep = samples_needed.plan(
        names if alone else samples_needed.beside(names),
        several("depth", depth),
        dict(sizes or {}),
        grammars=grammars,
        seeds=seeds,
        grammar_seed=whole("task_seed", task_seed, 0),
        cap=cap,
        device=choose_device(device),
        target=checked_target(target),
    )
    with _folder(out, "threshold", thresholds.sweep_configuration(sweep)) as folder:
        engine = Engine(folder, _console(progress), whole("workers", workers, 0))
        (measured,) = thresholds.run_sweeps([sweep], engine)
    tables = [samples_needed.table(measured, index) for index in range(len(measured.swept.values))]
    return Thresholds(thresholds.entries(measured), tables)


def _task(task: TaskLike, default: Task) -> Task:
    if task is None:
        return default
    if isinstance(task, str):
        return build_task(parse_task(task))
    return build_task(task) if isinstance(task, Mapping) else task


def _with_settings(model: Model | str | Path, settings: Mapping[str, Any]) -> Model:
    """Load a model and change its settings; an untrained model has no use for those of training and rule."""
    loaded = load_model(model)
    if loaded.learner == "untrained":
        settings = {key: value for key, value in settings.items() if not key.startswith(("training.", "rule."))}
    return changed(loaded, settings) if settings else loaded


def _console(progress: bool) -> Console:
    return Console(markup=False, highlight=False, quiet=not progress)


@contextmanager
def _folder(out: str | Path | None, command: str, configuration: dict[str, Any]) -> Iterator[Path]:
    """Lock the given folder, which is new or of the same call; or use a temporary one if none is given."""
    if out is not None:
        check_output_folder(Path(out), COMMAND)
        with locked(Path(out), "the same call, and the same folder"):
            record_command(Path(out), command, {}, configuration)
            yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
