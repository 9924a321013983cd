"""Parameter sweeps: one model with many settings, over seeds; each point is a run in a folder of its own."""

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from cortexsim.analysis.summary import Spread
from cortexsim.config.overrides import changed, parse_assignment
from cortexsim.config.registry import find_model
from cortexsim.config.targets import Target
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError, error_prefix
from cortexsim.report.console import new_table
from cortexsim.storage.folders import PLAN, POINTS, check_output_folder
from cortexsim.storage.records import ClosedRecord, NonNegativeInt, PositiveInt, Text, read_record, write_record
from cortexsim.studies.engine import Engine, write_result
from cortexsim.studies.test_size import checked_test_size


class SweepRecord(ClosedRecord):
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
class ParameterSweep:
    """What is swept.

    >>> sweep = ParameterSweep("clapp", grid=["training.eta=0.001,0.003", "network.cells=32,64"], seeds=2)
    >>> len(sweep.points())
    8
    >>> sweep.values()[0]
    {'training.eta': 0.001, 'network.cells': 32}

    Attributes:
        model: name, or path of a TOML file.
        together: ``KEY=VALUE,VALUE``; the values of several keys are paired, first with first.
        grid: ``KEY=VALUE,VALUE``; each value is combined with every value of all other keys.
        seeds: repetitions; repetition k has seed k and the grammar seed of the first plus k.
        samples: training samples; the model's own number unless given.
        grammar_seed: seed of the first grammar.
        device: ``cpu``, ``cuda`` or ``mps``.
        target: code generation target of Brian2 layers: ``cpp``, ``cython`` or ``numpy``.
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
        """The settings of every point by dotted key, without seeds.

        Raises:
            UserError: where values cannot be read, or lists that are paired differ in length.
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
        """Every point by the name of its folder: its settings and seed, and its trial.

        Raises:
            UserError: where one of them is impossible.
        """
        found: dict[str, tuple[dict[str, Any], Trial]] = {}
        start = find_model(self.model)
        for values in self.values():
            point = " ".join(f"{key}={value}" for key, value in values.items())
            with error_prefix(f"point {point}" if point else f"{self.model}"):
                model = changed(start, values)
                task = model.own_task()
                samples = self.samples or model.training.samples
                test = checked_test_size(task, samples)
            for seed in range(self.seeds):
                grammar = self.grammar_seed + seed
                trial = Trial(model, task, samples, test, grammar, seed, self.device, self.target)
                found[_folder_name({**values, "seed": seed}, trial)] = {**values, "seed": seed}, trial
        return found


def read_plan(out: Path) -> ParameterSweep:
    """Read the plan of a sweep from its folder.

    Raises:
        UserError: where it holds no sweep.
    """
    return ParameterSweep(**read_record(out / PLAN, SweepRecord, "not a sweep"))


def run_sweep(plan: ParameterSweep, engine: Engine) -> list[Row]:
    """Run every point that is not finished, and write ``result.json``; a point that fails does not stop the others.

    Args:
        plan: what is swept.
        engine: runs the points.

    Returns:
        The rows, each with its ``point``; those of points that failed have an ``error`` instead of measurements.

    Raises:
        UserError: where the engine's folder holds another sweep, or something else.
    """
    points, out = plan.points(), engine.out
    check_output_folder(out, PLAN)
    asked = json.loads(json.dumps(asdict(plan)))
    if (out / PLAN).exists():
        before = asdict(read_plan(out))
        if other := next((key for key in asked if before[key] != asked[key]), None):
            option = {"together": "--set"}.get(other, f"--{other.replace('_', '-')}")
            change = f"{option} {before[other]}, not {asked[other]}"
            raise UserError(f"--out {out}: holds a sweep with {change} (give another folder, or none)")
    (out / POINTS).mkdir(parents=True, exist_ok=True)
    write_record(out / PLAN, asked)
    rows = engine.in_folders({name: trial for name, (_, trial) in points.items()})
    found = [{"point": values, **rows[name]} for name, (values, _) in points.items()]
    write_result(out, found, asdict(plan))
    return found


def table(rows: Sequence[Row]) -> Table:
    """Tabulate the points: a line for all seeds of the same settings."""
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


def _folder_name(values: dict[str, Any], trial: Trial) -> str:
    name = ",".join(f"{key}={value}" for key, value in values.items())
    plain = re.sub(r"[^\w.=+,-]+", "-", name)
    return plain if plain == name and len(name) < 120 else f"{plain[:100]}-{trial.key}"
