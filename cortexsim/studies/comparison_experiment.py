"""Experiments of comparisons: several under one claim, as a file ``comparisons.toml`` lists them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cortexsim.analysis import panels
from cortexsim.analysis.plots import Draw
from cortexsim.analysis.summary import Summary, sizes_of, summarise
from cortexsim.config.overrides import variants
from cortexsim.config.own_tasks import check_model_tasks, check_no_task_keys
from cortexsim.config.registry import find_model
from cortexsim.config.schema import TaskTable
from cortexsim.config.trial import Row, Trial
from cortexsim.config.validation import read
from cortexsim.config.values import Count, Seed, Table
from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.report import markdown
from cortexsim.storage import committed_rows
from cortexsim.storage.atomic_io import write_figures
from cortexsim.studies.comparison import Comparison, compare, configuration, draw, labelled
from cortexsim.studies.criterion import VerdictTable, judge
from cortexsim.studies.engine import Engine, write_result
from cortexsim.tasks.rhm import Hierarchy, laws


class ComparisonTable(Table):
    """One comparison of an experiment.

    Attributes:
        name: of the comparison and of its folder.
        models: names of models, or paths from this file; those of the whole file by default.
        controls: models that are run without ``change``.
        change: values by dotted key, with each of which every model is run.
        samples: numbers of training samples.
        sizes: those of the samples that a learner is run with, by its name, where that is not all of them.
        seeds: number of grammars, and of initial weights with them.
        repeats: how often each grammar is used, with other samples, initial weights and order.
        grammar_seed: seed of the first grammar.
        task: by name and fields; its default is the Random Hierarchy Model.
    """

    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    models: list[str] | None = Field(default=None, min_length=1)
    controls: list[str] = Field(default_factory=list)
    change: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    samples: list[Count] = Field(min_length=1)
    sizes: dict[str, Annotated[list[Count], Field(min_length=1)]] = Field(default_factory=dict)
    seeds: Count = 3
    repeats: Count = 1
    grammar_seed: Seed = 0
    task: TaskTable = TaskTable()


class FigureTable(Table):
    """Learners in one row of the experiment's figures.

    Attributes:
        title: of the row.
        models: the learners.
    """

    title: str
    models: list[str] = Field(min_length=1)


class AcrossTable(Table):
    """Comparisons of the same learners, side by side in one table, and in one panel of a figure, at one size.

    Attributes:
        name: of the table.
        comparisons: by name.
        samples: number of training samples at which they are compared.
    """

    name: str
    comparisons: list[str] = Field(min_length=2)
    samples: Count


class ComparisonsFile(Table):
    """The file ``comparisons.toml``: the comparisons, fewer and smaller ones for a quick look, and what is drawn.

    Attributes:
        description: the claim, in a line.
        models: of every comparison that names none of its own.
        operations: comparisons whose learners' accuracy a figure shows against the operations of one sample.
        alignment: comparison whose learners' updates are compared with those of backpropagation in a figure.
    """

    description: str
    models: list[str] = Field(default_factory=list)
    comparison: list[ComparisonTable] = Field(min_length=1)
    quick: list[ComparisonTable] = Field(default_factory=list)
    row: list[FigureTable] = Field(default_factory=list)
    across: list[AcrossTable] = Field(default_factory=list)
    verdict: VerdictTable | None = None
    operations: list[str] = Field(default_factory=list)
    alignment: str | None = None


@dataclass(frozen=True)
class ComparisonExperiment:
    """An experiment that a file ``comparisons.toml`` defines: its contents, and its comparisons by name.

    >>> text = 'description = "mine"\\n[[comparison]]\\nname = "small"\\nmodels = ["clapp", "hebb"]\\nsamples = [64]\\n'
    >>> _ = Path("comparisons.toml").write_text(text)
    >>> experiment = ComparisonExperiment.open(Path("comparisons.toml"))
    >>> {name: len(comparison.trials()) for name, comparison in experiment.comparisons.items()}
    {'small': 6}
    """

    plan: ComparisonsFile
    comparisons: Mapping[str, Comparison]

    @classmethod
    def open(cls, path: Path, device: str = "cpu", quick: bool = False) -> "ComparisonExperiment":
        """Read an experiment from its file.

        Args:
            path: of the file.
            device: ``cpu``, ``cuda`` or ``mps``.
            quick: whether to take the quick look.

        Raises:
            UserError: one line naming file, key and value.
        """
        plan = read(path, ComparisonsFile)
        return cls(plan, comparisons(plan, path.parent, device, quick))

    @property
    def description(self) -> str:
        """What the experiment is about."""
        return self.plan.description

    @property
    def configuration(self) -> dict[str, Any]:
        """Everything that the rows depend on, by comparison."""
        return {name: configuration(comparison) for name, comparison in self.comparisons.items()}

    def run(self, engine: Engine) -> str:
        """Run all comparisons, print the tables, and return the names of the files that were written."""
        run_experiment(self, engine)
        return f"result.json, {committed_rows.ROWS}, and a folder for each comparison"

    def from_rows(self, path: Path) -> tuple[dict[str, str], dict[str, Draw]]:
        """Make tables and figures from committed rows alone, by name.

        Raises:
            UserError: where a row is missing.
        """
        stored = committed_rows.StoredRows(path)
        rows = {name: list(stored.lookup(name)(each.trials(), "")) for name, each in self.comparisons.items()}
        tables: dict[str, str] = {}
        for name, several in rows.items():
            summaries = summarise(several)
            tables |= {name: markdown.accuracy(summaries), f"{name} layers": markdown.layers(summaries)}
        found = {name: summarise(several) for name, several in rows.items()}
        for one in self.plan.across:
            tables[one.name] = markdown.across(self._beside(one, found), one.samples)
        figures: dict[str, Draw] = {
            name: partial(draw, self.comparisons[name], several) for name, several in rows.items()
        }
        return tables, figures | self.figures(rows)

    def figures(self, rows: Mapping[str, Sequence[Row]]) -> dict[str, Draw]:
        """The figures that span comparisons: accuracy in units of the law, and alignment with backpropagation.

        Args:
            rows: by comparison.
        """
        plan, spanning = self.plan, self._across(rows) | self._operations(rows)
        if not plan.row:
            return spanning
        groups = {row.title: [Path(name).stem for name in row.models] for row in plan.row}
        tasks = {name: comparison.task for name, comparison in self.comparisons.items()}
        units = {name: laws.backpropagation(task) for name, task in tasks.items() if isinstance(task, Hierarchy)}
        chance = next(iter(rows.values()))[0]["chance"]
        found = {name: summarise(several) for name, several in rows.items()}
        figures: dict[str, Draw] = {"figure": partial(panels.in_units_of_the_law, found, units, chance, groups)}
        if plan.alignment is not None and plan.alignment in rows:
            largest = max(row["samples"] for row in rows[plan.alignment])
            shown = [row for row in rows[plan.alignment] if row["samples"] == largest]
            cosine, share = "cosine with backpropagation", "share of the input"
            figures["alignment"] = partial(panels.alignment, shown, "cosine", cosine, groups)
            figures["input_share"] = partial(panels.alignment, shown, "input_share", share, groups)
        return figures | spanning

    def _operations(self, rows: Mapping[str, Sequence[Row]]) -> dict[str, Draw]:
        """The figure of accuracy against operations, where all of its comparisons were run."""
        names = self.plan.operations
        if not names or not {*names} <= {*rows}:
            return {}
        points = {name: point for each in names for name, point in self.comparisons[each].points.items()}
        shown = [row for each in names for row in rows[each]]
        return {"operations": partial(panels.against_operations, shown, points)}

    def _across(self, rows: Mapping[str, Sequence[Row]]) -> dict[str, Draw]:
        """The figure that sets comparisons of the same learners beside each other, where all of them were run."""
        found = {name: summarise(of_one) for name, of_one in rows.items()}
        there = {(name, size) for name, summaries in found.items() for size in sizes_of(summaries)}
        several = [one for one in self.plan.across if {(name, one.samples) for name in one.comparisons} <= there]
        if not several:
            return {}
        groups = {one.name: self._beside(one, found) for one in several}
        chance = rows[several[0].comparisons[0]][0]["chance"]
        sizes = {one.name: one.samples for one in several}
        return {"across": partial(panels.across, groups, sizes, chance)}

    def _beside(self, across: AcrossTable, found: Mapping[str, list[Summary]]) -> dict[str, list[Summary]]:
        return {name: found[name] for name in across.comparisons}

    def committed(self, rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, Trial, Row]]:
        """The rows to commit, each with its comparison and trial; alignment only where a figure shows it.

        Args:
            rows: by comparison.
        """
        for name, comparison in self.comparisons.items():
            for trial, row in zip(comparison.trials(), rows[name], strict=True):
                drawn = name == self.plan.alignment and trial.samples == max(comparison.samples)
                yield name, trial, row if drawn else {**row, "alignment": None}


def comparisons(
    experiment: ComparisonsFile, beside: Path, device: str = "cpu", quick: bool = False
) -> dict[str, Comparison]:
    """Turn the tables of an experiment into comparisons, by name; paths of models are relative to its folder.

    Args:
        experiment: its file.
        beside: folder of the experiment.
        device: ``cpu``, ``cuda`` or ``mps``.
        quick: whether to take the tables of the quick look.

    Raises:
        UserError: where a comparison is impossible, or there is no quick look.
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


