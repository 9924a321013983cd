"""The list of all experiments: how each is run again, how long that takes, and what it was measured on."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cortexsim.config.registry import experiment_paths
from cortexsim.report import markdown
from cortexsim.storage.committed_rows import ROWS, read_rows

FILE = "REPRODUCING.md"
HEAD = ("experiment", "command", "time", "rows", "grammar seeds", "seeds", "figures")
COMMAND = r"^cortexsim experiment {name}(?P<options>[^#\n]*)(?:#\s*(?P<comment>.*))?$"
UNITS = re.compile(r"second|minute|hour")


def listed(text: str) -> str:
    """Write the table of all experiments into the text of ``REPRODUCING.md``."""
    return markdown.fill(text, {"experiments": experiments_table()})


def experiments_table() -> str:
    """Tabulate all experiments in Markdown, from their READMEs and committed rows."""
    lines = [HEAD, ("---",) * len(HEAD), *(_line(path.parent) for path in experiment_paths().values())]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _line(folder: Path) -> tuple[str, ...]:
    rows = read_rows(folder / ROWS)
    figures = ", ".join(f"`{path.name}`" for path in sorted(folder.glob("*.png")))
    text = (folder / "README.md").read_text(encoding="utf-8")
    return (
        f"[`{folder.name}`](experiments/{folder.name}/README.md)",
        f"`cortexsim experiment {folder.name}`",
        stated_time(text, folder.name) or "-",
        str(len(rows)),
        _range(row.get("grammar_seed") for row in rows),
        _range(row.get("seed") for row in rows),
        figures or "-",
    )


def stated_time(readme: str, name: str) -> str:
    """Return how long a README says that an experiment takes, beside its command; empty if it does not.

    >>> stated_time("cortexsim experiment mine --quick # a minute\\ncortexsim experiment mine  # all: an hour", "mine")
    'an hour'
    """
    for match in re.finditer(COMMAND.format(name=re.escape(name)), readme, re.MULTILINE):
        comment = (match["comment"] or "").rpartition(": ")[2]
        if "--quick" not in match["options"] and "--from-rows" not in match["options"] and UNITS.search(comment):
            return comment.strip()
    return ""


def _range(values: Iterable[Any]) -> str:
    """Write whole numbers as ranges.

    >>> _range([0, 1, 2, 7, None])
    '0 to 2, 7'
    """
    runs: list[list[int]] = []
    for value in sorted({value for value in values if value is not None}):
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in runs) or "-"
