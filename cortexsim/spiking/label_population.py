"""The population that says the label, in numbers or in spikes, and cells that answer with the class in spikes.

Where labels spike, a layer that has them as its context receives them as it receives other columns. Beside it stands
a class cell for each label, which the spikes of the layer drive; it is taught by its label cell as prediction cells are
by the cells that they predict, and scales its drive as they do. The class cell that is most active is the network's
answer, without a readout, and without a weight that is copied.
"""

from cortexsim.spiking.assembly import LayerSpec, Parts, shared_constants
from cortexsim.spiking.network_spec import Connection, Group, Operation, Phase
from cortexsim.spiking.plasticity_equations import (
    MEANS_OF_HALVES,
    add_potentials,
    centred_signal,
    follow_halves,
    remember_signals,
)
from cortexsim.spiking.population import ACTIVITY, CLOCK, FIXATION_AGE, SEED, STIMULUS_NUMBER
from cortexsim.spiking.sending_population import add_senders
from cortexsim.spiking.settings import Settings

LABELS, CLASSES = "labels", "classes"
"""Groups of the label population and of the class cells."""


def add_labels(classes: int, settings: Settings, lags: list[str], psp: bool, parts: Parts) -> None:
    """Add a population with a cell for each label, active while it is shown.

    Where plasticity is centred, dendrites receive labels less their mean. A context that is never negative would, where
    a rule weakens synapses after saccades, weaken all of them.

    Args:
        classes: n_c, cells of the population.
        settings: everything else.
        lags: endings of the variables that hold its activity in earlier fixations.
        psp: whether dendrites receive its spikes as postsynaptic potentials.
        parts: to add to.
    """
    names = ["signal", *(f"previous_signal{lag}" for lag in lags)]
    if settings.labels == "spikes":
        _add_spiking(classes, settings, names, lags, psp, parts)
        return
    mean = 1 / classes if settings.centred else 0
    parts.groups.append(Group(LABELS, classes, "\n".join(f"{name} : 1" for name in names)))
    parts.operations.append(Operation(LABELS, Phase.SIGNAL, f"signal = label(t, i) - {mean}"))
    if lags:
        parts.operations.append(Operation(LABELS, Phase.STATISTICS, "\n".join(remember_signals(lags))))
        parts.carry(LABELS, *names[1:])


def _add_spiking(classes: int, settings: Settings, names: list[str], lags: list[str], psp: bool, parts: Parts) -> None:
    """Add label cells that fire at ``unit_rate`` as a Poisson process while their label is shown."""
    names = [*names, "mean", "shown"]
    reset = ["recent += 1", "spikes += 1"]
    if psp:
        names += ["spiked", "spike_line", "delayed_spike", "psp", "delayed_signal", *MEANS_OF_HALVES]
        reset.append("spiked = 1")
    constants = {"tau_activity": "second", "blank": "second", "unit_rate": "Hz"}
    constants |= {"tau_dendrite": "second"} if psp else {}
    numbers = ["centred", "mean_rate", *(["psp_unit"] if psp else [])]
    model = [CLOCK, SEED, STIMULUS_NUMBER, ACTIVITY, FIXATION_AGE[parts.updates], *(f"{name} : 1" for name in names)]
    model += [f"{name} : {unit} (shared, constant)" for name, unit in constants.items()] + shared_constants(numbers)
    # Numbers that no input cell draws.
    draw = "uniform(seed, -1 - stimulus_number, timestep(fixation_age, dt), i)"
    threshold = f"shown > 0 and fixation_age > blank - dt/2 and {draw} < unit_rate * dt"
    parts.groups.append(Group(LABELS, classes, "\n".join(model), threshold, "\n".join(reset), seeded=True))
    parts.set(LABELS, {"tau_activity": settings.tau_activity, "blank": settings.timing.blank})
    parts.set(LABELS, {"unit_rate": settings.unit_rate, "mean_rate": settings.mean_rate})
    parts.set(LABELS, {"centred": float(settings.centred)})
    signal = "output - centred * mean"
    statistics = [f"mean += {parts.learning} * mean_rate * (output - mean)", *remember_signals(lags)]
    if psp:
        signal = centred_signal()
        add_potentials(LABELS, settings, parts)
        statistics += follow_halves()
    begin = ["last_update = t", "stimulus_number = int(stimulus_id(t))"]
    if parts.updates == 2:
        begin += ["last_saccade += is_saccade(t) * (t - last_saccade)", "recent *= 1 - is_saccade(t)"]
    else:
        begin.append("recent = 0")
    period = settings.timing.dt * (settings.timing.steps // parts.updates)
    parts.set(LABELS, {"last_update": -period, **({"last_saccade": -2 * period} if parts.updates == 2 else {})})
    begin.append(f"shown = label(t + {period!r} * second, i)")  # Rows of labels stand at the ends of fixations.
    parts.operations += [
        Operation(LABELS, Phase.SIGNAL, f"signal = {signal}"),
        Operation(LABELS, Phase.STATISTICS, "\n".join(statistics)),
        Operation(LABELS, Phase.RESET, "\n".join(begin)),
    ]
    parts.carry(LABELS, "mean", *(f"previous_signal{lag}" for lag in lags))


def add_class_cells(spec: LayerSpec, classes: int, settings: Settings, parts: Parts) -> None:
    """Add a cell for each class beside a layer that receives labels as spikes.

    Args:
        spec: of the layer, a single column.
        classes: n_c.
        settings: everything else.
        parts: to add to.
    """
    wiring = ("patches", {"positions": 1, "cells": classes, "patch": spec.size})
    add_senders(spec, classes, wiring, None, settings, parts, group=CLASSES)
    model, sums = "taught_post = signal_pre : 1 (summed)", {"taught": Phase.DENDRITE}
    one_to_one = ("patches", {"positions": classes, "cells": 1, "patch": 1})
    parts.connections.append(Connection("class_teacher", LABELS, CLASSES, model, one_to_one, row=1, sums=sums))