def _comparison(table: ComparisonTable, experiment: ComparisonsFile, beside: Path, device: str) -> Comparison:
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
        sizes={name: tuple(sorted(set(sizes))) for name, sizes in table.sizes.items()},
        seeds=table.seeds,
        repeats=table.repeats,
        grammar_seed=table.grammar_seed,
        device=device,
    )


def _check_names(experiment: ComparisonsFile, planned: dict[str, Comparison]) -> None:
    """Check that the verdict's reference is a model of every comparison, and what is set side by side a comparison."""
    for several in experiment.across:
        for name in several.comparisons:
            tables = {table.name: table for table in experiment.comparison}
            if name not in tables:
                raise UserError(f"across '{several.name}': comparison '{name}' is not known ({nearest(name, tables)})")
            if several.samples not in tables[name].samples:
                sizes = ", ".join(map(str, tables[name].samples))
                raise UserError(f"across '{several.name}': samples = {several.samples}: not in '{name}' ({sizes})")
    for name, comparison in planned.items():
        models = [model.name for model in comparison.models]
        if experiment.verdict is not None and (reference := experiment.verdict.reference) not in models:
            raise UserError(
                f"verdict.reference = '{reference}': not in comparison '{name}' ({nearest(reference, models)})"
            )


def run_experiment(experiment: ComparisonExperiment, engine: Engine) -> dict[str, list[Summary]]:
    """Run all comparisons, each into a folder of its name, and write ``result.json`` and the figures of them all.

    Args:
        experiment: what to run.
        engine: runs the trials, each once, whichever comparison asks for it.

    Returns:
        A summary per learner, by comparison.
    """
    planned, out = experiment.comparisons, engine.out
    found: dict[str, list[Summary]] = {}
    rows: dict[str, list[Row]] = {}
    for name, comparison in planned.items():
        engine.console.print(f"{name} ({len(found) + 1} of {len(planned)})")
        rows[name], found[name] = compare(comparison, engine, out / name)
    judged = judge(found, experiment.plan.verdict) if experiment.plan.verdict is not None else None
    table = [{"comparison": name, **row} for name in rows for row in labelled(planned[name], rows[name])]
    write_result(out, table, experiment.configuration, verdict=judged)
    committed_rows.write(out, experiment.committed(rows))
    write_figures(experiment.figures(rows), out)
    for line in judged["sentences"] if judged else []:
        engine.console.print(line)
    return found
