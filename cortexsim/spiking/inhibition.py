"""Lateral inhibition in layers that follow Dale's law: a cell that excites does not inhibit (Eccles 1976)."""

import numpy as np

from cortexsim.seeds import stream
from cortexsim.spiking.assembly import LayerSpec, Parts, Wiring, shared_constants
from cortexsim.spiking.cells import load_cell
from cortexsim.spiking.constraints import release_parameters, transmit
from cortexsim.spiking.network_spec import Connection, Operation, Phase
from cortexsim.spiking.population import add_population
from cortexsim.spiking.settings import Settings

RATIO = 4  # Excitatory cells for each inhibitory one, about as in cortex (Markram et al. 2004).


def inhibitory_cells(cells: int) -> int:
    """Count the inhibitory cells of a column of so many excitatory ones.

    >>> inhibitory_cells(64)
    16
    """
    return max(1, cells // RATIO)


def inhibitory_input(number: int, shape: tuple[int, int, int], rms: float, seed: int) -> dict[str, np.ndarray]:
    """Draw the weights from the receptive field of each column to its inhibitory cells; they never learn.

    Args:
        number: of the layer, from 1.
        shape: of its feedforward weights, (positions, cells, presynaptic cells).
        rms: root mean square of the weights, which are half-normal.
        seed: root seed.

    Returns:
        Weights by name of the variable, (synapses,).
    """
    positions, cells, patch = shape
    count = positions * inhibitory_cells(cells) * patch
    drawn = stream(seed, "weights", "recruitment", number).normal(0, rms, count)
    return {f"inhibitory_input{number}.w": np.abs(drawn)}


def add_inhibition(spec: LayerSpec, settings: Settings, below: str, plastic: bool, parts: Parts) -> None:
    """Add the inhibitory cells of a layer: LIF cells that share the receptive field of their column, and inhibit it.

    The weights that drive them are fixed. Their own weights w >= 0 begin at zero, and learn where the layer does, or
    one below it, by the rule of Vogels, Sprekeler, Zenke, Clopath, Gerstner, Science 2011,

        dw = eta (pre * post - target_activity * pre)

    with the activities at the end of a fixation as pre and post, where the paper has traces of 20 ms; eta is
    ``homeostasis``, whose place it takes.

    Args:
        spec: of the layer.
        settings: everything else.
        below: name of the presynaptic group.
        plastic: whether the inhibitory weights learn.
        parts: to add to.
    """
    group, cell, count = f"inhibitory{spec.number}", load_cell("lif"), inhibitory_cells(spec.cells)
    add_population(group, spec.positions * count, cell, settings, parts)
    tau = settings.cell_values(cell)["tau_synapse"]
    excitation = {"unit": settings.gain / (spec.presynaptic_rate * tau)}
    _connect("inhibitory_input", spec, below, group, spec.feedforward_wiring(count), count, excitation, settings, parts)
    outputs = ("patches", {"positions": spec.positions, "cells": spec.cells, "patch": count})
    inhibition = {"unit": -settings.gain / (settings.unit_rate * tau)}
    inhibition |= {"eta": settings.homeostasis, "target": settings.target_activity}
    _connect("inhibition", spec, group, spec.name, outputs, spec.cells, inhibition, settings, parts)
    if plastic:
        change = f"{parts.learning} * eta * output_pre * (output_post - target)"
        learn = f"w = clip(w + {change}, 0, inf)"
        parts.operations.append(Operation(f"inhibition{spec.number}", Phase.LEARNING, learn))


def _connect(
    kind: str,
    spec: LayerSpec,
    source: str,
    target: str,
    wiring: Wiring,
    row: int,
    constants: dict[str, float],
    settings: Settings,
    parts: Parts,
) -> None:
    name, values = f"{kind}{spec.number}", constants | release_parameters(settings)
    model = "\n".join(["w : 1", *shared_constants(values)])
    on_pre = transmit(["current_post += unit * w"], kind, spec, settings)
    parts.connections.append(Connection(name, source, target, model, wiring, row=row, on_pre=on_pre))
    parts.set(name, values)
    parts.carry(name, "w")
