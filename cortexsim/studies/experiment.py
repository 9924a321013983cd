"""Experiments: several comparisons under one claim, as a folder of `experiments/` writes them down."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from rich.console import Console

from cortexsim.analysis import panels
from cortexsim.analysis.plots import Draw
from cortexsim.analysis.summary import Summary, summarise
from cortexsim.config.overrides import variants
from cortexsim.config.own_tasks import check_model_tasks, check_no_task_keys
from cortexsim.config.provenance import versions
from cortexsim.config.registry import find_experiment_file, find_model
from cortexsim.config.schema import TaskTable
from cortexsim.config.trial import Row, Trial
from cortexsim.config.validation import read
from cortexsim.config.values import Count, Seed, Table
from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.report import markdown
from cortexsim.storage import committed_rows
from cortexsim.storage.atomic_io import write_figures, write_json
from cortexsim.studies.comparison import Comparison, compare, configuration, draw
from cortexsim.studies.criterion import VerdictTable, verdict
from cortexsim.tasks.rhm import Hierarchy, laws


class ComparisonTable(Table):
    """One comparison of an experiment; it is written into a folder of its name.

    ``change`` gives each model each of several values, by dotted keys; ``controls`` are models left as they are.
    """

    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    models: list[str] | None = Field(default=None, min_length=1)
    controls: list[str] = Field(default_factory=list)
    change: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    samples: list[Count] = Field(min_length=1)
    seeds: Count = 3
    repeats: Count = 1
    grammar_seed: Seed = 0
    task: TaskTable = TaskTable()


class FigureTable(Table):
    """Learners that are drawn together: one row of the experiment's figures."""

    title: str
    models: list[str] = Field(min_length=1)


class Experiment(Table):
    """The comparisons that a claim stands on; fewer, smaller ones for a quick look; and what is made of them.

    ``models`` are those of every comparison that names none of its own.
    ``alignment`` names the comparison whose learners' updates are drawn beside those of backpropagation.
    """

    description: str
    models: list[str] = Field(default_factory=list)
    comparison: list[ComparisonTable] = Field(min_length=1)
    quick: list[ComparisonTable] = Field(default_factory=list)
    row: list[FigureTable] = Field(default_factory=list)
    verdict: VerdictTable | None = None
    alignment: str | None = None


def find_experiment(name: str) -> tuple[Experiment, Path]:
    """Read an experiment by its name, or by the path of its folder; answer with it and its folder.

    Raises:
        UserError: one line naming file, key and value.
    """
    path = find_experiment_file(name)
    return read(path, Experiment), path.parent


def planned(name: str, console: Console, quick: bool, device: str) -> tuple[dict[str, Any], Callable[..., str]]:
    """Read an experiment; answer with all that it is made of, and with what runs it.

    The latter takes the folder, the console and the workers, and names what was written there.
    """
    experiment, beside = find_experiment(name)
    console.print(experiment.description)
    several = comparisons(experiment, beside, device, quick)
    made_of = {name: configuration(comparison) for name, comparison in several.items()}
    return made_of, partial(_perform, experiment, several)


def _perform(experiment: Experiment, planned: dict[str, Comparison], out: Path, console: Console, workers: int) -> str:
    run_experiment(experiment, planned, out, console, workers)
    return f"result.json, {committed_rows.ROWS}, and a folder for each comparison"


def comparisons(
    experiment: Experiment, beside: Path, device: str = "cpu", quick: bool = False
) -> dict[str, Comparison]:
    """Turn the tables of an experiment into comparisons, by name; models ending in .toml lie beside the experiment.

    Raises:
        UserError: where a quick look is asked of an experiment that has none.
    """
    if quick and not experiment.quick:
        raise UserError(f"--quick: experiment '{beside.name}' has no quick form (leave it out)")
    tables = experiment.quick if quick else experiment.comparison
    if bare := [table.name for table in tables if not (table.models or experiment.models)]:
        raise UserError(f"experiment '{beside.name}': comparison '{bare[0]}' names no models (models = [...])")
    planned: dict[str, Comparison] = {}
    for table in tables:
        with error_prefix(f"experiment '{beside.name}': comparison '{table.name}'"):
            if table.name in planned:
                raise UserError("name: given more than once")
            planned[table.name] = _comparison(table, experiment, beside, device)
            planned[table.name].check()
    with error_prefix(f"experiment '{beside.name}'"):
        _check_names(experiment, planned)
    return planned


