"""What is kept of a command: finished rows, what was asked for, and versions."""

from pathlib import Path
from typing import Any

from cortexsim.config.trial import Row
from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import append_line, write_atomically
from cortexsim.storage.folders import COMMAND, check_output_folder
from cortexsim.storage.records import OpenRecord, RowRecord, Text, format_line, parse_line, read_record, write_record


class CommandRecord(OpenRecord):
    """The file ``command.json``."""

    command: Text
    values: dict[str, Any]
    configuration: dict[str, Any] | None = None


class Ledger:
    """Keep finished rows in a file, one JSON object a line, so that an interrupted run goes on where it stood.

    Args:
        path: of the file; rows that are there already are not computed again.

    Raises:
        UserError: where a line is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        if path.exists():
            text = path.read_bytes().decode(errors="replace")
            whole = text[: text.rfind("\n") + 1]
            if whole != text:  # Half a line of a run that was killed: the next row would be lost with it.
                write_atomically(path, whole.encode())
            for number, written in enumerate(whole.splitlines(), 1):
                if (row := parse_line(written, RowRecord)) is None:
                    raise UserError(f"{path}: line {number} is damaged, or edited (take it out: its run is done again)")
                self.rows[row["key"]] = row

    def add(self, row: Row) -> None:
        """Write a row down at once."""
        self.rows[row["key"]] = row
        append_line(self.path, format_line(row))


def record_command(path: Path, command: str, values: dict[str, Any], configuration: dict[str, Any]) -> None:
    """Write down what a command was asked for in its folder, so that it can go on by that alone.

    Args:
        path: of the folder, held.
        command: which.
        values: of its options.
        configuration: all that its result depends on.

    Raises:
        UserError: where the folder holds something else, or the same command with another configuration.
    """
    check_output_folder(path, COMMAND)
    record = {"command": command, "values": values, "configuration": configuration}
    if (path / COMMAND).exists():
        before = read_record(path / COMMAND, CommandRecord, _OTHERWISE)
        whole = before.get("configuration") is not None
        then = before["configuration"] if whole else before["values"]
        if before["command"] != command:
            raise UserError(f"--out {path}: of `cortexsim {before['command']}` (give another folder, or none)")
        if difference := _difference(then, configuration if whole else values):
            raise UserError(f"--out {path}: was begun with {difference} (give another folder, or none)")
    write_record(path / COMMAND, record)


def recorded_values(path: Path, command: str) -> dict[str, Any]:
    """Read what `record_command` wrote.

    Raises:
        UserError: where the folder is none of this command's.
    """
    found = read_record(path / COMMAND, CommandRecord, f"not a folder of `cortexsim {command}`")
    if found["command"] != command:
        raise UserError(
            f"{path / COMMAND}: of `cortexsim {found['command']}` (cortexsim {found['command']} --resume {path})"
        )
    return dict(found["values"])


_OTHERWISE = "not what a command has written (give another folder, or none)"


def _difference(then: Any, now: Any, where: str = "") -> str:
    """Name the first setting in which two configurations differ; what a model says of itself is none."""
    if isinstance(then, dict) and isinstance(now, dict):
        keys = [key for key in {**then, **now} if key != "description"]
        several = (_difference(then.get(key), now.get(key), f"{where}.{key}".lstrip(".")) for key in keys)
        return next((text for text in several if text), "")
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        named = (_difference(a, b, f"{where}.{k}") for k, (a, b) in enumerate(zip(then, now, strict=True), 1))
        return next((text for text in named if text), "")
    if isinstance(then, list) and any(isinstance(entry, dict) for entry in then):
        return f"other {where}"
    return "" if then == now else f"{where} = {then}, not {now}"
