"""Committed outcomes of random searches, as tables of an experiment's README."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cortexsim.errors import UserError
from cortexsim.report import markdown

OUTCOMES = "outcome-*.json"
HEAD = ("learner", "settings tried", "stage", "P", "accuracy (worst grammar)", "constants (* at an edge)")
AS_IT_IS = "those of the model"
BEST = 4  # Settings of a learner that a table has, beside the model as it is.


def tables(folder: Path) -> dict[str, str]:
    """Tables of the searches in a folder, by the names of their files after ``outcome-``.

    A table has the best settings that came to the last stage, and the model as it is, as far as that came; one whose
    name ends in ``best`` has the best setting of each learner alone.

    >>> drawn = {"stage": 2, "accuracy": {"512": 0.9}, "worst": {"512": 0.8}, "values": {"training.eta": 0.01}}
    >>> outcome = {"clapp": [{**drawn, "at_edge": ["training.eta"]}]}
    >>> _ = Path("outcome-depth-3.json").write_text(json.dumps({"outcome": outcome}))
    >>> print(tables(Path())["depth-3"])
    | learner | settings tried | stage | P | accuracy (worst grammar) | constants (* at an edge) |
    | --- | --- | --- | --- | --- | --- |
    | `clapp` | 1 | 2 | 512 | 0.900 (0.800) | eta 0.01* |

    Raises:
        UserError: where a file is damaged.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.glob(OUTCOMES)):
        try:
            rows = list(_rows(json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError(f"{path}: damaged (copy it again from the folder of the search)") from None
        name = path.stem.partition("-")[2]
        found |= {
            name: markdown.table(HEAD, rows),
            f"{name} best": markdown.table(HEAD, [row for row in rows if row[1]]),
        }
    return found


def _rows(written: dict[str, Any]) -> Iterator[Sequence[str]]:
    for learner, entries in written["outcome"].items():
        last = max(entry["stage"] for entry in entries)
        best = [entry for entry in entries if entry["stage"] == last][:BEST]
        for entry in entries:
            if entry in best or not entry["values"]:
                by_samples = entry["accuracy"].items()
                sizes, accuracies = zip(
                    *((n, f"{mean:.3f} ({entry['worst'][n]:.3f})") for n, mean in by_samples), strict=True
                )
                tried = str(len(entries)) if entry is entries[0] else ""
                yield learner, tried, str(entry["stage"]), ", ".join(sizes), ", ".join(accuracies), _constants(entry)


def _constants(entry: dict[str, Any]) -> str:
    """Write out the values of a draw, each by the last part of its key."""
    marks = {key: "*" if key in entry["at_edge"] else "" for key in entry["values"]}
    named = [f"{key.rpartition('.')[2]} {value}{marks[key]}" for key, value in entry["values"].items()]
    return ", ".join(named) or AS_IT_IS
