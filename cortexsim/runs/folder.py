"""A run's folder: what it was made with, how it went, where it stands, and what came of it."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cortexsim.errors import UserError
from cortexsim.hierarchy import Hierarchy
from cortexsim.runs.checkpoint import Checkpoints
from cortexsim.runs.configuration import Model, as_run, resolved
from cortexsim.runs.explain import explain
from cortexsim.runs.files import write_json
from cortexsim.runs.provenance import ENGINES, code_state, git_state, versions
from cortexsim.runs.record import open_folder
from cortexsim.runs.trial import Row, Trial

RECORD, RESULT, METRICS, CHECKPOINTS, LOCK = "run.json", "result.json", "metrics.jsonl", "checkpoints", ".lock"
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
        self.record = read_json(path / RECORD, "not a run (a folder that `cortexsim train` has written)")
        try:
            self.trial = _trial(self.record["trial"], path)
        except (KeyError, TypeError, AttributeError):
            raise UserError(f"{path / RECORD}: not the record of a run (written by another version?)") from None

    @classmethod
    def begin(cls, path: Path, trial: Trial) -> "RunFolder":
        """Make the folder of a new run; one that holds the same run already is gone on with.

        Raises:
            UserError: where it cannot be written to, or holds another run.
        """
        if (path / RECORD).exists():
            found = cls(path)
            if found.trial.asked != _at_home(trial, path).asked:
                raise UserError(f"--out {path}: holds another run (give another folder, or none)")
            return found
        open_folder(path)
        kept = _at_home(trial, path)
        if file := _rule_file(trial.model):
            shutil.copyfile(trial.model._path.parent / file, path / Path(file).name)
        write_json(path / RECORD, _record(kept))
        return cls(path)

    @property
    def checkpoints(self) -> Checkpoints:
        """Where its checkpoints are."""
        return Checkpoints(self.path / CHECKPOINTS)

    @property
    def result(self) -> Row | None:
        """Its row; None where it is not finished."""
        if not (self.path / RESULT).exists():
            return None
        return read_json(self.path / RESULT, "cannot be read")["rows"][0]

    def finish(self, row: Row) -> None:
        """Write the row down, with all that it was made with."""
        made = {"hierarchy": asdict(self.trial.hierarchy), "model": as_run(self.trial.model, self.trial.samples)}
        configuration = {**made, "device": self.trial.device}
        write_json(self.path / RESULT, {"rows": [row], "versions": versions(), "configuration": configuration})

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
        if self.trial.asked != self.record["asked"]:
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

    @contextmanager
    def held(self, how: str = "") -> Iterator[None]:
        """Work in the folder, alone.

        Args:
            how: to go on, where the disk fails; by the run itself unless given.

        Raises:
            UserError: where another process does, or the folder cannot be written to, or no longer.
        """
        try:
            with (self.path / LOCK).open("w") as file:
                self._lock(file.fileno())
                yield
        except OSError as error:
            raise UserError(
                f"{error.filename or self.path}: {error.strerror or error} (checkpoints before are whole: mend this,"
                f" and go on with {how or f'cortexsim train --resume {self.path}'})"
            ) from None

    def _lock(self, number: int) -> None:
        try:
            import fcntl

            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows: it is left to the user not to run a run twice at once.
            pass
        except BlockingIOError:
            raise UserError(f"{self.path}: another process is at work on this run (wait, or end it)") from None
        except OSError:  # Some network file systems have no locks.
            pass


def _record(trial: Trial) -> dict[str, Any]:
    """Write out all that a run is made with."""
    return {
        "trial": {**asdict(trial), "model": resolved(trial.model)},
        "asked": trial.asked,
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
    name = tables.pop("name")
    try:
        model = Model.model_validate(tables)
    except ValidationError as error:
        raise UserError(f"{path / RECORD}: {explain(error, Model)}") from None
    model._name, model._path = name, path / RECORD
    return Trial(**{**values, "model": model, "hierarchy": Hierarchy(**values["hierarchy"])})


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


def read_json(path: Path, otherwise: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        UserError: with what it otherwise is.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; {otherwise}") from None
    except ValueError:
        raise UserError(f"{path}: no JSON; {otherwise}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: {otherwise}")
    return values
