"""Checkpoints: the state of a training on disk, two files each, whole or not there, and known to be sound.

Tensors are in safetensors; all else, and the checksums, in a JSON manifest that is written after them. A checkpoint
without a manifest is none.
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
KEPT = 3  # The newest so many are kept.
NAME = r"\d{6,}-\d{6,}-\d{6,}"


@dataclass(frozen=True)
class Checkpoint:
    """Hold all that a training depends on.

    Attributes:
        cursor: how far it is.
        state: of the learner.
        seconds: spent so far.
        followed: what following the learner has found so far; None where nothing is.
    """

    cursor: Cursor
    state: State
    seconds: float
    followed: dict[str, list[Any]] | None = None


class CursorRecord(ClosedRecord):
    """How far it is."""

    stage: NonNegativeInt
    epoch: NonNegativeInt
    batch: NonNegativeInt


class TensorsRecord(ClosedRecord):
    """What the file of tensors must be."""

    bytes: NonNegativeInt
    sha256: Text


class Manifest(ClosedRecord):
    """The manifest of a checkpoint."""

    format: NonNegativeInt
    run: Text | None = None
    cursor: CursorRecord
    seconds: Annotated[Number, Field(ge=0)]
    followed: dict[str, list[Any]] | None
    plain: dict[str, Any]
    tensors: TensorsRecord


class Damaged(Exception):
    """A checkpoint that is not what was written."""


class Checkpoints:
    """Write checkpoints into a folder, and find the newest that is sound.

    Args:
        folder: made when the first is written.
        run: key of the run that they belong to.
    """

    def __init__(self, folder: Path, run: str = "") -> None:
        self.folder, self.run = folder, run

    def manifest(self, cursor: Cursor) -> Path:
        """Name the manifest of a checkpoint."""
        return self.folder / ("-".join(f"{number:06d}" for number in cursor) + ".json")

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, then drop all but the newest few.

        Raises:
            OSError: where it cannot be written; those before are as they were.
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
            "followed": checkpoint.followed,
            "plain": {key: value for key, value in checkpoint.state.items() if key not in tensors},
            "tensors": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        }
        write_atomically(path.with_suffix(".safetensors"), data)
        write_record(path, body)
        for manifest in self._manifests()[KEPT:]:
            self._drop(manifest)

    def newest(self, say: Callable[[str], None]) -> Checkpoint | None:
        """Read the newest checkpoint; those that are damaged are told of, and dropped.

        Raises:
            UserError: where one cannot be read at all.
        """
        for manifest in self._manifests():
            try:
                return _read(manifest, self.run)
            except Damaged as error:
                say(f"{manifest}: {error}; going on from the one before")
                self._drop(manifest)
            except OSError as error:
                raise UserError(f"{manifest}: {error.strerror}") from None
        return None

    def latest(self) -> Cursor:
        """Say how far the newest checkpoint is; the beginning where there is none, or it is not sound."""
        try:
            return next((_manifest(path, self.run)[0] for path in self._manifests()), Cursor())
        except (Damaged, UserError, OSError):
            return Cursor()

    def tidy(self) -> None:
        """Drop what was left half written."""
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
    """Read the manifest of a checkpoint."""
    try:
        body = json.loads(manifest.read_text(encoding="utf-8"))
        sound = body.pop(DIGEST) == digest(body)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise Damaged("the manifest is damaged") from None
    if not sound:
        raise Damaged("the manifest is damaged")
    if body.get("format") != FORMAT:
        raise UserError(f"{manifest}: format {body.get('format')} is not known (this version reads format {FORMAT})")
    found = validate(body, Manifest, str(manifest))
    cursor = Cursor(**body["cursor"])
    if found.run not in (None, run) or manifest.stem != "-".join(f"{number:06d}" for number in cursor):
        raise Damaged("it is the checkpoint of another run, or of another moment")
    return cursor, found


def _read(manifest: Path, run: str) -> Checkpoint:
    cursor, found = _manifest(manifest, run)
    try:
        data = manifest.with_suffix(".safetensors").read_bytes()
    except FileNotFoundError:
        raise Damaged("its tensors are missing") from None
    if len(data) != found.tensors.bytes:
        raise Damaged(f"its tensors have {len(data)} bytes instead of {found.tensors.bytes}")
    if hashlib.sha256(data).hexdigest() != found.tensors.sha256:
        raise Damaged("its tensors do not match their checksum")
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise UserError(
            f"{manifest.with_suffix('.safetensors')}: no tensors ({' '.join(str(error).split())})"
        ) from None
    return Checkpoint(cursor, {**tensors, **found.plain}, found.seconds, found.followed)


def _tensors(state: State) -> Iterator[tuple[str, Tensor]]:
    return ((key, value) for key, value in state.items() if isinstance(value, Tensor))
