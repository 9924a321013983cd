"""From one layer to the groups, synapses and operations that make it up."""

import re

from cortexsim.spiking.assembly import HEAR, LEARN, SACCADE, Parts, Plan, dedent
from cortexsim.spiking.cells import Cell
from cortexsim.spiking.constraints import (
    counters,
    entered,
    release_parameters,
    stepped,
    transmitted,
    weight_parameters,
)
from cortexsim.spiking.network_spec import Connection, Group, Operation
from cortexsim.spiking.plasticity_equations import add_context, add_plasticity, plastic_variables
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Settings

AGE = """
    saccade : second (shared)
    age = timestep(t - saccade, dt) * dt : second (shared)
"""
"""Time since the last saccade, in whole steps, so that it is the same to the last bit in every fixation."""

SINCE = {
    1: "since = age : second (shared)",
    2: "onset : second (shared)\nsince = timestep(t - onset, dt) * dt : second (shared)",
}
"""The same where there are two ticks in a fixation, and `age` counts from the last of them."""

TRACE = """
    drecent/dt = -recent / tau_activity : 1
    output = recent * (1 - exp(-dt / tau_activity)) / (unit_rate * dt * share) : 1
    share = 1 - exp(-clip((since - blank) / tau_activity, dt / tau_activity, inf)) : 1
    spikes : 1
    last : second
"""
"""Activity read from spikes: the rate within the fixation so far, recent spikes counting more."""


def add_layer(
    plan: Plan,
    settings: Settings,
    translation: Translation | None,
    below: str,
    classes: int,
    parts: Parts,
) -> None:
    """Add a layer: its cells, the synapses that drive them, and its plasticity.

    Args:
        plan: its sizes.
        settings: everything else.
        translation: of its rule; None where it does not learn.
        below: name of the presynaptic group.
        classes: n_c, cells of the label population.
        parts: to add to.
    """
    cell = settings.cell_of(plan.substrate)
    _add_cells(plan, settings, cell, translation, parts)
    _add_feedforward(plan, settings, cell, translation, below, parts)
    if plan.plastic and translation is not None:
        add_plasticity(plan, settings, translation, parts)
        if translation.context:
            add_context(plan, settings, translation, classes, parts)
    add_saccade(plan.name, cell, settings, parts)


def add_saccade(name: str, cell: Cell, settings: Settings, parts: Parts) -> None:
    """Let cells begin anew with each fixation."""
    resets = [*cell.saccade.split("; "), *(["recent = 0", "last = -1*second"] if cell.spikes else [])]
    clocks = ["saccade = t", *(entered(settings) if cell.spikes else [])]
    if parts.ticks == 2:  # Only every other tick is a saccade.
        clocks.append("onset += identity(t, 1) * (t - onset)")
        resets = [re.sub(r"(\w+) = (.*)", r"\1 += identity(t, 1) * (\2 - \1)", reset) for reset in resets]
    parts.operations.append(Operation(name, SACCADE, "\n".join(clocks)))
    parts.operations.append(Operation(name, SACCADE, "\n".join(resets)))


