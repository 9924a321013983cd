"""Time and memory of a training step, local and end to end: ``cortexsim experiment step_cost``.

Convolutional layers of equal width on random pictures of the size of CIFAR-10. All ways to train them are measured in
turn, in one process on one thread, and in CPU time, which other processes change little.
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import ClassVar

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from cortexsim.analysis.plots import COLOURS, MARKERS
from cortexsim.config import building
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.learners import PairedLocal
from cortexsim.rate import side_by_side
from cortexsim.rate.threads import one_thread
from cortexsim.report.markdown import table
from cortexsim.studies.program_experiment import Program, Row

HERE = Path(__file__).parent
DEPTHS, CELLS, PLACES, BATCH, ROUNDS = (2, 4, 6, 8), 32, 4, 32, 3
MARGIN, ETA = 1.0, 2e-4
GREEDY, LOCAL, BOTH, END, BARE = (
    "greedy, highest layer",
    "all layers",
    "all layers, both contexts",
    "end to end",
    "torch",
)
TITLES = {
    GREEDY: "local, greedy: the highest layer alone",
    LOCAL: "local, all layers",
    BOTH: "local, all layers, and a dendrite for the top",
    END: "end to end",
    BARE: "end to end, a bare loop of torch",
}
Step = Callable[[], None]


@dataclass(frozen=True)
class Pictures:
    """The layout of CIFAR-10."""

    name: ClassVar[str] = "pictures"
    second_views: ClassVar[str] = "view"
    grid: ClassVar[tuple[int, ...]] = (32, 32)
    channels: ClassVar[int] = 3
    classes: ClassVar[int] = 10
    depth: ClassVar[int | None] = None
    branching: ClassVar[int] = 2


def learner_step(name: str, depth: int, batch: Tensor) -> Step:
    """Return a step of a learner of cortexsim, on pairs of pictures, (batch, 2, positions, channels)."""
    end_to_end = name == END
    model = find_model("end-to-end.toml" if end_to_end else "local.toml", HERE)
    (layer,) = model.model_dump()["layer"]
    below = {**layer, "places": None} if end_to_end else layer  # The loss is that of the highest layer.
    values = {"layer": [below] * (depth - 1) + [layer]}
    if not end_to_end:
        values |= {"rule.context": "view|view-top" if name == BOTH else "view"}
        values |= {"rule.schedule": "greedy" if name == GREEDY else "simultaneous"}
    learner = building.assemble(changed(model, values), Pictures(), seed=0)
    stage = learner.stages - 1
    assert not isinstance(learner, PairedLocal) or learner.schedule[stage][-1] == depth - 1
    labels = torch.zeros(len(batch), dtype=torch.long)
    return lambda: learner.step(stage, batch, labels, progress=None)


def bare_step(depth: int, batch: Tensor) -> Step:
    """Return a step of the same network with the same loss at the top, as one would write it by torch alone."""
    convolutions = [nn.Conv2d(CELLS if k else Pictures.channels, CELLS, 3, padding=1) for k in range(depth)]
    network = nn.Sequential(*(module for each in convolutions for module in (each, nn.ReLU())))
    network.append(nn.AdaptiveAvgPool2d(PLACES)).append(nn.Flatten())
    predictor = nn.Linear(CELLS * PLACES**2, CELLS * PLACES**2, bias=False)
    weights = [*network.parameters(), *predictor.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=ETA, weight_decay=0, fused=True)
    pictures = side_by_side(batch).transpose(1, 2).unflatten(2, Pictures.grid).contiguous()

    def step() -> None:
        optimizer.zero_grad()
        found = network(pictures)
        predicted = predictor(found.detach().roll(len(batch), 0))
        own, other = ((found * each).sum(1) for each in (predicted, predicted.roll(1, 0)))
        (torch.relu(MARGIN - own) + torch.relu(MARGIN + other)).mean().backward()
        optimizer.step()

    return step


def peak(step: Step) -> int:
    """Measure by how many bytes the memory that torch holds rises during a step, by the record of its allocator."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as record:
        step()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        record.export_chrome_trace(str(path))
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    memory = sorted((each for each in events if each["name"] == "[memory]"), key=lambda each: each["ts"])
    held = [each["args"]["Total Allocated"] for each in memory]
    return int(max(held) - (held[0] - memory[0]["args"]["Bytes"]))


@one_thread()
def measure(case: Mapping[str, int]) -> list[Row]:
    """Measure all ways to train a network of some ``layers``, in turn.

    Returns:
        A row per way, with the ``seconds`` of each round and the ``bytes`` of a step.
    """
    depth = case["layers"]
    generator = torch.Generator().manual_seed(0)
    side = Pictures.grid[0]
    batch = torch.rand(case.get("batch", BATCH), 2, side**2, Pictures.channels, generator=generator)
    steps = {name: learner_step(name, depth, batch) for name in (GREEDY, LOCAL, BOTH, END)}
    steps[BARE] = bare_step(depth, batch)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():  # The first one makes the moments of the optimiser.
        step()
    for _ in range(case.get("rounds", ROUNDS)):
        for name, step in steps.items():
            start = time.process_time()
            step()
            seconds[name].append(round(time.process_time() - start, 5))
    return [{**case, "way": name, "seconds": seconds[name], "bytes": peak(step)} for name, step in steps.items()]


def by_way(rows: Sequence[Row], measured: Callable[[Row], float]) -> dict[str, dict[int, float]]:
    """Collect a measure by way and number of layers."""
    found: dict[str, dict[int, float]] = {name: {} for name in TITLES}
    for row in rows:
        found[row["way"]][row["layers"]] = measured(row)
    return found


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Make the README's tables: times, with ratios to end to end, and memory."""
    times = by_way(rows, lambda row: median(row["seconds"]))
    memory = by_way(rows, lambda row: row["bytes"] / 2**20)
    depths = list(times[END])
    head = ["", *(f"{depth} layers" for depth in depths)]
    timed = [
        [TITLES[name], *(f"{of[depth]:.3f} s ({of[depth] / times[END][depth]:.2f})" for depth in depths)]
        for name, of in times.items()
    ]
    held = [[TITLES[name], *(f"{of[depth]:.0f} MiB" for depth in depths)] for name, of in memory.items()]
    return {"time": table(head, timed), "memory": table(head, held)}


def draw(rows: Sequence[Row]) -> Figure:
    """Draw time and memory of a step against the number of layers."""
    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    panels = figure.subplots(1, 2)
    measures = (lambda row: median(row["seconds"])), (lambda row: row["bytes"] / 2**20)
    for axes, measured, label in zip(panels, measures, ("seconds a step", "MiB a step"), strict=True):
        for number, (name, of) in enumerate(by_way(rows, measured).items()):
            axes.plot(*zip(*of.items(), strict=True), color=COLOURS[number], marker=MARKERS[number], label=TITLES[name])
        axes.spines[["top", "right"]].set_visible(False)
        axes.set(xlabel="layers", ylabel=label, ylim=(0, None), xticks=sorted({row["layers"] for row in rows}))
    panels[0].legend(frameon=False, fontsize=8)
    return figure


EXPERIMENT = Program(
    "Time and memory of a training step of CLAPP++, local and end to end, beside a bare loop of torch",
    cases=[{"layers": depth} for depth in DEPTHS],
    measure=measure,
    tables=tables,
    figures=lambda rows: {"figure": lambda: draw(rows)},
    quick=[{"layers": depth, "batch": 2, "rounds": 1} for depth in DEPTHS[:2]],
)
