"""Experiments that a Python file defines: what is measured, and the tables and figures of what was measured."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cortexsim.analysis.plots import Draw
from cortexsim.config.provenance import code_digest
from cortexsim.errors import UserError
from cortexsim.storage import committed_rows
from cortexsim.storage.atomic_io import write_figures
from cortexsim.storage.ledger import Ledger
from cortexsim.storage.records import CaseRecord, digest
from cortexsim.studies.chunks import Chunked, carry_out
from cortexsim.studies.engine import UNFINISHED, Engine, write_result
from cortexsim.user_files import load_variable

CASES, NAME = "cases.jsonl", "EXPERIMENT"
Case = Mapping[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """What a file ``experiment.py`` has under the name ``EXPERIMENT``.

    >>> squares = Program(
    ...     "Squares of small numbers",
    ...     cases=[{"number": 2}, {"number": 3}],
    ...     measure=lambda case: [{**case, "square": case["number"] ** 2}],
    ...     tables=lambda rows: {"squares": "\\n".join(f"| {row['number']} | {row['square']} |" for row in rows)},
    ... )
    >>> print(squares.tables([row for case in squares.cases for row in squares.measure(case)])["squares"])
    | 2 | 4 |
    | 3 | 9 |

    Attributes:
        description: what the experiment is about.
        cases: what is measured, one after the other in one process; each of values that JSON can hold.
        measure: measures a case, and returns its rows, of values that JSON can hold; or what makes them chunk by chunk.
        tables: from all rows, Markdown tables by the names that the README uses.
        figures: from all rows, by name, functions that draw the figures.
        quick: cases for a quick look; without any there is none.
    """

    description: str
    cases: Sequence[Case]
    measure: Callable[[Any], Sequence[Row] | Chunked]
    tables: Callable[[Sequence[Row]], Mapping[str, str]]
    figures: Callable[[Sequence[Row]], Mapping[str, Draw]] = lambda rows: {}
    quick: Sequence[Case] = ()


@dataclass(frozen=True)
class ProgramExperiment:
    """An experiment that a file ``experiment.py`` defines.

    Attributes:
        path: of the file.
        program: what it holds.
        cases: those that are measured.
    """

    path: Path
    program: Program
    cases: Sequence[Case]

    @classmethod
    def open(cls, path: Path, device: str = "cpu", quick: bool = False) -> "ProgramExperiment":
        """Run the file of an experiment, and take what it defines.

        Args:
            path: of the file.
            device: ``cpu``, ``cuda`` or ``mps``.
            quick: whether to take the quick look.

        Raises:
            UserError: where it cannot be run or defines no experiment, or there is no quick look, or a device is asked
                for, which no program takes.
        """
        program = load_variable(path, NAME, "experiment")
        if not isinstance(program, Program):
            raise UserError(f"experiment file '{path}': no {NAME} ({NAME} = Program(...))")
        if quick and not program.quick:
            raise UserError(f"--quick: experiment '{path.parent.name}' has no quick form (leave it out)")
        if device != "cpu":
            raise UserError(f"--device {device}: experiment '{path.parent.name}' runs on the CPU (leave it out)")
        return cls(path, program, program.quick if quick else program.cases)

    @property
    def description(self) -> str:
        """What the experiment is about."""
        return self.program.description

    @property
    def configuration(self) -> dict[str, Any]:
        """The cases that are measured."""
        return {"cases": [dict(case) for case in self.cases]}

    def run(self, engine: Engine) -> str:
        """Measure the cases that are not measured yet, print the tables, and name the files that were written."""
        ledger, console = Ledger(engine.out / CASES, CaseRecord), engine.console
        source = {"file": self.path.read_text(encoding="utf-8"), "code": code_digest()}
        keys = {digest({**source, "case": dict(case)}): case for case in self.cases}
        missing, start = [key for key in keys if key not in ledger.rows], time.monotonic()
        for number, key in enumerate(missing, 1):
            ledger.add({"key": key, "rows": list(self._rows(keys[key], key, engine))})
            left = (time.monotonic() - start) / number * (len(missing) - number)
            done = len(keys) - len(missing) + number
            console.print(f"{done}/{len(keys)} cases, {left:.0f} s left ({_named(keys[key])})", soft_wrap=True)
        rows = [row for key in keys for row in ledger.rows[key]["rows"]]
        tables, figures = self.program.tables(rows), self.program.figures(rows)
        write_result(engine.out, rows, self.configuration)
        committed_rows.write_rows(engine.out, rows)
        write_figures(figures, engine.out)
        for name, table in tables.items():
            console.print(f"\n{name}\n{table}", soft_wrap=True)
        return ", ".join(
            ["result.json", committed_rows.ROWS, *(f"{name}.{k}" for name in figures for k in ("png", "svg"))]
        )

    def _rows(self, case: Case, key: str, engine: Engine) -> Sequence[Row]:
        found = self.program.measure(case)
        if not isinstance(found, Chunked):
            return found
        say = partial(engine.console.print, soft_wrap=True)
        return carry_out(
            found, engine.out / f"{UNFINISHED}-{key}.safetensors", lambda line: say(f"{line} ({_named(case)})")
        )

    def from_rows(self, path: Path) -> tuple[dict[str, str], dict[str, Draw]]:
        """Make tables and figures from committed rows alone, by name.

        Raises:
            UserError: where the rows cannot be read.
        """
        rows = committed_rows.read_rows(path)
        return dict(self.program.tables(rows)), dict(self.program.figures(rows))


def _named(case: Case) -> str:
    return ", ".join(f"{name} {value}" for name, value in case.items())
