"""The folder of a run: its configuration, metrics, checkpoints and result."""

import hashlib
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cortexsim.analysis.weights_over_time import WeightsOverTime
from cortexsim.config.provenance import ENGINES, code_state, git_state, versions
from cortexsim.config.schema import Model, settings_used
from cortexsim.config.tasks import build_task, content_digest, task_table
from cortexsim.config.trial import Row, Trial, trial_record
from cortexsim.config.validation import explain
from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import write_atomically
from cortexsim.storage.checkpoint import Checkpoints
from cortexsim.storage.folders import RECORD, check_output_folder, locked
from cortexsim.storage.records import ResultRecord, RunRecord, read_record, write_record
from cortexsim.storage.weight_file import FILE, WeightSampling, read_weights_over_time
from cortexsim.tasks import TASKS, Task

RESULT, METRICS, CHECKPOINTS = "result.json", "metrics.jsonl", "checkpoints"
STREAMS = ("data", "weights", "feedback", "order", "noise", "spikes", "exchange", "readout", "views")


class RunFolder:
    """The folder of one run. It contains everything but this package that is needed to resume the run.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> trial = Trial(find_model("clapp"), Hierarchy(depth=2), samples=64, test_samples=32, grammar_seed=10, seed=0)
    >>> folder = RunFolder.begin(Path("first"), trial)
    >>> folder.record["trial"]["samples"], folder.result
    (64, None)

    Args:
        path: a folder that `begin` has created.

    Attributes:
        record: content of ``run.json``: the trial, its seeds by name, versions of libraries, and the git commit.
        trial: the trial of the run.

    Raises:
        UserError: the folder holds no run, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        otherwise = "not a run (a folder that `cortexsim train` has written)"
        self.record = read_record(path / RECORD, RunRecord, otherwise)
        self.trial = _trial(self.record["trial"], path)

    @classmethod
    def begin(cls, path: Path, trial: Trial, sampling: WeightSampling | None = None) -> "RunFolder":
        """Set up a folder for a run, or return the run that is there already if it is of the same trial.

        Files of the user's that define the rule, the cell or the task are copied into the folder.

        Args:
            path: the folder; if other processes may use it, it should be locked.
            trial: what to run.
            sampling: which weights to record while it learns; a run that was begun before keeps to its own.

        Raises:
            UserError: the folder holds another run or other files, the data files of the task have changed, or other
                weights are recorded.
            OSError: a file cannot be written.
        """
        check_output_folder(path, RECORD)
        if (path / RECORD).exists():
            existing = cls(path)
            if not existing.is_of(trial):
                raise UserError(f"--out {path}: holds another run (give another folder, or none)")
            if existing.record.get("content", "") != content_digest(trial.task):
                raise UserError(
                    f"--out {path}: the files of task '{trial.task.name}' have changed since this run was started"
                    " (give another folder, or none)"
                )
            if sampling not in (None, existing.sampling):
                raise UserError(
                    f"--record weights: the run in {path} records other weights, or none (give another --out, or none)"
                )
            return existing
        own = _own_files(trial.model)
        _check_task_has_file(trial.task)
        path.mkdir(parents=True, exist_ok=True)
        for name, file in own.items():
            write_atomically(path / name, file.read_bytes())
        if trial.task.name.endswith(".py"):
            write_atomically(path / Path(trial.task.name).name, Path(trial.task.name).read_bytes())
        recorded = {} if sampling is None else {"weights_over_time": sampling._asdict()}
        write_record(path / RECORD, _record(_with_local_files(trial, path)) | recorded)
        return cls(path)

    def is_of(self, trial: Trial) -> bool:
        """Whether the run is of this trial: the same settings, with the same equations of rule, cells and task."""
        return self.trial.settings_digest == trial.settings_digest

    @property
    def sampling(self) -> WeightSampling | None:
        """Which weights are recorded while it learns; None for none."""
        found = self.record.get("weights_over_time")
        return None if found is None else WeightSampling(**found)

    @property
    def weights_over_time(self) -> WeightsOverTime | None:
        """The weights that were recorded so far; None for a run that records none, or has not yet begun to.

        Raises:
            UserError: they are missing, damaged or of another run.
        """
        finished = self.result is not None
        if self.sampling is None or not (finished or (self.path / FILE).exists()):
            return None
        return read_weights_over_time(self.path / FILE, self.record["asked"], finished)

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints of the run."""
        return Checkpoints(self.path / CHECKPOINTS, self.record["asked"])

    @property
    def result(self) -> Row | None:
        """The finished row, or None if the run is unfinished.

        Raises:
            UserError: the row is damaged or of another run, or ``metrics.jsonl`` has changed since.
        """
        path = self.path / RESULT
        if not path.exists():
            return None
        remedy = "delete the file, and resume the run with `cortexsim train --resume`"
        result = read_record(path, ResultRecord, f"not the result of a run ({remedy})")
        row: Row = result["rows"][0]
        if result["asked"] != self.record["asked"]:
            raise UserError(f"{path}: the result of another run ({remedy})")
        if result.get("metrics", metrics := self._metrics_digest()) != metrics:
            raise UserError(
                f"{self.path / METRICS}: damaged or edited since the run finished (delete the run's folder)"
            )
        return row

    def _metrics_digest(self) -> str:
        """Digest ``metrics.jsonl``; a missing file has the digest of an empty one."""
        path = self.path / METRICS
        return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()

    @property
    def epochs_done(self) -> int:
        """Number of epochs before the newest checkpoint, by its manifest alone; 0 if that cannot be read."""
        cursor = self.checkpoints.latest()
        return cursor.stage * self.trial.model.training.epochs + cursor.epoch

    def finish(self, row: Row) -> None:
        """Write the row to ``result.json``, with the configuration and versions that it depends on."""
        configuration = {
            "task": task_table(self.trial.task),
            "model": settings_used(self.trial.model, self.trial.samples),
            "device": self.trial.device,
        }
        made = {"asked": self.trial.settings_digest, "versions": versions(), "configuration": configuration}
        result = {"rows": [row], "metrics": self._metrics_digest(), **made}
        write_record(self.path / RESULT, result)

    def check(self) -> list[str]:
        """Check that this installation would resume the run to the same result.

        Returns:
            A warning for each library whose version has changed, since results can then differ by rounding errors.

        Raises:
            UserError: the version or code of this package, or a rule, cell or setting of the run, has changed.
        """
        then, now = self.record["versions"], versions()
        if then["cortexsim"] != now["cortexsim"]:
            raise UserError(
                f"{self.path}: started with cortexsim {then['cortexsim']}, and this is {now['cortexsim']}"
                f" (pip install cortexsim=={then['cortexsim']}, or start a new run)"
            )
        if self.trial.settings_digest != self.record["asked"]:
            raise UserError(
                f"{self.path}: its configuration, rule or cell model has changed since it was started (start a new run)"
            )
        if (code := code_state())["digest"] != self.record["code"]["digest"]:
            where = (self.record["code"]["git"] or {}).get("commit") or self.record["code"]["folder"]
            raise UserError(
                f"{self.path}: started with other code, {where}; this is {code['folder']} (start a new run)"
            )
        return [
            f"started with {name} {then[name]}, resumed with {now[name]}: results may differ by rounding errors"
            for name in ENGINES
            if then[name] != now[name]
        ]

    def locked(self) -> AbstractContextManager[None]:
        """Lock the folder against other processes; see `storage.folders.locked`."""
        return locked(self.path, f"cortexsim train --resume {self.path}")


