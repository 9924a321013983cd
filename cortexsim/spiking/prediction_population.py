"""Cells that send up the context that a column predicts for others, in place of the activity of the column."""

from cortexsim.spiking.assembly import LayerSpec, Parts, dedent, shared_constants
from cortexsim.spiking.constraints import release_parameters, transmit
from cortexsim.spiking.network_spec import Connection, Operation, Phase, Variable
from cortexsim.spiking.population import add_population
from cortexsim.spiking.settings import Settings


def add_predictions(spec: LayerSpec, settings: Settings, parts: Parts) -> None:
    """Add the prediction cells of a layer, as many as it has cells, driven by copies of the context synapses.

    Each column drives its own prediction cells as it drives the dendrites of the columns that have it as their context.
    Each cell scales its drive to a root mean square of ``target_drive`` about a rest at the rheobase, which is 0 for
    cells without spikes (synaptic scaling: Turrigiano 2008).

    Args:
        spec: of the layer.
        settings: everything else.
        parts: to add to.
    """
    cell, group, name = settings.cell_of(spec.substrate), spec.output, f"prediction_input{spec.number}"
    variables = [f"{variable} : 1" for variable in ("expected", "offset", "power", "scale")]
    constants = {"target_drive": settings.target_drive, "mean_rate": settings.mean_rate}
    add_population(group, spec.size, cell, settings, parts, variables, constants)
    rheobase = int(cell.spikes)
    scaling = f"""
        power += learning(t) * mean_rate * (expected**2 - power)
        scale = target_drive / sqrt(power + 1e-12)
        bias = {rheobase} - scale * offset
    """
    parts.operations.append(Operation(group, Phase.THIRD_FACTOR, dedent(scaling)))
    model = ["expected_post = w * (output_pre - mean_pre) : 1 (summed)", "offset_post = w * mean_pre : 1 (summed)"]
    values, on_pre, sums = {}, "", {"expected": Phase.DENDRITE, "offset": Phase.DENDRITE}
    if cell.spikes:
        unit = 1 / (settings.unit_rate * settings.cell_values(cell)["tau_synapse"])
        values = {"unit": unit, **release_parameters(settings)}
        on_pre = transmit(["current_post += unit * scale_post * w"], "prediction_input", spec, settings)
    else:
        drive = ["current_post = scale_post * w * output_pre : 1 (summed)"]
        _connect(f"prediction_drive{spec.number}", drive, spec, parts, "", {"current": Phase.DENDRITE}, every_step=True)
    _connect(name, [*model, *shared_constants(values)], spec, parts, on_pre, sums)
    parts.set(name, values)
    parts.carry(group, "power")


def _connect(
    name: str,
    model: list[str],
    spec: LayerSpec,
    parts: Parts,
    on_pre: str,
    sums: dict[str, Phase],
    every_step: bool = False,
) -> None:
    """Connect a layer with its prediction cells, by copies of its context weights."""
    wiring = ("onward", {"sources": spec.context_sources, "cells": spec.cells})
    parts.connections.append(
        Connection(
            name,
            spec.name,
            spec.output,
            "\n".join(["w : 1", *model]),
            wiring,
            row=spec.cells,
            on_pre=on_pre,
            sums=sums,
            every_step=every_step,
        )
    )
    parts.state.append(Variable(name, "w", tensor="context", layer=spec.number, writes_back=False))
