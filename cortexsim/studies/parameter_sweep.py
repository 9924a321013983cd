"""Sweeps: one model with many values, over seeds; each point is a run in a folder of its own."""

import itertools
import json
import re
import threading
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cortexsim.analysis.summary import Spread
from cortexsim.config.overrides import changed, parse_assignment
from cortexsim.config.provenance import versions
from cortexsim.config.registry import find_model
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError, error_prefix
from cortexsim.execution.local import spread
from cortexsim.execution.scheduler import Watch
from cortexsim.report.console import new_table
from cortexsim.storage.atomic_io import write_json
from cortexsim.storage.folders import FAILED, PLAN, POINTS, check_output_folder, locked
from cortexsim.storage.records import ClosedRecord, NonNegativeInt, PositiveInt, Target, Text, read_record, write_record
from cortexsim.storage.run_directory import RunFolder
from cortexsim.studies.test_size import checked_test_size
from cortexsim.training.checkpointing import EVERY, PATIENCE, run_with_checkpoints
from cortexsim.training.measurement import prepare

_ONE_AT_A_TIME = threading.Lock()  # A Dask worker may have several threads; torch counts its own for all of them.


class GridRecord(ClosedRecord):
    """The file ``sweep.json``."""

    model: Text
    together: list[Text]
    grid: list[Text]
    seeds: PositiveInt
    samples: PositiveInt | None
    grammar_seed: NonNegativeInt
    device: Text
    target: Target


@dataclass(frozen=True)
class Grid:
    """Say what is swept.

    Attributes:
        model: name, or path of a TOML file.
        together: ``KEY=VALUE,VALUE``; several are taken side by side, first with first.
        grid: ``KEY=VALUE,VALUE``; each is taken with every value of all others.
        seeds: repetitions; repetition k has seed k and the grammar seed of the first plus k.
        samples: training samples; the model's own unless given.
        grammar_seed: seed of the first grammar.
        device: where it runs.
        target: of layers in Brian2.
    """

    model: str
    together: Sequence[str] = ()
    grid: Sequence[str] = ()
    seeds: int = 1
    samples: int | None = None
    grammar_seed: int = 0
    device: str = "cpu"
    target: str = "cpp"

    def values(self) -> list[dict[str, Any]]:
        """List what the points set, without their seeds.

        Raises:
            UserError: where values cannot be read, or lists that are taken together differ in length.
        """
        together, grid = _once("--set", self.together), _once("--grid", self.grid)
        if twice := together.keys() & grid.keys():
            raise UserError(f"--grid {min(twice)}: given with --set too (one of them)")
        lengths = {len(values) for values in together.values()}
        longest = max(lengths, default=1)
        if lengths - {1, longest}:
            counts = ", ".join(f"{key} has {len(values)}" for key, values in together.items())
            raise UserError(f"--set: values are taken side by side, but {counts} (--grid takes each with each)")
        rows = [{k: v[index % len(v)] for k, v in together.items()} for index in range(longest)]
        crossed = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
        return [row | other for row in rows for other in crossed]

    def points(self) -> dict[str, tuple[dict[str, Any], Trial]]:
        """Name every point, each with its values and its trial.

        Raises:
            UserError: where one of them cannot be.
        """
        found: dict[str, tuple[dict[str, Any], Trial]] = {}
        start = find_model(self.model)
        for values in self.values():
            said = " ".join(f"{key}={value}" for key, value in values.items())
            with error_prefix(f"point {said}" if said else f"{self.model}"):
                model = changed(start, values)
                task = model.own_task()
                samples = self.samples or model.training.samples
                test = checked_test_size(task, samples)
            for seed in range(self.seeds):
                grammar = self.grammar_seed + seed
                trial = Trial(model, task, samples, test, grammar, seed, self.device, self.target)
                found[_folder_name({**values, "seed": seed}, trial)] = {**values, "seed": seed}, trial
        return found


def read_plan(out: Path) -> Grid:
    """Read what a sweep's folder is to hold.

    Raises:
        UserError: where it is none.
    """
    return Grid(**read_record(out / PLAN, GridRecord, "not a sweep"))


