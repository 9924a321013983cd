"""Set learners side by side on one task: same samples, same order, same network, same budget of epochs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from cortexsim.analysis import panels, plots
from cortexsim.analysis.plots import Figure, save
from cortexsim.analysis.summary import Summary, summarise
from cortexsim.errors import UserError
from cortexsim.hierarchy import Hierarchy, laws
from cortexsim.runs import report
from cortexsim.runs.configuration import Model, resolved
from cortexsim.runs.record import Ledger, open_folder, versions
from cortexsim.runs.schedule import run_all
from cortexsim.runs.tell import accuracy_table, layer_table, verdict
from cortexsim.runs.trial import Row, Trial, test_size


@dataclass(frozen=True)
class Comparison:
    """Say what is to be compared.

    Attributes:
        models: the learners.
        hierarchy: sizes of the task.
        samples: training-set sizes.
        seeds: repetitions; repetition k has seed k and the grammar seed of the first plus k.
        repeats: how often each grammar comes, with other samples, first weights and order.
        grammar_seed: seed of the first grammar.
        device: where it runs.
        target: of layers in Brian2.
        points: where learners differ in the values of a model: by their names, that model's, and the values.
    """

    models: tuple[Model, ...]
    hierarchy: Hierarchy
    samples: tuple[int, ...]
    seeds: int = 3
    repeats: int = 1
    grammar_seed: int = 0
    device: str = "cpu"
    target: str = "cpp"
    points: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def trials(self) -> list[Trial]:
        """List every trial, in the order of the rows."""
        test = test_size(self.hierarchy, max(self.samples))
        return [
            Trial(
                model,
                self.hierarchy,
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
        if max(self.samples) >= self.hierarchy.distinct_samples:
            raise UserError(
                f"--samples {max(self.samples)}: this grammar has {self.hierarchy.distinct_samples} distinct samples,"
                " and some must be left to test on (ask for fewer, or raise --depth or --multiplicity)"
            )

    @property
    def title(self) -> str:
        """Name the task and the repetitions in one line."""
        h, grammars = self.hierarchy, "1 grammar" if self.seeds == 1 else f"{self.seeds} grammars"
        grammars += f" x {self.repeats} seeds" if self.repeats > 1 else ""
        return (
            f"Random Hierarchy Model: v = {h.features}, m = {h.multiplicity}, s = {h.tuple_size}, L = {h.depth},"
            f" n_c = {h.classes}; {grammars}, seeded from {self.grammar_seed}"
        )

    @property
    def laws(self) -> dict[str, float]:
        """The predicted sample complexities that lie near the samples compared, up to factors of order one."""
        predicted = {"n_c m^L": laws.backpropagation(self.hierarchy), "v m³/(1-f)": laws.clustering(self.hierarchy)}
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
    ledger = Ledger(open_folder(out) / "rows.jsonl")
    rows = run_all(comparison.trials(), ledger, console, workers)
    summaries = summarise(rows)
    title = comparison.title
    save({"figure": lambda: draw(comparison, rows)}, out, dpi=150)
    result = {"rows": rows, "versions": versions(), "configuration": configuration(comparison)}
    (out / "result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    says = verdict(summaries, rows, comparison.laws)
    report.write(out, title, says, summaries, result)
    console.print(accuracy_table(summaries, title))
    console.print(layer_table(summaries))
    for line in says:
        console.print(line)
    return rows, summaries


def draw(comparison: Comparison, rows: Sequence[Row]) -> Figure:
    """Draw what a comparison has found."""
    summaries, chance = summarise(rows), rows[0]["chance"]
    if comparison.points:
        return panels.against_values(summaries, comparison.points, chance, comparison.title)
    return plots.comparison(summaries, chance, comparison.laws, comparison.hierarchy.features, comparison.title)


def configuration(comparison: Comparison) -> dict[str, Any]:
    """Write out everything a comparison was made with."""
    return {
        "hierarchy": asdict(comparison.hierarchy),
        "samples": list(comparison.samples),
        "seeds": comparison.seeds,
        "repeats": comparison.repeats,
        "grammar_seed": comparison.grammar_seed,
        "device": comparison.device,
        "target": comparison.target,
        "models": [resolved(model) for model in comparison.models],
    }
