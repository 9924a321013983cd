"""Experiments: several comparisons under one claim, as a folder of `experiments/` writes them down."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from rich.console import Console

from cortexsim.analysis.summary import Summary
from cortexsim.errors import UserError, nearest
from cortexsim.hierarchy import Hierarchy
from cortexsim.runs.compare import Comparison, compare
from cortexsim.runs.configuration import Count, HierarchyTable, Table
from cortexsim.runs.explain import explain
from cortexsim.runs.locate import find_model, folder

FILE = "comparisons.toml"


class ComparisonTable(Table):
    """One comparison of an experiment; it is written into a folder of its name."""

    name: str
    models: list[str] = Field(min_length=1)
    samples: list[Count] = Field(min_length=1)
    seeds: Count = 3
    grammar_seed: Annotated[int, Field(ge=0)] = 0
    hierarchy: HierarchyTable = HierarchyTable()


class Experiment(Table):
    """The comparisons that a claim stands on."""

    description: str
    comparison: list[ComparisonTable] = Field(min_length=1)


def experiment_paths() -> dict[str, Path]:
    """List the package's experiments by name."""
    return {path.parent.name: path for path in sorted(folder("experiments").glob(f"*/{FILE}"))}


def find_experiment(name: str) -> tuple[Experiment, Path]:
    """Read an experiment by its name, or by the path of its folder; answer with it and its folder.

    Raises:
        UserError: one line naming file, key and value.
    """
    path = Path(name) / FILE if "/" in name else experiment_paths().get(name)
    if path is None:
        known = experiment_paths()
        raise UserError(f"experiment '{name}' is not known ({nearest(name, known)}; or give the path of its folder)")
    try:
        return Experiment.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))), path.parent
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: {error.strerror if isinstance(error, OSError) else error}") from None
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, Experiment)}") from None


def comparisons(experiment: Experiment, beside: Path, device: str = "cpu") -> dict[str, Comparison]:
    """Turn the tables of an experiment into comparisons, by name; models ending in .toml lie beside the experiment."""
    return {
        table.name: Comparison(
            models=tuple(find_model(str(beside / name) if name.endswith(".toml") else name) for name in table.models),
            hierarchy=Hierarchy(**table.hierarchy.model_dump(exclude_none=True)),
            samples=tuple(sorted(set(table.samples))),
            seeds=table.seeds,
            grammar_seed=table.grammar_seed,
            device=device,
        )
        for table in experiment.comparison
    }


def run_experiment(
    planned: dict[str, Comparison], out: Path, console: Console, workers: int = 0
) -> dict[str, list[Summary]]:
    """Run all comparisons, each into a folder of its name."""
    for comparison in planned.values():
        comparison.check()
    found: dict[str, list[Summary]] = {}
    for name, comparison in planned.items():
        console.print(f"{name} ({len(found) + 1} of {len(planned)})")
        found[name] = compare(comparison, out / name, console, workers)
    return found