def _comparison(table: ComparisonTable, experiment: Experiment, beside: Path, device: str) -> Comparison:
    with error_prefix("models"):
        models = [find_model(name, beside) for name in table.models or experiment.models]
    with error_prefix("controls"):
        controls = [find_model(name, beside) for name in table.controls]
    points: dict[str, tuple[str, Mapping[str, str]]] = {}
    check_no_task_keys(table.change, "change")
    check_model_tasks([*models, *controls], task := table.task.build(beside))
    if table.change:
        several = [variants(model, table.change) for model in models]
        points = {
            one.name: (model.name, values)
            for model, found in zip(models, several, strict=True)
            for one, values in found
        }
        models = [one for found in several for one, _ in found]
    return Comparison(
        models=(*models, *controls),
        points=points,
        task=task,
        samples=tuple(sorted(set(table.samples))),
        seeds=table.seeds,
        repeats=table.repeats,
        grammar_seed=table.grammar_seed,
        device=device,
    )


def _check_names(experiment: Experiment, planned: dict[str, Comparison]) -> None:
    """See that what is to be judged and drawn is there."""
    for name, comparison in planned.items():
        models = [model.name for model in comparison.models]
        if experiment.verdict is not None and (reference := experiment.verdict.reference) not in models:
            raise UserError(
                f"verdict.reference = '{reference}': not in comparison '{name}' ({nearest(reference, models)})"
            )


def run_experiment(
    experiment: Experiment, planned: dict[str, Comparison], out: Path, console: Console, workers: int = 0
) -> dict[str, list[Summary]]:
    """Run all comparisons, each into a folder of its name, and write ``result.json`` and the figures of them all."""
    found: dict[str, list[Summary]] = {}
    rows: dict[str, list[Row]] = {}
    for name, comparison in planned.items():
        console.print(f"{name} ({len(found) + 1} of {len(planned)})")
        rows[name], found[name] = compare(comparison, out / name, console, workers)
    judged = verdict(found, experiment.verdict) if experiment.verdict is not None else None
    result = {
        "rows": [{"comparison": name, **row} for name, several in rows.items() for row in several],
        "verdict": judged,
        "versions": versions(),
        "configuration": {name: configuration(comparison) for name, comparison in planned.items()},
    }
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "result.json", result)
    committed_rows.write(out, _kept(experiment, planned, rows))
    write_figures(_figures(experiment, planned, rows), out)
    for line in judged["says"] if judged else []:
        console.print(line)
    return found


def again(path: Path, found: committed_rows.StoredRows) -> tuple[dict[str, str], dict[str, Draw]]:
    """Make the tables and figures of an experiment from rows alone, by name.

    Raises:
        UserError: where a row is missing.
    """
    experiment = read(path, Experiment)
    planned = comparisons(experiment, path.parent)
    rows = {name: list(found.lookup(name)(comparison.trials(), "")) for name, comparison in planned.items()}
    tables: dict[str, str] = {}
    for name, several in rows.items():
        summaries = summarise(several)
        tables |= {name: markdown.accuracy(summaries), f"{name} layers": markdown.layers(summaries)}
    each: dict[str, Draw] = {name: partial(draw, planned[name], several) for name, several in rows.items()}
    return tables, each | _figures(experiment, planned, rows)


def _kept(
    experiment: Experiment, planned: Mapping[str, Comparison], rows: Mapping[str, Sequence[Row]]
) -> Iterator[tuple[str, Trial, Row]]:
    """List the rows of all comparisons with their trials; how updates lie only where that is drawn."""
    for name, comparison in planned.items():
        for trial, row in zip(comparison.trials(), rows[name], strict=True):
            drawn = name == experiment.alignment and trial.samples == max(comparison.samples)
            yield name, trial, row if drawn else {**row, "alignment": None}


def _figures(
    experiment: Experiment, planned: Mapping[str, Comparison], rows: Mapping[str, Sequence[Row]]
) -> dict[str, Draw]:
    """Say how to draw accuracy in units of the law, and how updates lie to those of backpropagation."""
    if not experiment.row:
        return {}
    groups = {row.title: [Path(name).stem for name in row.models] for row in experiment.row}
    tasks = {name: comparison.task for name, comparison in planned.items()}
    units = {name: laws.backpropagation(task) for name, task in tasks.items() if isinstance(task, Hierarchy)}
    chance = next(iter(rows.values()))[0]["chance"]
    found = {name: summarise(several) for name, several in rows.items()}
    figures: dict[str, Draw] = {"figure": partial(panels.in_units_of_the_law, found, units, chance, groups)}
    if experiment.alignment is not None and experiment.alignment in rows:
        largest = max(row["samples"] for row in rows[experiment.alignment])
        shown = [row for row in rows[experiment.alignment] if row["samples"] == largest]
        cosine, share = "cosine with backpropagation", "share of the input"
        figures["alignment"] = partial(panels.alignment, shown, "cosine", cosine, groups)
        figures["input_share"] = partial(panels.alignment, shown, "input_share", share, groups)
    return figures
