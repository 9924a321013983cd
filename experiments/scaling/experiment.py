"""How time and memory of spiking columns that learn grow with their size: ``cortexsim experiment scaling``.

Columns of LIF cells learn by CLAPP, every layer but the top at once, from random fixations of 60 ms with dt = 1 ms. One
quantity varies at a time. An event is a spike that arrives at a synapse.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cortexsim.analysis.plots import Draw
from cortexsim.report.markdown import table
from cortexsim.rules import known_rules
from cortexsim.spiking import LayerSpec, Settings, Stack, State, Stream, describe
from cortexsim.spiking.program import Program as Compiled
from cortexsim.studies.program_experiment import Program, Row

STANDARD = {"cells": 64, "columns": 4, "layers": 2, "fixations": 256}
AXES = {
    "cells": (64, 128, 256, 512, 1024),
    "columns": (4, 8, 16, 32, 64),
    "layers": (2, 3, 4, 5, 6),
    "fixations": (256, 512, 1024, 2048, 4096),
}
TITLES = {
    "cells": "cells of a column",
    "columns": "columns of the lowest of two layers",
    "layers": "layers of a binary tree",
    "fixations": "fixations",
}
CHANNELS, SETTINGS = 8, Settings(eta=1e-3, context_eta=3.0, homeostasis=1e-3, target_activity=0.1, target_drive=2.0)
MEGABYTE = 1 << 20


def measure(case: Mapping[str, int | str]) -> list[Row]:
    """Measure one size: seconds, events and memory of the simulation, compiled before, in a process of its own."""
    size = {name: int(case[name]) for name in STANDARD}
    _ = network(size).engine  # Compiles it, or finds it.
    command = [sys.executable, str(Path(__file__)), json.dumps(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [{**case, **json.loads(done.stdout)}]


def simulate(size: Mapping[str, int]) -> dict[str, float]:
    """Run a network of this size twice, the first time to warm up, and measure the second.

    Args:
        size: cells, columns, layers and fixations.

    Returns:
        ``synapses`` that spikes can reach, ``events``, ``seconds``, and ``megabytes`` of its variables.
    """
    stack = network(size)
    draw = np.random.default_rng(0)
    shown = np.eye(CHANNELS)[draw.integers(CHANNELS, size=(size["fixations"], 2 * size["columns"]))]
    stream = Stream(shown.reshape(len(shown), -1), np.arange(len(shown)), eta_factor=np.ones(len(shown)))
    state = first_state(stack, draw)
    stack.run(stream[:2], state, seed=0)
    start = time.perf_counter()
    outcome, _ = stack.run(stream, state, seed=0)
    return {
        "synapses": float(sum(fan.sum() for fan in stack.fan_out.values())),
        "events": outcome.operations,
        "seconds": time.perf_counter() - start,
        "megabytes": held(stack) / MEGABYTE,
    }


def held(stack: Stack) -> int:
    """Count the bytes of all variables of cells and synapses."""
    assert isinstance(stack.engine, Compiled)
    sizes = stack.sizes | {name: len(wired.pre) for name, wired in stack.connectivity.items()}
    return sum(
        np.dtype(kind).itemsize * (count if isinstance(count, int) else sizes[owner])
        for key, (_, kind, count) in stack.engine.files.items()
        if (owner := key.split(".")[0]) in sizes
    )


def network(size: Mapping[str, int]) -> Stack:
    """Describe a tree of columns, each over two of the layer below: with ``layers`` layers, down to one at the top."""
    columns, cells = size["columns"], size["cells"]
    specs, below, rate = [], CHANNELS, SETTINGS.input_rate
    for number in range(1, size["layers"] + 1):
        top = number == size["layers"]
        siblings = () if top else tuple((column ^ 1,) for column in range(columns))
        kind = ("none", False, "activity") if top else ("sibling", False, "prediction")
        context, feedback, sends = kind
        specs.append(
            LayerSpec(number, columns, cells, 2 * below, "spiking", not top, context, feedback, rate, sends, siblings)
        )
        columns, below, rate = columns // 2, cells, SETTINGS.unit_rate
    return Stack(*describe(specs, 2, known_rules()["clapp"], SETTINGS, AXES["fixations"][-1]))


def first_state(stack: Stack, draw: np.random.Generator) -> State:
    """Draw first weights as large as those of the models."""
    state = stack.initial_state()
    for key in state:
        if key.startswith(("feedforward", "context")) and key.endswith(".w"):
            fan_in = np.bincount(stack.connectivity[key.removesuffix(".w")].post).max()
            state[key] = draw.normal(0, 0.57 * (2 / fan_in) ** 0.5, len(state[key]))
    return state


def case_of(axis: str, value: int) -> dict[str, int | str]:
    """Return the case in which one quantity has this value, and all others are as in the smallest network."""
    columns = {"columns": 2 ** (value - 1)} if axis == "layers" else {}
    return {"axis": axis, **STANDARD, **columns, axis: value}


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Tabulate what was measured by size, and the exponents of power laws fitted to it."""
    found = {}
    for axis in AXES:
        body = [
            [
                str(row[axis]),
                f"{row['synapses']:.0f}",
                f"{row['seconds']:.2f}",
                f"{row['events'] / row['seconds']:.1e}".replace("e+0", "e"),
                f"{row['megabytes']:.0f}",
            ]
            for row in along(rows, axis)
        ]
        found[axis] = table([TITLES[axis], "synapses", "seconds", "events/s", "variables (MB)"], body)
    body = [
        [TITLES[axis], *(power(along(rows, axis), axis, quantity) for quantity in ("seconds", "events"))]
        for axis in AXES
        if axis != "layers"
    ]
    body.append(
        [
            "columns, in trees of more layers",
            *(power(along(rows, "layers"), "columns", quantity) for quantity in ("seconds", "events")),
        ]
    )
    found["exponents"] = table(["exponent, over", "of seconds", "of events"], body)
    return found