def run_grid(plan: Grid, out: Path, console: Console, workers: int, cluster: str | None = None) -> list[Row]:
    """Run every point that is not done, and write ``result.json``; a point that fails does not stop the rest.

    Args:
        plan: what is swept.
        out: folder; points that it holds already are not computed again.
        console: where progress goes.
        workers: processes on this machine.
        cluster: address of a Dask scheduler, whose workers see the same folder.

    Returns:
        The rows, each with its ``point``; those of points that failed have an ``error``.
    """
    points = plan.points()
    check_output_folder(out, PLAN)
    asked = json.loads(json.dumps(asdict(plan)))
    if (out / PLAN).exists():
        before = asdict(read_plan(out))
        if other := next((key for key in asked if before[key] != asked[key]), None):
            said = {"together": "--set"}.get(other, f"--{other.replace('_', '-')}")
            change = f"{said} {before[other]}, not {asked[other]}"
            raise UserError(f"--out {out}: holds a sweep with {change} (give another folder, or none)")
    (out / POINTS).mkdir(parents=True, exist_ok=True)
    write_record(out / PLAN, asked)
    folders = {name: (out / POINTS / name).resolve() for name in points}
    rows = {name: row for name in points if (row := _done(folders[name])) is not None}
    left = {name: (name, folders[name], trial) for name, (_, trial) in points.items() if name not in rows}
    ordered, side_by_side = (
        dict(sorted(left.items(), key=lambda item: -item[1][2].cost)),
        max(1, min(workers, len(left))),
    )
    with Watch(
        console, {name: trial for name, _, trial in ordered.values()}, len(rows), 0 if cluster else side_by_side
    ) as watch:
        for row in spread(run_point, ordered, side_by_side, cluster, watch.say):
            rows[row["key"]] = row
            watch.tell(row)
    found = [{"point": values, **rows[name]} for name, (values, _) in points.items()]
    write_json(out / "result.json", {"rows": found, "versions": versions(), "configuration": asdict(plan)})
    return found


def run_point(name: str, path: Path, trial: Trial) -> Row:
    """Run one point, from its newest checkpoint on; answer with its row, or with the error it ended in."""
    try:
        with _ONE_AT_A_TIME, locked(path, "cortexsim sweep --resume, and the folder of the sweep", PATIENCE):
            folder = RunFolder.begin(path, trial)
            (path / FAILED).unlink(missing_ok=True)
            row = run_with_checkpoints(folder, prepare(folder.trial), EVERY, lambda line: None)
            folder.finish(row)
    except Exception as error:  # Whatever it is, the other points have nothing to do with it.
        reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        row = {"error": " ".join(reason.split()), "traceback": traceback.format_exc()}
        if path.is_dir():
            write_record(path / FAILED, row)
    return {**row, "key": name}


def table(rows: Sequence[Row]) -> Table:
    """Set out the points: a line for all seeds of the same values."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        point = {key: value for key, value in row["point"].items() if key != "seed"}
        groups.setdefault(json.dumps(point), []).append(row)
    values = {key: {str(row["point"][key]) for row in rows} for key in rows[0]["point"] if key != "seed"}
    keys = [key for key, several in values.items() if len(several) > 1]
    same = ", ".join(f"{key} = {min(several)}" for key, several in values.items() if key not in keys)
    title = f"Sweep ({same})" if same else "Sweep"
    printed = new_table(title, [*keys, "test accuracy", "decoding, by layer", "runs", "failed"], left=len(keys))
    for several in groups.values():
        done = [row for row in several if "error" not in row]
        accuracy = str(Spread.of([row["accuracy"] for row in done])) if done else "-"
        layers = zip(*(row["decoding"] for row in done), strict=True)
        decoding = " / ".join(f"{sum(layer) / len(layer):.2f}" for layer in layers) or "-"
        shown = [str(several[0]["point"][key]) for key in keys]
        printed.add_row(*shown, accuracy, decoding, str(len(done)), str(len(several) - len(done)))
    return printed


def _once(option: str, texts: Sequence[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for text in texts:
        key, values = parse_assignment(option, text)
        if key in found:
            raise UserError(f"{option} {key}: given twice (give all its values at once, with commas between)")
        found[key] = values
    return found


def _done(path: Path) -> Row | None:
    """Give the row of a point that is finished, as this code would make it."""
    if not (path / "result.json").exists():
        return None
    try:
        folder = RunFolder(path)
        folder.check()
        row = folder.result
    except UserError:  # Run again, to the same row; or, where that cannot be, said of this point alone.
        return None
    return None if row is None else {**row, "key": path.name}


def _folder_name(values: dict[str, Any], trial: Trial) -> str:
    name = ",".join(f"{key}={value}" for key, value in values.items())
    plain = re.sub(r"[^\w.=+,-]+", "-", name)
    return plain if plain == name and len(name) < 120 else f"{plain[:100]}-{trial.key}"
