"""Random search of hyper-parameters, as many draws for every model: a comparison is only as fair as its search."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from rich.console import Console
from rich.table import Table as Printed

from cortexsim.errors import about
from cortexsim.hierarchy import Hierarchy
from cortexsim.runs.change import changed
from cortexsim.runs.configuration import Count, HierarchyTable, Model, Table, resolved
from cortexsim.runs.explain import read
from cortexsim.runs.files import write_json
from cortexsim.runs.locate import find_model
from cortexsim.runs.record import Ledger
from cortexsim.runs.schedule import run_all
from cortexsim.runs.tell import new_table
from cortexsim.runs.trial import Row, Trial
from cortexsim.seeds import stream

Choices = dict[str, list[Any]]


class Search(Table):
    """A search: which models, over which values, on which grammars (to be used for nothing else).

    Values are drawn from ``space``, and from ``also`` for one model; or else ``candidates`` lists them.
    """

    description: str = ""
    models: list[str]
    draws: Count = 1
    samples: list[Count]
    grammar_seeds: list[int]
    test_samples: Count = 2048
    seed: int = 0
    hierarchy: HierarchyTable = HierarchyTable()
    space: Choices = Field(default_factory=dict)
    also: dict[str, Choices] = Field(default_factory=dict)
    candidates: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)

    _beside: Path = Path()

    def model(self, name: str) -> Model:
        """Find one of its models; those ending in .toml lie beside its file."""
        with about("models"):
            return find_model(name, self._beside)


def read_search(path: Path) -> Search:
    """Read the file of a search.

    Raises:
        UserError: one line naming file, key and value.
    """
    found = read(path, Search)
    found._beside = path.parent
    return found


def configuration(plan: Search) -> dict[str, Any]:
    """Write out all that a search depends on, the models that it starts from too."""
    return {**plan.model_dump(mode="json"), "start": [resolved(plan.model(name)) for name in plan.models]}


def search(plan: Search, out: Path, console: Console, workers: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Try as many draws for each model, score each by its mean accuracy, and write ``outcome.json``, best first."""
    hierarchy = Hierarchy(**plan.hierarchy.model_dump(exclude_none=True))
    drawn = {name: _draws(plan, name) for name in plan.models}
    trials = {
        (name, index): [
            Trial(changed(plan.model(name), values), hierarchy, samples, plan.test_samples, grammar, seed)
            for samples in plan.samples
            for seed, grammar in enumerate(plan.grammar_seeds, plan.seed)
        ]
        for name, draws in drawn.items()
        for index, values in enumerate(draws)
    }
    out.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(out / "rows.jsonl")
    run_all([trial for several in trials.values() for trial in several], ledger, console, workers)
    outcome: dict[str, list[dict[str, Any]]] = {name: [] for name in plan.models}
    for (name, index), several in trials.items():
        rows = [ledger.rows[trial.key] for trial in several]
        outcome[name].append({"values": drawn[name][index], **_score(rows, plan.samples)})
    for found in outcome.values():
        found.sort(key=lambda entry: -entry["score"])
    write_json(out / "outcome.json", {"search": plan.model_dump(), "outcome": outcome})
    return outcome


def table(outcome: Mapping[str, list[dict[str, Any]]], most: int = 3) -> Printed:
    """Set out the best draws of each model."""
    printed = new_table("Best draws", ["model", "mean accuracy", "by samples", "values"], left=4)
    for name, found in outcome.items():
        for entry in found[:most]:
            values = ", ".join(f"{key} = {value}" for key, value in entry["values"].items())
            by_samples = ", ".join(f"{samples}: {accuracy:.3f}" for samples, accuracy in entry["accuracy"].items())
            printed.add_row(name, f"{entry['score']:.3f}", by_samples, values)
    return printed


def _score(rows: list[Row], samples: list[int]) -> dict[str, Any]:
    by_samples = {n: float(np.mean([row["accuracy"] for row in rows if row["samples"] == n])) for n in samples}
    return {
        "score": float(np.mean(list(by_samples.values()))),
        "worst": {str(n): min(row["accuracy"] for row in rows if row["samples"] == n) for n in samples},
        "accuracy": {str(n): round(value, 4) for n, value in by_samples.items()},
        "seconds": float(np.mean([row["seconds"] for row in rows])),
    }


def _draws(plan: Search, name: str) -> list[dict[str, Any]]:
    if name in plan.candidates:
        return plan.candidates[name]
    choices = {**plan.space, **plan.also.get(name, {})}
    generator = stream(plan.seed, "search", name)
    return [{key: _pick(values, generator) for key, values in choices.items()} for _ in range(plan.draws)]


def _pick(values: list[Any], generator: np.random.Generator) -> Any:
    return values[int(generator.integers(len(values)))]