def _add_cells(plan: Plan, settings: Settings, cell: Cell, translation: Translation | None, parts: Parts) -> None:
    values = settings.values(cell)
    model = [cell.equations, "bias : 1", "mean : 1", "signal : 1", AGE, *counters(settings)]
    shared = {name: "second" if name.startswith(("tau_", "t_")) else "1" for name in values}
    shared |= {"centred": "1"}
    values |= {"centred": float(settings.centred and plan.plastic)}
    if cell.spikes:
        model += [TRACE, SINCE[parts.ticks]]
        shared |= {"tau_activity": "second", "unit_rate": "Hz", "blank": "second"}
        values |= {
            "tau_activity": settings.tau_activity,
            "unit_rate": settings.unit_rate,
            "blank": settings.timing.blank,
        }
    else:
        model.append("output = rate : 1")
    model.append("activity = output - centred * mean : 1")
    if plan.plastic and translation is not None:
        model += [f"{name} : 1" for name in plastic_variables(plan, translation)]
        if translation.halves:
            model += ["tau_dendrite : second (shared, constant)", "told_unit : 1 (shared, constant)"]
            values["tau_dendrite"] = settings.tau_dendrite
        shared |= dict.fromkeys((*translation.constants, "mean_rate", "homeostasis", "target_activity"), "1")
        values |= translation.constants
        values |= {name: getattr(settings, name) for name in ("mean_rate", "homeostasis", "target_activity")}
    model += [f"{name} : {unit} (shared, constant)" for name, unit in shared.items()]
    spiked = ["recent += 1", "spikes += 1", "last = t", *(["spiked = 1"] if translation and translation.halves else [])]
    parts.set(plan.name, values)
    parts.groups.append(
        Group(
            plan.name,
            plan.size,
            "\n".join(model),
            threshold=cell.threshold,
            reset="\n".join([*cell.reset.split("; "), *spiked]) if cell.spikes else "",
            refractory="t - last < t_refractory - dt/2" if cell.spikes else "",
            method=cell.method,
        )
    )
    parts.state += [(plan.name, name) for name in ("bias", "mean")]


def _add_feedforward(
    plan: Plan, settings: Settings, cell: Cell, translation: Translation | None, below: str, parts: Parts
) -> None:
    """Connect every column with its patch; synapses of a layer that learns keep an eligibility trace."""
    name = f"feedforward{plan.number}"
    plastic = plan.plastic and translation is not None
    model, sums, on_pre = ["w : 1"], {}, []
    values: dict[str, float] = {}
    limits = weight_parameters(settings, not settings.dale)
    if plan.below_rate:
        values |= release_parameters(settings)
        model += [f"{key} : 1 (shared, constant)" for key in ("unit", *values)]
        tau = settings.values(cell).get("tau_synapse", 0.0)
        values["unit"] = settings.gain / (plan.below_rate * tau) if tau else 0.0
        on_pre.append("current_post += unit * w")
    else:
        model.append("current_post = w * output_pre : 1 (summed)")
        sums["current"] = HEAR
    if plastic and translation is not None:
        model += [
            "elig : 1",
            *(f"{key} : 1 (shared, constant)" for key in ("eta", "weight_decay", *limits, "carry", "elig_unit")),
        ]
        model += ["tau_eligibility : second (shared, constant)", "period : second (shared, constant)"]
        tau = settings.tau_eligibility
        values |= {
            "eta": settings.eta,
            "weight_decay": settings.weight_decay,
            **limits,
            "carry": 0.0 if settings.reset_traces else 1.0,
            "elig_unit": 1 / (plan.below_rate * settings.window(tau)) if plan.below_rate else 1.0,
            "tau_eligibility": tau,
            "period": settings.timing.period / parts.ticks,
        }
        if plan.below_rate:
            on_pre.append(f"elig += ({translation.eligibility}) * exp(age_post / tau_eligibility)")
            trail = "elig * exp(-period / tau_eligibility)"
        else:
            model.append(
                f"delig/dt = (-elig + ({translation.eligibility}) * output_pre) / tau_eligibility : 1 (clock-driven)"
            )
            model.remove("elig : 1")
            trail = "elig"
        kept = "carry" if parts.ticks == 1 else "(1 - identity(t, 1) * (1 - carry))"
        learn = f"""
            trail = {trail}
            step = eta * schedule(t, 0) * (change_post * trail * elig_unit - (forget_post + weight_decay) * w)
            {stepped("w", "feedforward", plan, settings, not settings.dale)}
            elig = elig + schedule(t, 1) * ({kept} * trail - elig)
        """
        parts.operations.append(Operation(name, LEARN, dedent(learn)))
        parts.state.append((name, "elig"))
    parts.set(name, values)
    parts.state.append((name, "w"))
    parts.connections.append(
        Connection(
            name, below, plan.name, "\n".join(model), plan.inputs(plan.cells),
            row=plan.cells, on_pre=transmitted(on_pre, "feedforward", plan, settings), sums=sums, every_step=bool(sums),
        )
    )  # fmt: skip
