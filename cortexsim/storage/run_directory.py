"""A run's folder: what it was made with, how it went, where it stands, and what came of it."""

import hashlib
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

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

RESULT, METRICS, CHECKPOINTS = "result.json", "metrics.jsonl", "checkpoints"
STREAMS = ("data", "weights", "feedback", "order", "noise", "spikes", "exchange", "readout", "views")


class RunFolder:
    """The folder of one run; it needs nothing from outside but this package to go on.

    Args:
        path: of a folder that `begin` made.

    Attributes:
        record: what `run.json` holds: configuration, seeds by name, versions, git state.
        trial: what is run.

    Raises:
        UserError: where it is none, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        otherwise = "not a run (a folder that `cortexsim train` has written)"
        self.record = read_record(path / RECORD, RunRecord, otherwise)
        self.trial = _trial(self.record["trial"], path)

    @classmethod
    def begin(cls, path: Path, trial: Trial) -> "RunFolder":
        """Make a folder that is held that of a new run; one that holds the same run already is gone on with.

        Raises:
            UserError: where it holds another run, or anything else.
        """
        check_output_folder(path, RECORD)
        if (path / RECORD).exists():
            found = cls(path)
            if found.trial.settings_digest != _at_home(trial, path).settings_digest:
                raise UserError(f"--out {path}: holds another run (give another folder, or none)")
            if found.record.get("content", "") != content_digest(trial.task):
                raise UserError(
                    f"--out {path}: the files of task '{trial.task.name}' have changed since this run was begun"
                    " (give another folder, or none)"
                )
            return found
        path.mkdir(parents=True, exist_ok=True)
        kept = _at_home(trial, path)
        if file := _rule_file(trial.model):
            write_atomically(path / Path(file).name, (trial.model._path.parent / file).read_bytes())
        if trial.task.name.endswith(".py"):
            write_atomically(path / Path(trial.task.name).name, Path(trial.task.name).read_bytes())
        write_record(path / RECORD, _record(kept))
        return cls(path)

    @property
    def checkpoints(self) -> Checkpoints:
        """Where its checkpoints are."""
        return Checkpoints(self.path / CHECKPOINTS, self.record["asked"])

    @property
    def result(self) -> Row | None:
        """Its row; None where it is not finished.

        Raises:
            UserError: where it is damaged, or another run's, or the metrics are not those that it was finished with.
        """
        path = self.path / RESULT
        if not path.exists():
            return None
        found = read_record(path, ResultRecord, "not the result of a run (take it out, and `train --resume` the run)")
        row: Row = found["rows"][0]
        if found["asked"] != self.record["asked"]:
            raise UserError(f"{path}: of another run (take it out, and `train --resume` the run)")
        if found.get("metrics", metrics := self._metrics()) != metrics:
            raise UserError(f"{self.path / METRICS}: not what it was when the run ended (damaged; take the run out)")
        return row

    def _metrics(self) -> str:
        """Digest the file of metrics; of no file it is that of nothing."""
        path = self.path / METRICS
        return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()

    @property
    def epochs_done(self) -> int:
        """How many epochs its newest checkpoint has seen, by the manifest alone; 0 where that cannot be read."""
        cursor = self.checkpoints.latest()
        return cursor.stage * self.trial.model.training.epochs + cursor.epoch

    def finish(self, row: Row) -> None:
        """Write the row down, with all that it was made with."""
        configuration = {
            "task": task_table(self.trial.task),
            "model": settings_used(self.trial.model, self.trial.samples),
            "device": self.trial.device,
        }
        made = {"asked": self.trial.settings_digest, "versions": versions(), "configuration": configuration}
        result = {"rows": [row], "metrics": self._metrics(), **made}
        write_record(self.path / RESULT, result)

    def check(self) -> list[str]:
        """See that the run can go on as it began; answer with what may differ in the last bits.

        Raises:
            UserError: where it cannot: another version of this package, or other code, or another rule or cell.
        """
        then, now = self.record["versions"], versions()
        if then["cortexsim"] != now["cortexsim"]:
            raise UserError(
                f"{self.path}: begun with cortexsim {then['cortexsim']}, and this is {now['cortexsim']}"
                f" (pip install cortexsim=={then['cortexsim']}, or begin anew)"
            )
        if self.trial.settings_digest != self.record["asked"]:
            raise UserError(
                f"{self.path}: its configuration, or the rule or the cells it names, have changed since (begin anew)"
            )
        if (code := code_state())["digest"] != self.record["code"]["digest"]:
            where = (self.record["code"]["git"] or {}).get("commit") or self.record["code"]["folder"]
            raise UserError(f"{self.path}: begun with other code, {where}; this is {code['folder']} (begin anew)")
        return [
            f"begun with {name} {then[name]}, going on with {now[name]}: the last bits may differ"
            for name in ENGINES
            if then[name] != now[name]
        ]

    def locked(self) -> AbstractContextManager[None]:
        """Work in the folder, alone; see `locked`."""
        return locked(self.path, f"cortexsim train --resume {self.path}")


def _record(trial: Trial) -> dict[str, Any]:
    """Write out all that a run is made with."""
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
    """Read back what `_record` wrote."""
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
        raise UserError(f"{path / RECORD}: model.name = {name!r} is no text")
    model._name, model._path = name, path / RECORD
    return Trial(**{**values, "model": model, "task": task})


def _rule_file(model: Model) -> str | None:
    """Name the file that a model's rule is in, where it is not one of the package."""
    return model.rule.name if model.rule is not None and model.rule.name.endswith(".py") else None


def _at_home(trial: Trial, path: Path) -> Trial:
    """Let a rule from a file of the user's be found in the run's folder."""
    file = _rule_file(trial.model)
    if file is None or trial.model.rule is None:
        return trial
    rule = trial.model.rule.model_copy(update={"name": Path(file).name})
    model = trial.model.model_copy(update={"rule": rule})
    model._name, model._path = trial.model._name, path / RECORD
    return replace(trial, model=model)
