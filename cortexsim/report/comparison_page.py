"""A self-contained HTML page of a comparison: no script, no link, the figure inside."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cortexsim.analysis.summary import Summary, largest_sizes, sizes_of
from cortexsim.report.html import cell, inline_svg, write_page

COLUMNS = (
    *("learner", "rule", "substrate", "context", "samples", "test_samples", "labels", "grammar_seed", "seed"),
    *("accuracy", "spikes", "synaptic_operations", "multiply_adds", "seconds", "cpu_seconds"),
)


def write(
    out: Path, title: str, sentences: Sequence[str], summaries: Sequence[Summary], result: Mapping[str, Any]
) -> Path:
    """Write ``report.html`` beside the figure of a comparison.

    >>> from cortexsim.analysis.summary import summarise
    >>> row = {"learner": "clapp", "rule": "clapp", "context": "sibling", "labels_for": "readout", "chance": 0.125}
    >>> row |= {"trained_layers": 1, "selectivity": [0.9], "participation": [6.0], "decoding": [1.0], "accuracy": 0.96}
    >>> row |= {"samples": 64, "test_samples": 4096, "grammar_seed": 10, "seed": 0}
    >>> _ = Path("figure.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"></svg>')
    >>> result = {"rows": [row], "configuration": {"seeds": 1}, "versions": {"torch": "2.13.0"}}
    >>> page = write(Path(), "Two levels", ["clapp has learned."], summarise([row]), result).read_text(encoding="utf-8")
    >>> "clapp has learned." in page, "<svg" in page, "<script" in page
    (True, True, False)

    Args:
        out: folder of the comparison, which holds ``figure.svg``.
        title: of the comparison.
        sentences: the findings in words.
        summaries: of the learners.
        result: what ``result.json`` holds: ``rows``, ``configuration`` and ``versions``.

    Returns:
        The path of the page.
    """
    sizes, rows = sizes_of(summaries), result["rows"]
    quantities = summaries[0].layers
    by_layer = ["learner", *(f"layer {k}" for k in range(1, len(quantities["selectivity"]) + 1))]
    return write_page(
        out / "report.html",
        "comparison.html.j2",
        title=title,
        sentences=sentences,
        accuracy=(
            ["learner", "context", "labels for", *(f"P = {size}" for size in sizes), "samples needed*"],
            [[s.learner, s.context, s.labels, *s.accuracies(sizes), s.needed.text()] for s in summaries],
        ),
        test_samples=rows[0]["test_samples"],
        largest=largest_sizes(summaries),
        control=any(summary.rule == "untrained" for summary in summaries),
        figure=inline_svg((out / "figure.svg").read_text(encoding="utf-8")),
        layers={name: (by_layer, [[s.learner, *s.layer_texts(str, name)] for s in summaries]) for name in quantities},
        runs=(COLUMNS, [[cell(row.get(key)) for key in COLUMNS] for row in rows]),
        configuration=json.dumps(result["configuration"], indent=2),
        versions=json.dumps(result["versions"], indent=2),
    )
