"""Tables of signals, contexts, tasks and cells."""

from dataclasses import MISSING, fields

from cortexsim.contexts import CONTEXTS
from cortexsim.rules import SIGNALS, SUBSTRATES
from cortexsim.spiking.cells import known_cells
from cortexsim.tasks import TASKS
from generator.text import code, fence, prose, section, table


def pages() -> dict[str, str]:
    """Write the parts that pages of the reference include."""
    return {
        "reference/_signals.md": _signals(),
        "reference/_contexts.md": _contexts(),
        "reference/_tasks.md": _tasks(),
        "reference/_cells.md": _cells(),
    }


def _in_order(substrates: frozenset[str]) -> str:
    return ", ".join(name for name in SUBSTRATES if name in substrates)


def _signals() -> str:
    rows = [
        (code(s.name), prose(s.meaning), _in_order(s.substrates), str(s.implied_synapses or "-"))
        for s in SIGNALS.values()
    ]
    return table(["name", "what it is", "substrates", "plastic synapses that it implies"], rows)


def _contexts() -> str:
    rows = [(code(c.name), prose(c.meaning), _in_order(c.substrates)) for c in CONTEXTS.values()]
    return table(["context", "input to the dendrite", "substrates"], rows)


def _tasks() -> str:
    rows = []
    for name, kind in TASKS.items():
        settings = [f.name if f.default is MISSING else f"{f.name} = {f.default!r}" for f in fields(kind)]
        first = (kind.__doc__ or "").strip().split("\n\n")[0]
        rows.append((code(name), prose(first), ", ".join(map(code, settings)) or "-"))
    return table(["task", "samples", "fields and their defaults"], rows)


def _cells() -> str:
    parts = []
    for name, cell in known_cells().items():
        lines = [line.strip() for line in cell.equations.strip().splitlines()]
        spike = [f"threshold: {cell.threshold}", f"reset: {cell.reset}"] if cell.spikes else []
        values = table(["parameter", "value"], [(code(key), value) for key, value in cell.parameters.items()])
        parts.append(section(code(name), f"*{cell.source}*\n\n{fence(chr(10).join(lines + spike))}\n\n{values}"))
    return "\n".join(parts)