def _record(trial: Trial) -> dict[str, Any]:
    """Return the content of ``run.json``: everything that the run depends on."""
    return {
        "trial": trial_record(trial),
        "asked": trial.settings_digest,
        "content": content_digest(trial.task),
        "seeds": {"grammar": trial.grammar_seed, **dict.fromkeys(STREAMS, trial.seed)},
        "versions": versions(),
        "code": code_state(),
        "git": git_state(Path.cwd()),
        "command": " ".join(["cortexsim", *sys.argv[1:]]),
        "begun": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _trial(values: dict[str, Any], path: Path) -> Trial:
    """Build the trial that is recorded in ``run.json``."""
    tables = dict(values["model"])
    name = tables.pop("name", "")
    try:
        model = Model.model_validate(tables)
        task = build_task(values["task"], path)
    except ValidationError as error:
        raise UserError(f"{path / RECORD}: {explain(error, Model)}") from None
    except UserError as error:
        raise UserError(f"{path / RECORD}: {error}") from None
    if not isinstance(name, str):
        raise UserError(f"{path / RECORD}: model.name = {name!r} is not a string")
    model._name, model._path = name, path / RECORD
    return Trial(**{**values, "model": model, "task": task})


def _own_files(model: Model) -> dict[str, Path]:
    """Return the Python files that define a model's rule and cell, by their names; none for those of the package.

    Raises:
        UserError: two different files have one name.
    """
    named = [model.rule.name] if model.rule is not None else []
    named += [model.spiking.cell] if model.in_brian else []
    found: dict[str, Path] = {}
    for name in [name for name in named if name.endswith(".py")]:
        file = model._path.parent / name
        if file.resolve() != found.setdefault(file.name, file).resolve():
            raise UserError(f"'{found[file.name]}' and '{file}' are copied to one folder (rename one)")
    return found


def _check_task_has_file(task: Task) -> None:
    """Check that a run can be resumed with its task, which is that of a file, or of this package.

    Raises:
        UserError: the task is of a class that only this program knows.
    """
    if not task.name.endswith(".py") and type(task) is not TASKS.get(task.name):
        raise UserError(
            f"task {type(task).__name__}: of a class in Python, from which no folder can be resumed (put the class into"
            " a file, and give its path: {'name': 'my_task.py'})"
        )


def _with_local_files(trial: Trial, path: Path) -> Trial:
    """Make the model load a rule and a cell of the user's from their copies in the run's folder."""
    old = trial.model
    if not _own_files(old):
        return trial
    changes: dict[str, Any] = {}
    if old.rule is not None and old.rule.name.endswith(".py"):
        changes["rule"] = old.rule.model_copy(update={"name": Path(old.rule.name).name})
    if old.in_brian and old.spiking.cell.endswith(".py"):
        changes["spiking"] = old.spiking.model_copy(update={"cell": Path(old.spiking.cell).name})
    model = old.model_copy(update=changes)
    model._name, model._path = old._name, path / RECORD
    return replace(trial, model=model)
