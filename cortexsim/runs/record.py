"""What is kept of a run: finished rows, versions, and the folder they are in."""

import json
from pathlib import Path
from typing import Any

from cortexsim.errors import UserError
from cortexsim.runs.files import write_json, write_whole
from cortexsim.runs.trial import Row

COMMAND = "command.json"


class Ledger:
    """Keep finished rows in a file, one JSON object a line, so that an interrupted run goes on where it stood.

    Args:
        path: of the file; rows that are there already are not computed again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        if path.exists():
            text = path.read_text(encoding="utf-8")
            whole = text[: text.rfind("\n") + 1]
            if whole != text:  # Half a line of a run that was killed: the next row would be lost with it.
                write_whole(path, whole.encode())
            for line in whole.splitlines():
                if (row := _parsed(line)) is not None:
                    self.rows[row["key"]] = row

    def add(self, row: Row) -> None:
        """Write a row down at once."""
        self.rows[row["key"]] = row
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def open_folder(path: Path) -> Path:
    """Make a folder for results, and see that it can be written to.

    Raises:
        UserError: where that cannot be.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / ".write").touch()
        (path / ".write").unlink()
    except OSError as error:
        raise UserError(f"--out {path}: {error.strerror}") from None
    return path


def note(path: Path, command: str, values: dict[str, Any]) -> None:
    """Write down what a command was asked for, so that it can go on by its folder alone.

    Raises:
        UserError: where the folder cannot be written to.
    """
    open_folder(path)
    write_json(path / COMMAND, {"command": command, "values": values})


def noted(path: Path, command: str) -> dict[str, Any]:
    """Read what `note` wrote.

    Raises:
        UserError: where the folder is none of this command's.
    """
    try:
        found = json.loads((path / COMMAND).read_text(encoding="utf-8"))
        if found["command"] != command:
            raise UserError(f"{path}: of `cortexsim {found['command']}` (cortexsim {found['command']} --resume {path})")
        return dict(found["values"])
    except OSError as error:
        raise UserError(f"{path / COMMAND}: {error.strerror}; not a folder of `cortexsim {command}`") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path / COMMAND}: damaged (give the command again, with --out {path})") from None


def _parsed(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and "key" in row else None
