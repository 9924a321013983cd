"""Tables and sentences that a comparison prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from cortexsim.analysis.sample_complexity import COARSE
from cortexsim.analysis.summary import COSTS, LAYER_QUANTITIES, Spread, Summary, largest_sizes, sizes_of
from cortexsim.report.console import new_table


def accuracy_table(summaries: Sequence[Summary], title: str, tested: int) -> Table:
    """Tabulate test accuracy by learner and samples, and P*.

    Args:
        summaries: of the learners.
        title: above the table.
        tested: number of test samples.
    """
    sizes = sizes_of(summaries)
    columns = ["learner", "context", "labels for", *(f"P = {size}" for size in sizes), "samples needed*"]
    caption, costs = f"Accuracy on {tested} test samples, mean ± standard deviation over seeds.", []
    if any(summary.cost for summary in summaries):
        caption += " Spikes, and synapses that they reach, of one sample."
        costs = list(COSTS)
    table = new_table(title, [*columns, *(name.replace("_", " ") for name in costs)], caption, left=3)
    for summary in summaries:
        spent = [f"{summary.cost[name].mean:.0f}" if name in summary.cost else "-" for name in costs]
        table.add_row(
            summary.learner, summary.context, summary.labels, *summary.accuracies(sizes), summary.needed.text(), *spent
        )
    return table


def layer_table(summaries: Sequence[Summary]) -> Table:
    """Tabulate selectivity, participation ratio and decoding by learner and layer, at the largest training set."""
    caption = (
        "Each layer against the latents of its own level, or the labels where none are known: selectivity for them /"
        " participation ratio / linear decoding."
        " In brackets: a layer that was not trained."
    )
    most = max(len(summary.layers["selectivity"]) for summary in summaries)
    columns = ["learner", *(f"layer {k}" for k in range(1, most + 1))]
    table = new_table(f"What the layers have learned at P = {largest_sizes(summaries)}", columns, caption)
    for summary in summaries:
        table.add_row(summary.learner, *summary.layer_texts(_layer_text, *LAYER_QUANTITIES))
    return table


def _layer_text(selectivity: Spread, participation: Spread, decoding: Spread) -> str:
    return f"{selectivity.mean:.2f} / {participation.mean:.1f} / {decoding.mean:.2f}"


def findings(
    summaries: Sequence[Summary], rows: Sequence[Mapping[str, Any]], predicted: Mapping[str, float]
) -> list[str]:
    """State the results in sentences, none stronger than the numbers.

    >>> from cortexsim.analysis.summary import summarise
    >>> common = {"learner": "clapp", "rule": "clapp", "context": "sibling", "labels_for": "readout", "chance": 0.125}
    >>> common |= {"trained_layers": 2, "selectivity": [0.9, 0.8], "participation": [6.0, 5.0], "decoding": [1.0, 0.9]}
    >>> common |= {"grammar_seed": 10, "seed": 0, "diverged": False}
    >>> rows = [{**common, "samples": 64, "accuracy": 0.4}, {**common, "samples": 128, "accuracy": 0.96}]
    >>> _, prediction, result = findings(summarise(rows), rows, {"n_c m^L": 128.0})
    >>> prediction
    'Predicted, up to a factor of order one: n_c m^L = 128.'
    >>> result
    'clapp learns the task with 64 to 128 samples: accuracy 0.960 at 128.'
    >>> findings(summarise(rows[:1]), rows[:1], {})[-1]
    'clapp has not learned the task with 64 samples: accuracy 0.400 at 64.'

    Args:
        summaries: of the learners.
        rows: that were summarised.
        predicted: sample complexities by law, in samples.
    """
    lines = [
        "* P*: from here on the test error is at most a tenth of that of guessing: geometric mean over grammars (95 %"
        f" interval), or the sizes that enclose it where they are a factor of {COARSE:g} or more apart (cortexsim"
        f" threshold looks closer); chance is {rows[0]['chance']:.3f}."
    ]
    if predicted:
        values = ", ".join(f"{name} = {value:.0f}" for name, value in predicted.items())
        lines.append(f"Predicted, up to a factor of order one: {values}.")
    reference = next((summary for summary in summaries if summary.rule == "backprop"), None)
    control = next((summary for summary in summaries if summary.rule == "untrained"), None)
    others = [summary for summary in summaries if summary not in (reference, control)]
    lines += [_sentence(summary, reference, control) for summary in others]
    if diverged := sorted({row["learner"] for row in rows if row["diverged"]}):
        lines.append(f"The weights of {', '.join(diverged)} grew without bound in some runs: lower training.eta.")
    for learner in sorted({row["learner"] for row in rows if row.get("clipped")}):
        most = max(row.get("clipped") or 0.0 for row in rows if row["learner"] == learner)
        lines.append(f"{learner}: in a run, {most:.1%} of the activity below spiking layers is more than spikes carry.")
    return lines


def _sentence(summary: Summary, reference: Summary | None, control: Summary | None) -> str:
    largest = summary.samples[-1]
    beside = f" (untrained control {control.accuracy[largest]})" if control and largest in control.accuracy else ""
    final = f"accuracy {summary.accuracy[largest]} at {largest}{beside}"
    if summary.needed.beyond:
        count, all_ = summary.needed.beyond, len(summary.needed.high)
        where = "" if count == all_ else f" on {count} of {all_} grammars"
        return f"{summary.learner} has not learned the task with {largest} samples{where}: {final}."
    text = f"{summary.learner} learns the task with {summary.needed.text()} samples: {final}"
    ratio = None if reference is None else summary.needed.over(reference.needed)
    if reference is None or ratio is None or ratio.censored or summary.needed.coarse or reference.needed.coarse:
        return f"{text}."
    return f"{text}; {reference.learner} needs {reference.needed.text()}, a ratio of {ratio.text(2)}."
