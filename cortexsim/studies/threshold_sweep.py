"""Sweeps over sizes of the hierarchy: what varies, at which values, and P* of which learners is searched for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cortexsim.analysis.sample_complexity import Threshold, brackets
from cortexsim.analysis.thresholds import SYMBOLS, SweepThresholds
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model, TaskTable, resolved
from cortexsim.config.tasks import build_task
from cortexsim.config.trial import TEST_SAMPLES, Row, Trial
from cortexsim.config.values import Count, Positive, Seed, Table
from cortexsim.errors import UserError, nearest
from cortexsim.studies.bisection import ThresholdSearch
from cortexsim.tasks.rhm import Hierarchy, laws

LEAST = 16  # Distinct samples, for a search to have any room.
HELD_OUT = 4  # One in so many samples of a small grammar is never trained on.


class SweepTable(Table):
    """One sweep: what varies, at which values, and what stays fixed.

    Attributes:
        name: of the sweep.
        varies: size of the hierarchy; ``"fraction"`` is f = m / v^(s-1), varied through m.
        values: of this size.
        task: sizes that stay fixed.
        models: the learners; those of the whole file by default.
        seeds: number of grammars.
        repeats: how often each grammar is used, with other samples, initial weights and order.
        grammar_seed: seed of the first grammar.
        cap: largest training set that may be tried.
        reference: model by whose P* that of all others is divided; one that learns by backpropagation by default.
    """

    name: str
    varies: Literal["depth", "multiplicity", "features", "fraction"]
    values: list[Positive] = Field(min_length=1)
    task: TaskTable = TaskTable()
    models: list[str] | None = Field(default=None, min_length=1)
    seeds: Count = 3
    repeats: Count = 1
    grammar_seed: Seed = 0
    cap: Annotated[int, Field(ge=2, strict=True)]
    reference: str | None = None


class ThresholdsFile(Table):
    """The file ``thresholds.toml``: the sweeps of an experiment, and smaller ones for a quick look.

    Attributes:
        description: the claim, in a line.
        models: of every sweep that names none of its own.
    """

    description: str
    models: list[str] = Field(default_factory=list)
    sweep: list[SweepTable] = Field(min_length=1)
    quick: list[SweepTable] = Field(default_factory=list)


@dataclass(frozen=True)
class ThresholdSweep:
    """A sweep whose models have been read and whose hierarchies exist.

    Attributes:
        table: as it is written in the file.
        points: the value of the size that varies, and the hierarchy; ascending.
        models: the learners.
        device: ``cpu``, ``cuda`` or ``mps``.
        target: code generation target of Brian2 layers: ``cpp``, ``cython`` or ``numpy``.
    """

    table: SweepTable
    points: tuple[tuple[float, Hierarchy], ...]
    models: tuple[Model, ...]
    device: str = "cpu"
    target: str = "cpp"

    def searches(self) -> list[ThresholdSearch]:
        """Every search, in the order of `places`."""
        hierarchies = dict(self.points)
        return [ThresholdSearch(self._largest(model, hierarchies[value], seed)) for model, value, seed in self.places()]

    def places(self) -> list[tuple[Model, float, int]]:
        """Model, value and seed of every search."""
        return list(product(self.models, (value for value, _ in self.points), range(self.repetitions)))

    @property
    def repetitions(self) -> int:
        """The number of searches of a learner at each value."""
        return self.table.seeds * self.table.repeats

    @property
    def title(self) -> str:
        """The sizes that stay fixed, and the repetitions."""
        h, table = self.points[0][1], self.table
        sizes = {"v": h.features, "m": h.multiplicity, "s": h.tuple_size, "L": h.depth}
        symbol = SYMBOLS[table.varies]
        stays = [
            f"{name} = {size}" for name, size in sizes.items() if name not in (symbol, "m" if symbol == "f" else "")
        ]
        classes = "n_c = v" if "classes" not in (table.task.model_extra or {}) else f"n_c = {h.classes}"
        times = f" x {table.repeats} seeds" if table.repeats > 1 else ""
        grammars = f"{table.seeds} grammar{'s' if table.seeds > 1 else ''}{times}, seeded from {table.grammar_seed}"
        return f"{', '.join([*stays, classes])}; {grammars}"

    def _largest(self, model: Model, hierarchy: Hierarchy, seed: int) -> Trial:
        test = held_out(hierarchy)
        samples = min(self.table.cap, hierarchy.distinct_samples - test)
        grammar = self.table.grammar_seed + seed % self.table.seeds
        return Trial(model, hierarchy, samples, test, grammar, seed, self.device, self.target)

    def swept(self, searched: Sequence[Sequence[Row]]) -> SweepThresholds:
        """Find the thresholds from the rows of every search, in the order of `places`."""
        hierarchies = [hierarchy for _, hierarchy in self.points]
        rest, found = iter(searched), {}
        for model in self.models:
            several = [[row for _ in range(self.repetitions) for row in next(rest)] for _ in self.points]
            found[model.name] = tuple(Threshold.of(brackets(rows)) for rows in several)
        return SweepThresholds(
            name=self.table.name,
            varies=self.table.varies,
            title=self.title,
            values=tuple(value for value, _ in self.points),
            laws={
                "n_c m^L": tuple(float(laws.backpropagation(hierarchy)) for hierarchy in hierarchies),
                "v m³/(1-f)": tuple(laws.clustering(hierarchy) for hierarchy in hierarchies),
            },
            thresholds=found,
            reference=self.table.reference
            or next((model.name for model in self.models if model.rule_name == "backprop"), None),
        )


def held_out(hierarchy: Hierarchy) -> int:
    """The number of test samples, whatever the training set: of a small grammar, a quarter of all."""
    return min(TEST_SAMPLES, hierarchy.distinct_samples // HELD_OUT)


def sweeps(plan: ThresholdsFile, beside: Path, device: str = "cpu", quick: bool = False) -> list[ThresholdSweep]:
    """Turn the tables of an experiment into sweeps; paths of models are relative to the experiment's folder.

    Args:
        plan: the file of the experiment.
        beside: folder of the experiment.
        device: ``cpu``, ``cuda`` or ``mps``.
        quick: whether to take the tables of the quick look.

    Raises:
        UserError: where a sweep cannot be run as it is written, or there is no quick look.
    """
    if quick and not plan.quick:
        raise UserError(f"--quick: experiment '{beside.name}' has no quick form (leave it out)")
    tables = plan.quick if quick else plan.sweep
    names = [table.name for table in tables]
    found = []
    for index, table in enumerate(tables):
        try:
            if table.name in names[:index]:
                raise UserError("another one has this name (give each its own)")
            found.append(_sweep(table, plan, beside, device))
            check_names([model for sweep in found for model in sweep.models])
        except UserError as error:
            raise UserError(f"experiment '{beside.name}': sweep '{table.name}': {error}") from None
    return found


def _sweep(table: SweepTable, plan: ThresholdsFile, beside: Path, device: str) -> ThresholdSweep:
    models = tuple(find_model(name, beside) for name in table.models or plan.models)
    if not models:
        raise UserError("it names no models (models = [...])")
    distinct(models)
    names = [model.name for model in models]
    if table.reference is not None and table.reference not in names:
        raise UserError(f"reference = '{table.reference}': not among its models ({nearest(table.reference, names)})")
    return ThresholdSweep(table, points_of(table, models), models, device)


def distinct(models: Sequence[Model]) -> None:
    """Check that no model is given twice.

    Raises:
        UserError: where one is.
    """
    names = [model.name for model in models]
    if twice := [name for index, name in enumerate(names) if name in names[:index]]:
        raise UserError(f"models: '{twice[0]}' is given more than once (give the copies different file names)")


def check_names(models: Sequence[Model]) -> None:
    """Check that no two models share a name, by which rows are known.

    Raises:
        UserError: where two differ.
    """
    known: dict[str, Model] = {}
    for model in models:
        if resolved(known.setdefault(model.name, model)) != resolved(model):
            raise UserError(f"models: '{model.name}' names two that differ (give them different file names)")


def points_of(table: SweepTable, models: Sequence[Model] = ()) -> tuple[tuple[float, Hierarchy], ...]:
    """The values of the size that varies, ascending, each with its hierarchy.

    >>> table = SweepTable(name="depth", varies="depth", values=[3, 2], cap=4096)
    >>> [(value, hierarchy.distinct_samples) for value, hierarchy in points_of(table)]
    [(2.0, 512), (3.0, 131072)]

    Args:
        table: of the sweep.
        models: the learners, which must be for the Random Hierarchy Model.

    Raises:
        UserError: where there is no such hierarchy, or it has too few samples to search in, or a model is for another
            task.
    """
    for model in models:
        if model.task.name != Hierarchy.name:
            raise UserError(
                f"model '{model.name}' is for task '{model.task.name}', and sizes of the Random Hierarchy Model vary"
                " (take a model for that)"
            )
    return tuple((value, _hierarchy(table, value)) for value in sorted(set(table.values)))


def _hierarchy(table: SweepTable, value: float) -> Hierarchy:
    """The hierarchy at one value of the size that varies.

    Raises:
        UserError: where it is no whole number, or there is no such hierarchy, or it has too few samples to search in.
    """
    key = "multiplicity" if table.varies == "fraction" else table.varies
    sizes = dict(table.task.model_extra or {})
    if key in sizes:
        raise UserError(f"task.{key}: it is what varies (leave it out)")
    if table.task.name != Hierarchy.name:
        raise UserError(f"task.name = '{table.task.name}': sizes of the Random Hierarchy Model vary ('rhm')")
    room = 1
    if table.varies == "fraction":
        base = build_task(sizes | {"multiplicity": 1})
        assert isinstance(base, Hierarchy)
        room = base.features ** (base.tuple_size - 1)
    if abs(value * room - round(value * room)) > 1e-6:
        whole = f"f v^(s-1) = {value * room:g} synonyms" if table.varies == "fraction" else f"{value:g}"
        raise UserError(f"values: {SYMBOLS[table.varies]} = {value:g}: {whole} is not a whole number")
    try:
        hierarchy = build_task({**sizes, key: round(value * room)})
    except UserError as error:
        raise UserError(f"{SYMBOLS[table.varies]} = {value:g}: {error}") from None
    assert isinstance(hierarchy, Hierarchy)
    if hierarchy.distinct_samples < LEAST:
        raise UserError(
            f"{SYMBOLS[table.varies]} = {value:g}: this grammar has {hierarchy.distinct_samples} distinct samples"
            f" (at least {LEAST}; raise depth or multiplicity)"
        )
    return hierarchy
