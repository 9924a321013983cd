"""Checkpoints of a training on disk, each of two files that are written atomically and verified by checksums.

Tensors are stored in a ``.safetensors`` file; everything else, with the checksums, in a JSON manifest that is written
last. Tensors without a manifest are the remains of an interrupted write and are ignored.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
from pydantic import Field
from safetensors import SafetensorError
from torch import Tensor

from cortexsim.errors import UserError
from cortexsim.learners import Cursor, State
from cortexsim.storage.atomic_io import UNFINISHED, sync_folder, write_atomically
from cortexsim.storage.records import DIGEST, ClosedRecord, NonNegativeInt, Number, Text, digest, validate, write_record

FORMAT = 1
KEPT = 3  # Older checkpoints are deleted.
NAME = r"\d{6,}-\d{6,}-\d{6,}"


@dataclass(frozen=True)
class Checkpoint:
    """Everything needed to resume a training.

    Attributes:
        cursor: position in the training: stage, epoch and batch.
        state: state of the learner.
        seconds: time spent on the training so far.
        alignment: measurements of the alignment monitor so far; None if the learner is not monitored.
    """

    cursor: Cursor
    state: State
    seconds: float
    alignment: dict[str, list[Any]] | None = None


class CursorRecord(ClosedRecord):
    """Position in the training."""

    stage: NonNegativeInt
    epoch: NonNegativeInt
    batch: NonNegativeInt


class TensorsRecord(ClosedRecord):
    """Size and checksum of the file of tensors."""

    bytes: NonNegativeInt
    sha256: Text


class Manifest(ClosedRecord):
    """The manifest of a checkpoint; ``followed`` holds the measurements of the alignment monitor."""

    format: NonNegativeInt
    run: Text | None = None
    cursor: CursorRecord
    seconds: Annotated[Number, Field(ge=0)]
    followed: dict[str, list[Any]] | None
    plain: dict[str, Any]
    tensors: TensorsRecord


class Damaged(Exception):
    """A checkpoint is not as it was written."""


class Checkpoints:
    """The checkpoints of one run.

    >>> import torch
    >>> checkpoints = Checkpoints(Path("checkpoints"))
    >>> checkpoints.write(Checkpoint(Cursor(stage=0, epoch=3), {"weights": torch.ones(2)}, seconds=1.5))
    >>> newest = checkpoints.newest(notify=print)
    >>> newest.cursor.epoch, newest.state["weights"].tolist()
    (3, [1.0, 1.0])

    Args:
        folder: where they are stored; created with the first checkpoint.
        run: digest that identifies the run.
    """

    def __init__(self, folder: Path, run: str = "") -> None:
        self.folder, self.run = folder, run

    def manifest(self, cursor: Cursor) -> Path:
        """Return the path of the manifest of the checkpoint at a position."""
        return self.folder / ("-".join(f"{number:06d}" for number in cursor) + ".json")

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, then delete all but the newest few.

        Raises:
            OSError: the checkpoint cannot be written; the previous ones remain.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.manifest(checkpoint.cursor)
        tensors = {key: value.cpu().contiguous() for key, value in _tensors(checkpoint.state)}
        data = safetensors.torch.save(tensors)
        body = {
            "format": FORMAT,
            "run": self.run,
            "cursor": checkpoint.cursor._asdict(),
            "seconds": checkpoint.seconds,
            "followed": checkpoint.alignment,
            "plain": {key: value for key, value in checkpoint.state.items() if key not in tensors},
            "tensors": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        }
        write_atomically(path.with_suffix(".safetensors"), data)
        write_record(path, body)
        for manifest in self._manifests()[KEPT:]:
            self._drop(manifest)

    def newest(self, notify: Callable[[str], None]) -> Checkpoint | None:
        """Return the newest checkpoint that is intact, or None; damaged ones are reported and deleted.

        Args:
            notify: called with one line for each damaged checkpoint.

        Raises:
            UserError: a checkpoint cannot be read, or has the format of another version.
        """
        for manifest in self._manifests():
            try:
                return _read(manifest, self.run)
            except Damaged as error:
                notify(f"{manifest}: {error}; resuming from the previous checkpoint")
                self._drop(manifest)
            except OSError as error:
                raise UserError(f"{manifest}: {error.strerror}") from None
        return None

    def latest(self) -> Cursor:
        """Return the position of the newest checkpoint, by its manifest; the start if that is missing or damaged."""
        try:
            return next((_manifest(path, self.run)[0] for path in self._manifests()), Cursor())
        except (Damaged, UserError, OSError):
            return Cursor()

    def tidy(self) -> None:
        """Delete the remains of interrupted writes."""
        for path in self.folder.glob(f"*{UNFINISHED}"):
            path.unlink()
        for path in self.folder.glob("*.safetensors"):
            if not path.with_suffix(".json").exists():
                path.unlink()

    def _manifests(self) -> list[Path]:
        """List the manifests, newest first."""
        names = (path for path in self.folder.glob("*.json") if re.fullmatch(NAME, path.stem))
        return sorted(names, reverse=True)

    def _drop(self, manifest: Path) -> None:
        manifest.unlink()
        manifest.with_suffix(".safetensors").unlink(missing_ok=True)
        sync_folder(self.folder)


def _manifest(manifest: Path, run: str) -> tuple[Cursor, Manifest]:
    """Read the manifest of a checkpoint.

    Raises:
        Damaged: it is not as it was written, or belongs to another run.
        UserError: it has the format of another version.
        OSError: it cannot be read.
    """
    try:
        values = json.loads(manifest.read_text(encoding="utf-8"))
        intact = values.pop(DIGEST) == digest(values)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise Damaged("the manifest is damaged") from None
    if not intact:
        raise Damaged("the manifest is damaged")
    if values.get("format") != FORMAT:
        raise UserError(f"{manifest}: format {values.get('format')} is not known (this version reads format {FORMAT})")
    body = validate(values, Manifest, str(manifest))
    cursor = Cursor(**values["cursor"])
    if body.run not in (None, run) or manifest.stem != "-".join(f"{number:06d}" for number in cursor):
        raise Damaged("the checkpoint belongs to another run, or to another point of the training")
    return cursor, body


def _read(manifest: Path, run: str) -> Checkpoint:
    cursor, body = _manifest(manifest, run)
    try:
        data = manifest.with_suffix(".safetensors").read_bytes()
    except FileNotFoundError:
        raise Damaged("its tensors are missing") from None
    if len(data) != body.tensors.bytes:
        raise Damaged(f"its tensors have {len(data)} bytes instead of {body.tensors.bytes}")
    if hashlib.sha256(data).hexdigest() != body.tensors.sha256:
        raise Damaged("its tensors do not match their checksum")
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise UserError(
            f"{manifest.with_suffix('.safetensors')}: not a file of tensors ({' '.join(str(error).split())})"
        ) from None
    return Checkpoint(cursor, {**tensors, **body.plain}, body.seconds, body.followed)


def _tensors(state: State) -> Iterator[tuple[str, Tensor]]:
    return ((key, value) for key, value in state.items() if isinstance(value, Tensor))
