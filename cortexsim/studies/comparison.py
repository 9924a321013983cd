"""Set learners side by side on one task: same samples, same order, same network, same budget of epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console

from cortexsim.analysis import panels, plots
from cortexsim.analysis.summary import Summary, summarise
from cortexsim.config.overrides import at_depth
from cortexsim.config.provenance import versions
from cortexsim.config.schema import Model, settings_used
from cortexsim.config.tasks import task_table, task_title
from cortexsim.config.trial import Row, Trial, test_size
from cortexsim.errors import UserError
from cortexsim.execution.scheduler import run_all
from cortexsim.report import comparison_page
from cortexsim.report.console import accuracy_table, layer_table, put, verdict
from cortexsim.storage.atomic_io import write_figure, write_json
from cortexsim.storage.ledger import Ledger
from cortexsim.studies.test_size import checked_test_size
from cortexsim.tasks import Task
from cortexsim.tasks.rhm import Hierarchy, laws


@dataclass(frozen=True)
class Comparison:
    """Say what is to be compared.

    Attributes:
        models: the learners.
        task: what learners are shown.
        samples: training-set sizes.
        seeds: repetitions; repetition k has seed k and the grammar seed of the first plus k.
        repeats: how often each grammar comes, with other samples, first weights and order.
        grammar_seed: seed of the first grammar.
        device: where it runs.
        target: of layers in Brian2.
        points: where learners differ in the values of a model: by their names, that model's, and the values.
    """

    models: tuple[Model, ...]
    task: Task
    samples: tuple[int, ...]
    seeds: int = 3
    repeats: int = 1
    grammar_seed: int = 0
    device: str = "cpu"
    target: str = "cpp"
    points: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def trials(self) -> list[Trial]:
        """List every trial, in the order of the rows."""
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
            for samples in self.samples
            for seed in range(self.seeds * self.repeats)
        ]

    def check(self) -> None:
        """See, before anything is trained, that every trial can be.

        Raises:
            UserError: where models share a name, or the grammar has too few samples.
        """
        names = [model.name for model in self.models]
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"--model {name}: given more than once (give the copies different file names)")
        checked_test_size(self.task, max(self.samples))

    @property
    def title(self) -> str:
        """Name the task and the repetitions in one line."""
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


def compare(comparison: Comparison, out: Path, console: Console, workers: int = 0) -> tuple[list[Row], list[Summary]]:
    """Run a comparison, and write ``result.json``, ``figure.png``, ``figure.svg`` and ``report.html``.

    Args:
        comparison: what to compare.
        out: folder; rows that it holds already are not computed again.
        console: where progress and the table go.
        workers: processes side by side; one a core unless given.

    Returns:
        The rows, and what is to be said of each learner.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = run_all(comparison.trials(), Ledger(out / "rows.jsonl"), console, workers)
    result = {"rows": rows, "versions": versions(), "configuration": configuration(comparison)}
    write_json(out / "result.json", result)
    summaries = summarise(rows)
    title = comparison.title
    write_figure(draw(comparison, rows), out / "figure", dpi=150)
    says = verdict(summaries, rows, comparison.laws)
    comparison_page.write(out, title, says, summaries, result)
    put(accuracy_table(summaries, title, rows[0]["test_samples"]), console)
    put(layer_table(summaries), console)
    for line in says:
        console.print(line)
    return rows, summaries


def draw(comparison: Comparison, rows: Sequence[Row]) -> Figure:
    """Draw what a comparison has found."""
    summaries, chance = summarise(rows), rows[0]["chance"]
    if comparison.points:
        return panels.against_values(summaries, comparison.points, chance, comparison.title)
    task, title = comparison.task, comparison.title
    known = isinstance(task, Hierarchy)
    latents, named = (task.channels, "latent") if known else (task.classes, "label")
    return plots.comparison(summaries, chance, comparison.laws, latents, title, named)


def configuration(comparison: Comparison) -> dict[str, Any]:
    """Write out everything a comparison was made with."""
    return {
        "task": task_table(comparison.task),
        "samples": list(comparison.samples),
        "seeds": comparison.seeds,
        "repeats": comparison.repeats,
        "grammar_seed": comparison.grammar_seed,
        "device": comparison.device,
        "target": comparison.target,
        "models": [settings_used(at_depth(model, model.layers_on(comparison.task))) for model in comparison.models],
    }
