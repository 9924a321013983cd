"""A self-contained HTML page of a comparison: no script, no link, the figure inside."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from cortexsim.analysis.summary import Summary
from cortexsim.storage.atomic_io import write_atomically

GENERATOR = '<meta name="generator" content="cortexsim">'
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
td { white-space: nowrap; }
svg { max-width: 100%; height: auto; }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; font-size: 13px; }
.scroll { overflow-x: auto; }
"""


def write(out: Path, title: str, says: Sequence[str], summaries: Sequence[Summary], result: Mapping[str, Any]) -> Path:
    """Write ``report.html`` beside the figure of a comparison."""
    sizes = summaries[0].samples
    accuracy = table(
        ["learner", "context", "labels for", *(f"P = {size}" for size in sizes), "samples needed*"],
        [[s.learner, s.context, s.labels, *map(str, s.accuracy.values()), s.needed.text()] for s in summaries],
    )
    layers = range(1, len(summaries[0].layers["selectivity"]) + 1)
    geometry = "".join(
        f"<h3>{quantity}</h3>"
        + table(
            ["learner", *(f"layer {k}" for k in layers)],
            [[s.learner, *s.layer_texts(str, quantity)] for s in summaries],
        )
        for quantity in summaries[0].layers
    )
    keys = [
        "learner",
        "rule",
        "substrate",
        "context",
        "samples",
        "test_samples",
        "labels",
        "grammar_seed",
        "seed",
        "accuracy",
        "spikes",
        "synaptic_operations",
        "multiply_adds",
        "seconds",
        "cpu_seconds",
    ]
    runs = table(keys, [[short(row.get(key)) for key in keys] for row in result["rows"]])
    tested = result["rows"][0]["test_samples"]
    svg = (out / "figure.svg").read_text(encoding="utf-8")
    figure = svg[svg.index("<svg") :]
    drawn = any(summary.rule == "untrained" for summary in summaries)
    control = "; the dashed grey line is the untrained control" if drawn else ""
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">{GENERATOR}<title>{escape(title)}</title>
<style>{STYLE}</style></head><body>
<h1>Learning a hidden hierarchy</h1><p>{escape(title)}</p>
<h2>Test accuracy</h2>{accuracy}<p>Mean ± standard deviation over seeds, on {tested} test samples.</p>
{"".join(f"<p>{escape(line)}</p>" for line in says)}
<h2>Figure</h2><figure>{figure}<figcaption>(a) Test accuracy; error bars are standard deviations over seeds, vertical
lines predicted laws. (b) Share of the variance of each layer that lies between the latents of its level. (c) Directions
that these latents are spread over; the dotted line is the most there can be. (d) Linear decoding of the latent; the
dotted line is chance.
(b) to (d) at P = {sizes[-1]}{control}.</figcaption></figure>
<h2>Layers</h2><p>At P = {sizes[-1]}, each layer against the latents of its own level (against the
labels, where none are known); in brackets, layers that were not trained.</p>{geometry}
<h2>Record</h2>
<details><summary>All runs</summary>{runs}</details>
<details><summary>Configuration</summary><pre>{escape(json.dumps(result["configuration"], indent=2))}</pre></details>
<details><summary>Versions</summary><pre>{escape(json.dumps(result["versions"], indent=2))}</pre></details>
</body></html>
"""
    path = out / "report.html"
    write_atomically(path, page.encode())
    return path


def table(head: Sequence[str], rows: Sequence[Sequence[str]], sorts: bool = False) -> str:
    """Write a table, of a class that a script may sort: its heads are buttons then, for the keyboard too."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line([escape(cell) for cell in row], "td") for row in rows)
    heads = [f'<button type="button">{escape(cell)}</button>' if sorts else escape(cell) for cell in head]
    kind = ' class="sorts"' if sorts else ""
    return f'<div class="scroll"><table{kind}><thead>{line(heads, "th")}</thead><tbody>{body}</tbody></table></div>'


def short(value: Any) -> str:
    """Write a value as a cell of a table."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
