"""Cells that send up what a column makes the dendrites that hear it expect, in the place of its own activity."""

from cortexsim.spiking.assembly import HEAR, SACCADE, THIRD, Parts, Plan, dedent
from cortexsim.spiking.constraints import counters, entered, release_parameters, transmitted
from cortexsim.spiking.layer import AGE, SINCE, TRACE
from cortexsim.spiking.network_spec import Connection, Group, Operation
from cortexsim.spiking.settings import Settings


def add_senders(plan: Plan, settings: Settings, parts: Parts) -> None:
    """Add the senders of a layer, as many as it has cells, each driven by its column as the dendrites that hear it are.

    Their synapses have the weights of the context synapses. Each scales its drive to a root mean square of ``reach``
    about a rest at the rheobase (synaptic scaling: Turrigiano 2008).

    Args:
        plan: of the layer.
        settings: everything else.
        parts: to add to.
    """
    cell = settings.cell_of(plan.substrate)
    values = settings.values(cell)
    shared = {name: "second" if name.startswith(("tau_", "t_")) else "1" for name in values}
    shared |= {"tau_activity": "second", "unit_rate": "Hz", "blank": "second", "reach": "1", "follow": "1"}
    values |= {
        "tau_activity": settings.tau_activity,
        "unit_rate": settings.unit_rate,
        "blank": settings.timing.blank,
        "reach": settings.target_drive,
        "follow": settings.mean_rate,
    }
    model = [cell.equations, "bias : 1", "expected : 1", "offset : 1", "power : 1", "scale : 1", AGE, TRACE, SINCE[1]]
    model += counters(settings)
    model += [f"{name} : {unit} (shared, constant)" for name, unit in shared.items()]
    reset = [*cell.reset.split("; "), "recent += 1", "spikes += 1", "last = t"]
    parts.groups.append(
        Group(
            plan.sender, plan.size, "\n".join(model), threshold=cell.threshold, reset="\n".join(reset),
            refractory="t - last < t_refractory - dt/2", method=cell.method,
        )
    )  # fmt: skip
    parts.set(plan.sender, values)
    settle = """
        power += schedule(t, 1) * follow * (expected**2 - power)
        scale = reach / sqrt(power + 1e-12)
        bias = 1 - scale * offset
    """
    resets = ["saccade = t", *entered(settings), *cell.saccade.split("; "), "recent = 0", "last = -1*second"]
    parts.operations += [
        Operation(plan.sender, THIRD, dedent(settle)),
        Operation(plan.sender, SACCADE, "\n".join(resets)),
    ]
    name = f"sending{plan.number}"
    values = {"unit": 1 / (settings.unit_rate * values["tau_synapse"]), **release_parameters(settings)}
    model = ["w : 1", *(f"{key} : 1 (shared, constant)" for key in values)]
    model += ["expected_post = w * (output_pre - mean_pre) : 1 (summed)", "offset_post = w * mean_pre : 1 (summed)"]
    parts.connections.append(
        Connection(
            name, plan.name, plan.sender, "\n".join(model),
            ("onward", {"sources": plan.heard, "cells": plan.cells}), row=plan.cells,
            on_pre=transmitted(["current_post += unit * scale_post * w"], "sending", plan, settings),
            sums={"expected": HEAR, "offset": HEAR},
        )
    )  # fmt: skip
    parts.set(name, values)
    parts.state += [(plan.sender, "power"), (name, "w")]
