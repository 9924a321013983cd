"""What a command stores to be resumed from: its options and the rows that are finished."""

from pathlib import Path
from typing import Any

from cortexsim.config.trial import Row
from cortexsim.errors import UserError
from cortexsim.storage.atomic_io import append_line, write_atomically
from cortexsim.storage.folders import COMMAND, check_output_folder
from cortexsim.storage.records import (
    CaseRecord,
    OpenRecord,
    RowRecord,
    Text,
    format_line,
    parse_line,
    read_record,
    write_record,
)


class CommandRecord(OpenRecord):
    """The file ``command.json``."""

    command: Text
    values: dict[str, Any]
    configuration: dict[str, Any] | None = None


class Ledger:
    """Finished rows in a file with one JSON object per line, from which an interrupted command resumes.

    >>> path = Path("cases.jsonl")
    >>> Ledger(path, CaseRecord).add({"key": "first", "rows": [{"rate": 5.0}]})
    >>> Ledger(path, CaseRecord).rows  # Of a later process, which does not compute it again.
    {'first': {'key': 'first', 'rows': [{'rate': 5.0}]}}

    Args:
        path: the file; rows that it contains already are not computed again.
        record: the table that a row is validated against.

    Attributes:
        rows: the rows by the key of their trial.

    Raises:
        UserError: a line is damaged.
    """

    def __init__(self, path: Path, record: type[RowRecord] | type[CaseRecord] = RowRecord) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        if path.exists():
            text = path.read_bytes().decode(errors="replace")
            complete = text[: text.rfind("\n") + 1]
            if complete != text:  # A killed process leaves an incomplete line, to which the next would be appended.
                write_atomically(path, complete.encode())
            for number, written in enumerate(complete.splitlines(), 1):
                if (row := parse_line(written, record)) is None:
                    raise UserError(
                        f"{path}: line {number} is damaged or edited (delete the line; its trial is then run again)"
                    )
                self.rows[row["key"]] = row

    def add(self, row: Row) -> None:
        """Add a row and write it to the file immediately."""
        self.rows[row["key"]] = row
        append_line(self.path, format_line(row))


def record_command(path: Path, command: str, values: dict[str, Any], configuration: dict[str, Any]) -> None:
    """Store the options of a command in its folder, so that it can be resumed without repeating them.

    Args:
        path: the folder, locked.
        command: name of the command.
        values: values of its options.
        configuration: everything that its results depend on.

    Raises:
        UserError: the folder contains something else, or the same command was started with another configuration.
    """
    check_output_folder(path, COMMAND)
    record = {"command": command, "values": values, "configuration": configuration}
    if (path / COMMAND).exists():
        before = read_record(
            path / COMMAND, CommandRecord, "not the record of a command (give another folder, or none)"
        )
        complete = before.get("configuration") is not None
        then = before["configuration"] if complete else before["values"]
        if before["command"] != command:
            raise UserError(f"--out {path}: a folder of `cortexsim {before['command']}` (give another folder, or none)")
        if difference := _difference(then, configuration if complete else values):
            raise UserError(f"--out {path}: was started with {difference} (give another folder, or none)")
    write_record(path / COMMAND, record)


def recorded_values(path: Path, command: str) -> dict[str, Any]:
    """Return the values of options that `record_command` has stored.

    Raises:
        UserError: the folder was not written by this command.
    """
    record = read_record(path / COMMAND, CommandRecord, f"not a folder of `cortexsim {command}`")
    if record["command"] != command:
        raise UserError(
            f"{path / COMMAND}: written by `cortexsim {record['command']}`"
            f" (cortexsim {record['command']} --resume {path})"
        )
    return dict(record["values"])


def _difference(then: Any, now: Any, where: str = "") -> str:
    """Describe the first difference between two configurations, apart from descriptions of models; empty if none."""
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
