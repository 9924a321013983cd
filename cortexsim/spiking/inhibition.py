"""Inhibitory cells of a column, for layers that follow Dale's law: whoever excites does not inhibit (Eccles 1976)."""

from typing import Any

from cortexsim.spiking.assembly import LEARN, Parts, Plan
from cortexsim.spiking.cells import Cell, find_cell
from cortexsim.spiking.constraints import counters, release_parameters, transmitted
from cortexsim.spiking.layer import AGE, SINCE, TRACE, add_saccade
from cortexsim.spiking.network_spec import Connection, Group, Operation
from cortexsim.spiking.settings import Settings

SHARE = 4  # Excitatory cells for each inhibitory one, about as in cortex (Markram et al. 2004).


def inhibitory_cells(cells: int) -> int:
    """Say how many inhibitory cells a column of so many excitatory ones has."""
    return max(1, cells // SHARE)


def add_inhibition(plan: Plan, settings: Settings, below: str, plastic: bool, parts: Parts) -> None:
    """Add the inhibitory cells of a layer: LIF cells that hear the patch of their column, and inhibit its cells.

    The patch drives them through fixed weights. Their own weights m >= 0 begin at zero, and learn where the layer does,
    or one below it, by the rule of Vogels, Sprekeler, Zenke, Clopath, Gerstner, Science 2011,

        dm = eta (pre * post - target_activity * pre)

    with the activities at the end of a fixation as pre and post, where the paper has traces of 20 ms; eta is
    ``homeostasis``, whose place it takes.

    Args:
        plan: of the layer.
        settings: everything else.
        below: name of the presynaptic group.
        plastic: whether the inhibitory weights learn.
        parts: to add to.
    """
    group, cell, count = f"inhibitory{plan.number}", find_cell("lif"), inhibitory_cells(plan.cells)
    _add_cells(group, plan.positions * count, cell, settings, parts)
    tau = settings.values(cell)["tau_synapse"]
    outputs = ("patches", {"positions": plan.positions, "cells": plan.cells, "patch": count})
    _connect("recruitment", "w", plan, below, group, plan.inputs(count), count, settings, parts)
    parts.set(f"recruitment{plan.number}", {"unit": settings.gain / (plan.below_rate * tau)})
    _connect("inhibition", "m", plan, group, plan.name, outputs, plan.cells, settings, parts)
    constants = {"eta": settings.homeostasis, "target": settings.target_activity}
    parts.set(f"inhibition{plan.number}", {"unit": -settings.gain / (settings.unit_rate * tau), **constants})
    if plastic:
        whole = "schedule(t, 1)" if parts.ticks == 1 else "schedule(t, 1) * identity(t, 1)"
        change = f"{whole} * eta * output_pre * (output_post - target)"
        parts.operations.append(Operation(f"inhibition{plan.number}", LEARN, f"m = clip(m + {change}, 0, inf)"))


def _add_cells(name: str, size: int, cell: Cell, settings: Settings, parts: Parts) -> None:
    values = settings.values(cell)
    shared = dict.fromkeys(values, "second") | {"tau_activity": "second", "unit_rate": "Hz", "blank": "second"}
    values |= {
        "tau_activity": settings.tau_activity,
        "unit_rate": settings.unit_rate,
        "blank": settings.timing.blank,
    }
    model = [cell.equations, "bias : 1", AGE, TRACE, SINCE[parts.ticks], *counters(settings)]
    model += [f"{key} : {unit} (shared, constant)" for key, unit in shared.items()]
    reset = [*cell.reset.split("; "), "recent += 1", "spikes += 1", "last = t"]
    parts.groups.append(
        Group(
            name, size, "\n".join(model), threshold=cell.threshold, reset="\n".join(reset),
            refractory="t - last < t_refractory - dt/2", method=cell.method,
        )
    )  # fmt: skip
    parts.set(name, values)
    add_saccade(name, cell, settings, parts)


def _connect(
    kind: str, weight: str, plan: Plan, source: str, target: str, wiring: tuple[str, dict[str, Any]], row: int,
    settings: Settings, parts: Parts,
) -> None:  # fmt: skip
    name, values = f"{kind}{plan.number}", release_parameters(settings)
    keys = ("unit", *values, *(("eta", "target") if kind == "inhibition" else ()))
    model = [f"{weight} : 1", *(f"{key} : 1 (shared, constant)" for key in keys)]
    on_pre = transmitted([f"current_post += unit * {weight}"], kind, plan, settings)
    parts.connections.append(Connection(name, source, target, "\n".join(model), wiring, row=row, on_pre=on_pre))
    parts.set(name, values)
    parts.state.append((name, weight))
