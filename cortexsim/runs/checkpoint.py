"""Checkpoints: the state of a training on disk, two files each, whole or not there, and known to be sound.

Tensors are in safetensors; all else, and the checksums, in a JSON manifest that is written after them. A checkpoint
without a manifest is none.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from cortexsim.errors import UserError
from cortexsim.learners import Cursor, State
from cortexsim.runs.files import UNFINISHED, sync_folder, write_json, write_whole

FORMAT = 1
KEPT = 3  # The newest so many are kept.


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


class Damaged(Exception):
    """A checkpoint that is not what was written."""


class Checkpoints:
    """Write checkpoints into a folder, and find the newest that is sound.

    Args:
        folder: made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, then drop all but the newest few.

        Raises:
            OSError: where it cannot be written; those before are as they were.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        name = "-".join(f"{number:06d}" for number in checkpoint.cursor)
        tensors = {key: value.cpu().contiguous() for key, value in _tensors(checkpoint.state)}
        data = safetensors.torch.save(tensors)
        body = {
            "format": FORMAT,
            "cursor": checkpoint.cursor._asdict(),
            "seconds": checkpoint.seconds,
            "followed": checkpoint.followed,
            "plain": {key: value for key, value in checkpoint.state.items() if key not in tensors},
            "tensors": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        }
        write_whole(self.folder / f"{name}.safetensors", data)
        write_json(self.folder / f"{name}.json", {**body, "sha256": _digest(body)})
        for manifest in self._manifests()[KEPT:]:
            self._drop(manifest)

    def newest(self, say: Callable[[str], None]) -> Checkpoint | None:
        """Read the newest checkpoint; those that are damaged are told of, and dropped.

        Raises:
            UserError: where one cannot be read at all.
        """
        for manifest in self._manifests():
            try:
                return _read(manifest)
            except Damaged as error:
                say(f"{manifest}: {error}; going on from the one before")
                self._drop(manifest)
            except OSError as error:
                raise UserError(f"{manifest}: {error.strerror}") from None
        return None

    def tidy(self) -> None:
        """Drop what was left half written."""
        for path in self.folder.glob(f"*{UNFINISHED}"):
            path.unlink()
        for path in self.folder.glob("*.safetensors"):
            if not path.with_suffix(".json").exists():
                path.unlink()

    def _manifests(self) -> list[Path]:
        """List the manifests, newest first."""
        return sorted(self.folder.glob("*.json"), reverse=True)

    def _drop(self, manifest: Path) -> None:
        manifest.unlink()
        manifest.with_suffix(".safetensors").unlink(missing_ok=True)
        sync_folder(self.folder)


def _read(manifest: Path) -> Checkpoint:
    try:
        body = json.loads(manifest.read_text(encoding="utf-8"))
        sound = body.pop("sha256") == _digest(body)
    except (ValueError, KeyError, AttributeError, TypeError):
        raise Damaged("the manifest is damaged") from None
    if not sound:
        raise Damaged("the manifest is damaged")
    if body["format"] != FORMAT:
        raise UserError(f"{manifest}: format {body['format']} is not known (this version reads format {FORMAT})")
    try:
        data = manifest.with_suffix(".safetensors").read_bytes()
    except FileNotFoundError:
        raise Damaged("its tensors are missing") from None
    if len(data) != body["tensors"]["bytes"]:
        raise Damaged(f"its tensors have {len(data)} bytes instead of {body['tensors']['bytes']}")
    if hashlib.sha256(data).hexdigest() != body["tensors"]["sha256"]:
        raise Damaged("its tensors do not match their checksum")
    state = {**safetensors.torch.load(data), **body["plain"]}
    return Checkpoint(Cursor(**body["cursor"]), state, body["seconds"], body["followed"])


def _tensors(state: State) -> Iterator[tuple[str, Tensor]]:
    return ((key, value) for key, value in state.items() if isinstance(value, Tensor))


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
