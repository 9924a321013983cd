"""Cells that send up something else than the activity of a column, in spikes of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cortexsim.spiking.assembly import LayerSpec, Parts, Wiring, dedent, shared_constants
from cortexsim.spiking.constraints import (
    hidden_variables,
    release_parameters,
    step_weight,
    transmit,
    weight_parameters,
)
from cortexsim.spiking.network_spec import Connection, Operation, Phase, Variable
from cortexsim.spiking.population import add_population
from cortexsim.spiking.settings import Settings

Learn = Callable[[str, LayerSpec, Settings, Parts], list[str]]
"""Lets the synapses of a name learn, and returns what they declare for it."""


def on_or_off(cells: int) -> str:
    """Write the sign of the drive of so many ON cells of a column, and of as many OFF cells that follow them."""
    return f"(1 - 2 * int(i % {2 * cells} >= {cells}))"


def learn_as_taught(name: str, spec: LayerSpec, settings: Settings, parts: Parts) -> list[str]:
    """Let the synapses onto senders learn to drive them as they are taught; return what they declare.

    With y what a cell is taught and z the presynaptic activity less its mean,

        dw = eta (y - w z) z

    (Widrow, Hoff 1960), a comparison of two inputs in one cell, as in Urbanczik, Senn, Neuron 2014.
    """
    grow = f"""
        error = taught_post - expected_post
        step = {parts.learning} * eta * eta_factor(t) * (error * (output_pre - mean_pre) - weight_decay * w)
    """
    return add_learning(name, [dedent(grow)], [], spec, settings, parts)


def add_learning(
    name: str, step: Sequence[str], after: Sequence[str], spec: LayerSpec, settings: Settings, parts: Parts
) -> list[str]:
    """Let the synapses onto senders take a step at each update; return what they declare.

    Args:
        name: of the synapses.
        step: statements that compute it.
        after: statements that follow it.
        spec: of the layer.
        settings: everything else.
        parts: to add to.
    """
    constants = {"eta": settings.eta * settings.context_eta, "weight_decay": settings.weight_decay}
    constants |= weight_parameters(settings)
    taken = dedent(step_weight("w", "sending", spec, settings))
    parts.operations.append(Operation(name, Phase.LEARNING, "\n".join([*step, taken, *after])))
    parts.set(name, constants)
    parts.carry(name, "w", *hidden_variables(settings))
    return [*shared_constants(constants), *(f"{variable} : 1" for variable in hidden_variables(settings))]


def add_senders(
    spec: LayerSpec,
    cells: int,
    wiring: Wiring,
    tensor: str | None,
    settings: Settings,
    parts: Parts,
    polarity: str = "",
    group: str = "",
    received: Sequence[str] = ("taught",),
    learn: Learn = learn_as_taught,
) -> None:
    """Add cells that a layer drives by copies of weights that it has elsewhere, or by weights of their own.

    Each cell scales its drive to a root mean square of ``target_drive`` about its rest, ``prediction_rest``, or 0 for
    cells without spikes (synaptic scaling: Turrigiano 2008).

    Args:
        spec: of the layer; its ``output`` is the name of their group.
        cells: how many, of each column.
        wiring: of the synapses onto them.
        tensor: whose weights these copy; None for weights that begin at zero, and have to learn.
        settings: everything else.
        parts: to add to.
        polarity: factor of the drive, +1 or -1.
        group: their name; that of what the layer sends unless given.
        received: variables of the cells that weights of their own are learned from.
        learn: how these learn.
    """
    cell, group = settings.cell_of(spec.substrate), group or spec.output
    name = f"{group.removesuffix(str(spec.number))}_input{spec.number}"
    names = ["expected", "offset", "power", "scale", *(received if tensor is None else [])]
    variables = [f"{variable} : 1" for variable in names]
    constants = {"target_drive": settings.target_drive, "mean_rate": settings.mean_rate}
    add_population(group, spec.positions * cells, cell, settings, parts, variables, constants)
    period = settings.timing.dt * (settings.timing.steps // parts.updates)
    rest = settings.prediction_rest if cell.spikes else 0
    # Where a run that learns goes on, they still are what they were before the weights of the last fixation changed.
    scaling = f"""
        power += {parts.learning} * mean_rate * (expected**2 - power)
        kept = int(t < dt / 2) * learning(t + {period!r} * second) * int(abs(scale) > 0)
        scale = kept * scale + (1 - kept) * {f"{polarity} * " if polarity else ""}target_drive / sqrt(power + 1e-12)
        bias = kept * bias + (1 - kept) * ({rest:g} - scale * offset)
    """
    parts.operations.append(Operation(group, Phase.THIRD_FACTOR, dedent(scaling)))
    model = ["expected_post = w * (output_pre - mean_pre) : 1 (summed)", "offset_post = w * mean_pre : 1 (summed)"]
    connection = Connection(
        name, spec.name, group, "", wiring, row=cells, sums={"expected": Phase.DENDRITE, "offset": Phase.DENDRITE}
    )
    if cell.spikes:
        unit = 1 / (settings.unit_rate * settings.cell_values(cell)["tau_synapse"])
        values = {"unit": unit, **release_parameters(settings)}
        model += shared_constants(values)
        parts.set(name, values)
        on_pre = transmit(["current_post += unit * scale_post * w"], "sending", spec, settings)
        connection = replace(connection, on_pre=on_pre)
    else:
        drive = "w : 1\ncurrent_post = scale_post * w * output_pre : 1 (summed)"
        each_step = Connection(
            f"{name}_drive",
            spec.name,
            group,
            drive,
            wiring,
            row=cells,
            sums={"current": Phase.DENDRITE},
            every_step=True,
        )
        parts.connections.append(each_step)
        parts.state.append(Variable(each_step.name, "w", tensor=tensor or "", layer=spec.number, writes_back=False))
    model += ["w : 1"]
    if tensor is None:
        model += learn(name, spec, settings, parts)
    else:
        parts.state.append(Variable(name, "w", tensor=tensor, layer=spec.number, writes_back=False))
    parts.connections.append(replace(connection, model="\n".join(model)))
    parts.carry(group, "power", "scale", "bias")


def add_teachers(
    spec: LayerSpec, columns: Sequence[Sequence[int]], received: Mapping[str, str], phase: Phase, parts: Parts
) -> None:
    """Wire senders, as many as a column has cells, to the cells of their own index in other columns.

    Args:
        spec: of the layer.
        columns: from which each column's senders receive, (positions, n).
        received: what they receive from each, by the name of their variable that sums it.
        phase: when they receive it.
        parts: to add to.
    """
    model = "\n".join(f"{variable}_post = {text} : 1 (summed)" for variable, text in received.items())
    wiring = ("same_index", {"sources": columns, "cells": spec.cells, "kinds": 2 if spec.on_off else 1})
    sums = dict.fromkeys(received, phase)
    name = f"teacher{spec.number}"
    parts.connections.append(Connection(name, spec.name, spec.output, model, wiring, row=1, sums=sums))
