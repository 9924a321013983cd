"""Random search of hyperparameters, with the same number of draws for every model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator
from rich.table import Table as Printed

from cortexsim.config.overrides import changed
from cortexsim.config.own_tasks import check_model_tasks, check_no_task_keys
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model, TaskTable, resolved
from cortexsim.config.trial import Row, Trial
from cortexsim.config.validation import read
from cortexsim.config.values import Count, Seed, Table
from cortexsim.errors import error_prefix, nearest
from cortexsim.report.console import new_table
from cortexsim.seeds import stream
from cortexsim.storage.atomic_io import write_json
from cortexsim.studies.engine import Engine, write_result
from cortexsim.studies.search_space import Space, at_edges, draw
from cortexsim.tasks import Task

Entry = dict[str, Any]


class Stage(Table):
    """What draws are scored on, by mean accuracy.

    Attributes:
        samples: numbers of training samples.
        grammar_seeds: seeds of the grammars.
        keep: how many draws, the best of the stage before, go on; all by default.
    """

    samples: list[Count] = Field(min_length=1)
    grammar_seeds: list[int] = Field(min_length=1)
    keep: Count | None = None


class RandomSearch(Table):
    """The file of a search: which models, over which values, on which grammars (which nothing else should use).

    With ``stages``, each scores the best draws of the one before (successive halving: Jamieson & Talwalkar 2016).

    >>> space = {"training.eta": {"low": 0.001, "high": 0.1, "log": True}}
    >>> stages = [{"samples": [64], "grammar_seeds": [100]}, {"samples": [256], "grammar_seeds": [101], "keep": 2}]
    >>> search = RandomSearch(models=["clapp"], draws=8, stages=stages, space=space)
    >>> [stage.keep for stage in search.plan]
    [None, 2]

    Attributes:
        description: what is searched for, in a line.
        models: names of models, or paths from this file.
        draws: number of draws for each model.
        samples: numbers of training samples, where there are no stages.
        grammar_seeds: seeds of the grammars, where there are no stages.
        test_samples: number of samples that accuracy is measured on.
        seed: of the draws.
        task: by name and fields; its default is the Random Hierarchy Model.
        space: by dotted key, a list of values, or a range ``{ low = 0.01, high = 0.2, log = true }``.
        also: more of the space for single models, by their names.
        candidates: settings that are scored before the draws, by model: lists of tables with dotted keys.
    """

    description: str = ""
    models: list[str]
    draws: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    samples: list[Count] = Field(default_factory=list)
    grammar_seeds: list[Seed] = Field(default_factory=list)
    stages: list[Stage] = Field(default_factory=list)
    test_samples: Count = 2048
    seed: Seed = 0
    task: TaskTable = TaskTable()
    space: Space = Field(default_factory=dict)
    also: dict[str, Space] = Field(default_factory=dict)
    candidates: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)

    _beside: Path = Path()

    @model_validator(mode="after")
    def _one_plan(self) -> "RandomSearch":
        if bool(self.stages) == bool(self.samples and self.grammar_seeds):
            raise ValueError("give either samples and grammar_seeds, or [[stages]] that have them")
        return self

    @model_validator(mode="after")
    def _of_its_models(self) -> "RandomSearch":
        names = [Path(name).stem for name in self.models]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"models: two are named '{twice}' (files with different names, each once)")
        for key, tables in {"also": set(self.also), "candidates": set(self.candidates)}.items():
            if unknown := sorted(tables - set(self.models)):
                raise ValueError(f"{key}.{unknown[0]}: no such model in models ({nearest(unknown[0], self.models)})")
        return self

    def model(self, name: str) -> Model:
        """Read one of its models; paths of .toml files are relative to its own file."""
        with error_prefix("models"):
            return find_model(name, self._beside)

    @property
    def plan(self) -> list[Stage]:
        """The stages; a single one where the file names none."""
        return self.stages or [Stage(samples=self.samples, grammar_seeds=self.grammar_seeds)]

    def spaces(self, name: str) -> Space:
        """The space from which the values of one model are drawn."""
        return {**self.space, **self.also.get(name, {})}


def read_search(path: Path) -> RandomSearch:
    """Read the file of a search.

    Raises:
        UserError: one line naming file, key and value.
    """
    found = read(path, RandomSearch)
    found._beside = path.parent
    return found


def configuration(plan: RandomSearch) -> dict[str, Any]:
    """Everything that the rows of a search depend on, as JSON has it."""
    return {**plan.model_dump(mode="json"), "start": [resolved(plan.model(name)) for name in plan.models]}


def search(plan: RandomSearch, engine: Engine) -> dict[str, list[Entry]]:
    """Score the draws of each model stage by stage, and write ``outcome.json`` and ``result.json``.

    Args:
        plan: models, space and stages.
        engine: runs the trials.

    Returns:
        The draws of each model: those that reached the latest stage first, in order of their scores there.

    Raises:
        UserError: where a model has no such setting, or a value is impossible.
    """
    drawn = {name: _draws(plan, name) for name in plan.models}
    start = {name: plan.model(name) for name in plan.models}
    models = {name: [changed(start[name], values) for values in draws] for name, draws in drawn.items()}
    outcome: dict[str, list[Entry]] = {
        name: [{"values": values, "draw": index} for index, values in enumerate(draws)] for name, draws in drawn.items()
    }
    keys = (key for draws in drawn.values() for values in draws for key in values)
    check_no_task_keys(keys, "space, also, candidates")
    task = plan.task.build(plan._beside)
    check_model_tasks([model for several in models.values() for model in several], task)
    rows: list[Row] = []
    for number, stage in enumerate(plan.plan, 1):
        left = {name: entries[: stage.keep] for name, entries in outcome.items()}
        trials = {
            (name, entry["draw"]): _trials(plan, stage, task, models[name][entry["draw"]])
            for name, entries in left.items()
            for entry in entries
        }
        before = f"stage {number}: " if plan.stages else ""
        answers = iter(engine([trial for several in trials.values() for trial in several], before))
        for name, entries in left.items():
            for entry in entries:
                several = [next(answers) for _ in trials[name, entry["draw"]]]
                label = {"stage": number, "draw": entry["draw"], "point": entry["values"]}
                rows += [label | row for row in several]
                entry |= {"stage": number, **_score(several, stage.samples)}
            outcome[name].sort(key=lambda entry: (-entry["stage"], -entry["score"]))
    for name, entries in outcome.items():
        for entry in entries:
            entry["at_edge"] = at_edges(entry["values"], plan.spaces(name))
    named = {Path(name).stem: entries for name, entries in outcome.items()}
    write_result(engine.out, rows, configuration(plan))
    write_json(engine.out / "outcome.json", {"search": plan.model_dump(), "outcome": named})
    return outcome


def table(outcome: Mapping[str, list[Entry]], most: int = 3) -> Printed:
    """Tabulate the best draws of each model; a value at an edge of its space is marked.

    Args:
        outcome: what `search` returns.
        most: draws per model.
    """
    printed = new_table("Best draws", ["model", "mean accuracy", "by samples", "values (* at an edge)"], left=4)
    for name, found in outcome.items():
        for entry in found[:most]:
            marks = {key: "*" if key in entry["at_edge"] else "" for key in entry["values"]}
            values = ", ".join(f"{key} = {value}{marks[key]}" for key, value in entry["values"].items())
            by_samples = ", ".join(f"{samples}: {accuracy:.3f}" for samples, accuracy in entry["accuracy"].items())
            printed.add_row(name, f"{entry['score']:.3f}", by_samples, values)
    return printed


def _trials(plan: RandomSearch, stage: Stage, task: Task, model: Model) -> list[Trial]:
    return [
        Trial(model, task, samples, plan.test_samples, grammar, seed)
        for samples in stage.samples
        for seed, grammar in enumerate(stage.grammar_seeds, plan.seed)
    ]


def _score(rows: list[Row], samples: list[int]) -> Entry:
    by_samples = {n: float(np.mean([row["accuracy"] for row in rows if row["samples"] == n])) for n in samples}
    return {
        "score": float(np.mean(list(by_samples.values()))),
        "worst": {str(n): min(row["accuracy"] for row in rows if row["samples"] == n) for n in samples},
        "accuracy": {str(n): round(value, 4) for n, value in by_samples.items()},
        "seconds": float(np.mean([row["seconds"] for row in rows])),
    }


def _draws(plan: RandomSearch, name: str) -> list[dict[str, Any]]:
    space, generator = plan.spaces(name), stream(plan.seed, "search", Path(name).stem)
    return plan.candidates.get(name, []) + [draw(space, generator) for _ in range(plan.draws if space else 0)]