def along(rows: Sequence[Row], axis: str) -> list[Row]:
    """Select the rows of one axis."""
    return [row for row in rows if row["axis"] == axis]


def exponent(rows: Sequence[Row], axis: str, quantity: str) -> float:
    """Fit the exponent of a power law, by least squares of logarithms.

    >>> round(exponent([{"n": 1, "t": 3.0}, {"n": 2, "t": 12.0}, {"n": 4, "t": 48.0}], "n", "t"), 6)
    2.0
    """
    return float(np.polyfit(np.log([row[axis] for row in rows]), np.log([row[quantity] for row in rows]), 1)[0])


def power(rows: Sequence[Row], axis: str, quantity: str) -> str:
    """Format an exponent, with a dash where there is a single size."""
    return f"{exponent(rows, axis, quantity):.2f}" if len(rows) > 1 else "-"


def figures(rows: Sequence[Row]) -> dict[str, Draw]:
    """Draw seconds against each quantity."""

    def draw() -> Figure:
        figure = Figure(figsize=(11, 2.8), layout="constrained")
        for axes, axis in zip(figure.subplots(1, len(AXES), sharey=True), AXES, strict=True):
            of_axis = along(rows, axis)
            axes.loglog([row[axis] for row in of_axis], [row["seconds"] for row in of_axis], "o-", color="C0")
            axes.set_xticks(AXES[axis], map(str, AXES[axis]), fontsize=8)
            axes.minorticks_off()
            axes.set_xlabel(TITLES[axis])
            axes.grid(alpha=0.3)
        figure.axes[0].set_ylabel("seconds")
        return figure

    return {"figure": draw}


EXPERIMENT = Program(
    "Time and memory of spiking columns that learn, against their cells, columns, layers and fixations",
    cases=[case_of(axis, value) for axis, values in AXES.items() for value in values],
    measure=measure,
    tables=tables,
    figures=figures,
    quick=[case_of(axis, values[0]) for axis, values in AXES.items()],
)


if __name__ == "__main__":
    print(json.dumps(simulate(json.loads(sys.argv[1]))))
