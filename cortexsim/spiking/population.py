"""Populations of cells with a clock of fixations: the cells of a layer, and those beside them."""

from collections.abc import Mapping, Sequence

from cortexsim.spiking.assembly import Parts, shared_constants
from cortexsim.spiking.cells import Cell
from cortexsim.spiking.network_spec import Group, Operation, Phase
from cortexsim.spiking.settings import Settings

CLOCK = """
    last_update : second (shared)
    age = timestep(t - last_update, dt) * dt : second (shared)
"""
"""Time since the last update, in whole steps, so that it is the same to the last bit in every fixation."""

FIXATION_AGE = {
    1: "fixation_age = age : second (shared)",
    2: "last_saccade : second (shared)\nfixation_age = timestep(t - last_saccade, dt) * dt : second (shared)",
}
"""Time since the last saccade, by how many updates there are in a fixation."""

ACTIVITY = """
    drecent/dt = -recent / tau_activity : 1
    output = recent * (1 - exp(-dt / tau_activity)) / (unit_rate * dt * share) : 1
    share = 1 - exp(-clip((fixation_age - blank) / tau_activity, dt / tau_activity, inf)) : 1
    spikes : 1
    last_spike : second
"""
"""Activity read from spikes: the rate within the fixation so far, recent spikes counting more."""

REFRACTORY = "t - last_spike < t_refractory - dt/2"
SEED, STIMULUS_NUMBER = "seed : integer (shared, constant)", "stimulus_number : integer (shared)"
UNITS = {
    "time": "second",
    "frequency": "Hz",
    "voltage": "volt",
    "current": "amp",
    "conductance": "siemens",
    "capacitance": "farad",
    "conductance per voltage": "siemens/volt",
    "number": "1",
}


def add_population(
    name: str,
    size: int,
    cell: Cell,
    settings: Settings,
    parts: Parts,
    variables: Sequence[str] = (),
    constants: Mapping[str, float] | None = None,
    on_spike: Sequence[str] = (),
) -> None:
    """Add cells, their activity as it is read from spikes or rates, and what a saccade resets.

    >>> parts, settings = Parts(), Settings()
    >>> add_population("layer1", 64, settings.cell_of("spiking"), settings, parts)
    >>> parts.groups[0].threshold, parts.groups[0].reset.splitlines()
    ('v > 1', ['v = 0', 'recent += 1', 'spikes += 1', 'last_spike = t'])
    >>> print(parts.operations[0].code)  # At a saccade.
    last_update = t
    v = 0
    current = 0
    recent = 0
    last_spike = -1*second

    Args:
        name: of the group.
        size: how many cells.
        cell: their equations.
        settings: everything else.
        parts: to add to.
        variables: further equations, with units.
        constants: further constants without unit, and their values.
        on_spike: further statements at a spike.
    """
    values = settings.cell_values(cell)
    units = {parameter: UNITS[kind] for parameter, kind in cell.kinds.items()}
    model, updates, resets = [cell.equations, "bias : 1", CLOCK], ["last_update = t"], dict(cell.on_saccade)
    draws = settings.weight_bits is not None or settings.release_probability < 1
    if draws:
        model.append(SEED)
    if cell.spikes:
        model += [ACTIVITY, FIXATION_AGE[parts.updates]]
        units |= {"tau_activity": "second", "blank": "second", "unit_rate": "Hz"}
        values |= {"tau_activity": settings.tau_activity, "blank": settings.timing.blank}
        values["unit_rate"] = settings.unit_rate
        resets |= {"recent": "0", "last_spike": "-1*second"}
        if settings.release_probability < 1:
            model.append(STIMULUS_NUMBER)
            updates.append("stimulus_number = int(stimulus_id(t))")
    else:
        model.append("output = rate : 1")
    if parts.updates == 2:
        updates.append("last_saccade += is_saccade(t) * (t - last_saccade)")
        updates += [f"{state} += is_saccade(t) * ({value} - {state})" for state, value in resets.items()]
    else:
        updates += [f"{state} = {value}" for state, value in resets.items()]
    constants = constants or {}
    model += [*variables, *(f"{constant} : {unit} (shared, constant)" for constant, unit in units.items())]
    model += shared_constants(constants)
    on_spike = [*cell.reset_statements, "recent += 1", "spikes += 1", "last_spike = t", *on_spike]
    parts.groups.append(
        Group(
            name,
            size,
            "\n".join(model),
            threshold=cell.threshold,
            reset="\n".join(on_spike) if cell.spikes else "",
            refractory=REFRACTORY if cell.spikes else "",
            method=cell.integrator,
            seeded=draws,
        )
    )
    # The first update ends a fixation that never was; this keeps its quotients finite.
    period = settings.timing.dt * (settings.timing.steps // parts.updates)
    clock = {"last_update": -period, **({"last_saccade": -2 * period} if cell.spikes and parts.updates == 2 else {})}
    parts.set(name, {**values, **constants, **clock})
    parts.operations.append(Operation(name, Phase.RESET, "\n".join(updates)))
