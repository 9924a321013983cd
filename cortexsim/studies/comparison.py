"""Comparisons of learners on one task: same samples, same order, same network, same budget of epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from cortexsim.analysis import panels, plots
from cortexsim.analysis.summary import Summary, summarise
from cortexsim.config.overrides import at_depth
from cortexsim.config.schema import Model, settings_used
from cortexsim.config.tasks import task_table, task_title
from cortexsim.config.trial import Row, Trial, test_size
from cortexsim.errors import UserError, nearest
from cortexsim.report import comparison_page
from cortexsim.report.comparison_text import accuracy_table, findings, layer_table
from cortexsim.report.console import print_table
from cortexsim.storage.atomic_io import write_figure
from cortexsim.studies.engine import Engine, write_result
from cortexsim.studies.test_size import checked_test_size
from cortexsim.tasks import Task
from cortexsim.tasks.rhm import Hierarchy, laws


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> models = find_model("clapp"), find_model("backprop")
    >>> comparison = Comparison(models, Hierarchy(depth=3), samples=(256, 1024), seeds=5)
    >>> comparison.title, len(comparison.trials())
    ('Random Hierarchy Model: v = 8, m = 4, s = 2, L = 3, n_c = 8; 5 grammars, seeded from 0', 20)
    >>> comparison.laws
    {'n_c m^L': 512, 'v m³/(1-f)': 1024.0}

    Attributes:
        models: the learners.
        task: what they learn.
        samples: training-set sizes.
        seeds: repetitions; repetition k has seed k and the grammar seed of the first plus k.
        repeats: how often each grammar is used, each time with other samples, initial weights and order.
        grammar_seed: seed of the first grammar.
        device: ``cpu``, ``cuda`` or ``mps``.
        target: code generation target of Brian2 layers: ``cpp``, ``cython`` or ``numpy``.
        sizes: of learners that are run with some of the ``samples`` alone, by their names.
        points: for learners that are variants of a model, by their name: the model's name, and their settings.
    """

    models: tuple[Model, ...]
    task: Task
    samples: tuple[int, ...]
    seeds: int = 3
    repeats: int = 1
    grammar_seed: int = 0
    device: str = "cpu"
    target: str = "cpp"
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    points: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def trials(self) -> list[Trial]:
        """All trials, in the order of the rows."""
        test = test_size(self.task, max(self.samples))
        return [
            Trial(
                model,
                self.task,
                samples,
                test,
                self.grammar_seed + seed % self.seeds,
                seed,
                self.device,
                self.target,
            )
            for model in self.models
            for samples in self.sizes.get(model.name, self.samples)
            for seed in range(self.seeds * self.repeats)
        ]

    def check(self) -> None:
        """Check, before anything is trained, that every trial is possible.

        Raises:
            UserError: where models share a name, sizes are of no model, or the grammar has too few samples.
        """
        names = [model.name for model in self.models]
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"--model {name}: given more than once (give the copies different file names)")
        for name, sizes in self.sizes.items():
            if name not in names:
                raise UserError(f"sizes.{name}: no such model is compared ({nearest(name, names)})")
            if others := sorted(set(sizes) - set(self.samples)):
                raise UserError(f"sizes.{name} = {others[0]}: not among samples ({', '.join(map(str, self.samples))})")
        checked_test_size(self.task, max(self.samples))

    @property
    def title(self) -> str:
        """The task and the repetitions in one line."""
        drawn = "grammar" if isinstance(self.task, Hierarchy) else "split"
        several = f"{self.seeds} {drawn}{'s' if self.seeds > 1 else ''}"
        several += f" x {self.repeats} seeds" if self.repeats > 1 else ""
        return f"{task_title(self.task)}; {several}, seeded from {self.grammar_seed}"

    @property
    def laws(self) -> dict[str, float]:
        """The predicted sample complexities that lie near the samples compared, up to factors of order one."""
        if not isinstance(self.task, Hierarchy):
            return {}
        predicted = {"n_c m^L": laws.backpropagation(self.task), "v m³/(1-f)": laws.clustering(self.task)}
        return {
            name: value for name, value in predicted.items() if min(self.samples) / 2 <= value <= max(self.samples) * 2
        }


def compare(comparison: Comparison, engine: Engine, out: Path | None = None) -> tuple[list[Row], list[Summary]]:
    """Run a comparison, and write ``result.json``, ``figure.png``, ``figure.svg`` and ``report.html``.

    Args:
        comparison: what to compare.
        engine: runs its trials.
        out: folder for what is written; that of the engine unless given.

    Returns:
        The rows, and a summary per learner.
    """
    out = out or engine.out
    out.mkdir(parents=True, exist_ok=True)
    rows = engine(comparison.trials())
    result = write_result(out, labelled(comparison, rows), configuration(comparison))
    summaries, title, console = summarise(rows), comparison.title, engine.console
    write_figure(draw(comparison, rows), out / "figure", dpi=150)
    sentences = findings(summaries, rows, comparison.laws)
    comparison_page.write(out, title, sentences, summaries, result)
    print_table(accuracy_table(summaries, title, rows[0]["test_samples"]), console)
    print_table(layer_table(summaries), console)
    for sentence in sentences:
        console.print(sentence)
    return rows, summaries


def labelled(comparison: Comparison, rows: Sequence[Row]) -> list[Row]:
    """Rows in which variants of a model have their settings as ``point``.

    Args:
        comparison: that the rows are of.
        rows: one per trial.
    """
    points = {name: dict(values) for name, (_, values) in comparison.points.items()}
    return [{"point": points[row["learner"]], **row} if row["learner"] in points else row for row in rows]


def draw(comparison: Comparison, rows: Sequence[Row]) -> Figure:
    """Draw the figure of a comparison.

    Args:
        comparison: what was compared.
        rows: one per trial.
    """
    summaries, chance = summarise(rows), rows[0]["chance"]
    if comparison.points:
        return panels.against_values(summaries, comparison.points, chance, comparison.title)
    task, title = comparison.task, comparison.title
    known = isinstance(task, Hierarchy)
    latents, named = (task.channels, "latent") if known else (task.classes, "label")
    return plots.comparison(summaries, chance, comparison.laws, latents, title, named)


def configuration(comparison: Comparison) -> dict[str, Any]:
    """Everything that the rows of a comparison depend on, as JSON has it."""
    return {
        "task": task_table(comparison.task),
        "samples": list(comparison.samples),
        **({"sizes": {name: list(sizes) for name, sizes in comparison.sizes.items()}} if comparison.sizes else {}),
        "seeds": comparison.seeds,
        "repeats": comparison.repeats,
        "grammar_seed": comparison.grammar_seed,
        "device": comparison.device,
        "target": comparison.target,
        "models": [settings_used(at_depth(model, model.layers_on(comparison.task))) for model in comparison.models],
    }
