"""Figures of spiking layers: spikes, one membrane and its dendrite, and the weights of its column."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cortexsim.analysis.plots import COLOURS, legend_name
from cortexsim.spiking import Outcome, Timing

MODULATOR = "#CC79A7"


@dataclass(frozen=True)
class Scene:
    """Recordings of some fixations.

    Attributes:
        outcome: with every spike, the modulators, and the voltage and dendrite of one cell.
        weights: of the first column, (cells, inputs).
        timing: of the fixations.
        cell: whose voltage is drawn.
        volts: whether that is in volts, and not in units of the threshold.
    """

    outcome: Outcome
    weights: np.ndarray
    timing: Timing
    cell: int
    volts: bool = False


def spikes(axes: Axes, scene: Scene, title: str) -> Axes:
    """Draw the spikes of all groups, one above the other; lines are saccades, triangles the modulators at each.

    >>> events = np.array([[5, 20, 70], [0, 1, 2]])  # Time steps and cells, (2, spikes).
    >>> outcome = Outcome(activity={"layer1": np.zeros((2, 3))}, events={"layer1": events})
    >>> scene = Scene(outcome, weights=np.zeros((3, 4)), timing=Timing(dt=1e-3, fixation=60e-3, blank=5e-3), cell=0)
    >>> spikes(Figure().subplots(), scene, "two fixations").get_title()
    'two fixations'

    Args:
        axes: to draw on.
        scene: with events, (2, spikes) a group, and modulators, (fixations, columns) each.
        title: of the axes.
    """
    offset, dt = 0.0, scene.timing.dt * 1e3
    ticks: list[float] = []
    names: list[str] = []
    for index, (name, events) in enumerate(scene.outcome.events.items()):
        size = (
            scene.outcome.activity[name].shape[1]
            if name in scene.outcome.activity
            else int(events[1].max(initial=0)) + 1
        )
        axes.plot(
            events[0] * dt,
            offset + events[1],
            "|",
            markersize=1.5,
            color=COLOURS[index % len(COLOURS)],
            markeredgewidth=0.6,
        )
        ticks.append(offset + size / 2)
        names.append(name)
        offset += size
    _saccades(axes, scene)
    step = offset * 0.05
    for name, modulator in scene.outcome.modulators.items():
        offset += step
        for fixation, values in enumerate(modulator):
            share = np.mean(values != 0)
            axes.plot(
                (fixation + 1) * scene.timing.period * 1e3,
                offset,
                "v",
                color=MODULATOR,
                alpha=0.15 + 0.85 * share,
            )
        ticks.append(offset)
        names.append(name)
    axes.set_yticks(ticks, names)
    axes.set(title=title, ylim=(-2, offset + step))
    return axes


def membrane(axes: Axes, scene: Scene, layer: str) -> Axes:
    """Draw the voltage of one cell of a layer, and on the right the potential of its dendrite.

    Args:
        axes: to draw on; time is in ms, the voltage in units of the threshold, or of a cell in real units in mV.
        scene: with traces, (time steps,) each.
        layer: name of the population.
    """
    traces = scene.outcome.traces[layer]
    time = np.arange(len(traces["v"])) * scene.timing.dt * 1e3
    fired = scene.outcome.events[layer]
    mine = fired[0][fired[1] == scene.cell] * scene.timing.dt * 1e3
    if scene.volts:
        voltage, above, limits, unit = traces["v"] * 1e3, 10.0, (-100.0, 20.0), " [mV]"
    else:
        voltage, above, limits, unit = traces["v"], 1.25, (min(-1.2, 1.05 * traces["v"].min()), 1.6), ""
        axes.axhline(1, color="#999999", linewidth=0.6, linestyle=":")
    axes.plot(time, voltage, color="#333333", linewidth=0.8)
    axes.plot(mine, np.full(len(mine), above), "|", color="#333333", markersize=7)
    axes.set(ylabel=f"v of cell {scene.cell}{unit}", xlabel="time [ms]", ylim=limits)
    if "dendrite" in traces:
        right = axes.twinx()
        right.plot(time, traces["dendrite"], color=COLOURS[1], linewidth=1.2, drawstyle="steps-post")
        right.set_ylabel("dendritic potential", color=COLOURS[1])
    _saccades(axes, scene)
    return axes


def weights(axes: Axes, scene: Scene, largest: float) -> Axes:
    """Draw the weights of the first column, cells against inputs.

    Args:
        axes: to draw on.
        scene: with weights, (cells, inputs).
        largest: absolute value at both ends of the colour map.
    """
    axes.imshow(scene.weights, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    axes.set(xlabel="input", ylabel="cell")
    return axes


def raster(before: Scene, after: Scene, title: str) -> Figure:
    """Draw the same fixations before and after training, side by side.

    Args:
        before, after: of the same samples, with weights of shape (cells, inputs).
        title: name of the model.
    """
    figure = Figure(figsize=(12, 9), layout="constrained")
    panels = figure.subplots(3, 2, height_ratios=(3, 1.2, 1.5))
    layer = next(iter(before.outcome.traces))
    largest = float(np.abs(np.concatenate([before.weights, after.weights])).max())
    for column, (scene, when) in enumerate(((before, "before training"), (after, "after training"))):
        spikes(panels[0, column], scene, when).sharex(panels[1, column])
        membrane(panels[1, column], scene, layer)
        weights(panels[2, column], scene, largest)
    images = panels[2, 1].get_images()
    figure.colorbar(images[0], ax=panels[2, 1], label="weight")
    figure.suptitle(
        f"{legend_name(title)}, the same test samples; lines are saccades, triangles modulators (darker: more columns)"
    )
    return figure


def _saccades(axes: Axes, scene: Scene) -> None:
    for number in range(len(next(iter(scene.outcome.activity.values()))) + 1):
        axes.axvline(number * scene.timing.period * 1e3, color="#BBBBBB", linewidth=0.8, zorder=0)
