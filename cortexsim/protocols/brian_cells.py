"""Cells by themselves in Brian2, each with a drive of its own."""

from collections.abc import Mapping

import brian2
import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, second

from cortexsim.spiking.cells import Cell
from cortexsim.spiking.population import REFRACTORY, UNITS


def simulate(
    cell: Cell, course: np.ndarray, dt: float, values: Mapping[str, float]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Run cells in Brian2's NumPy target.

    Args:
        cell: that spikes.
        course: drive in each step, (steps, cells), in units of the rheobase.
        dt: time step, s.
        values: of the parameters, in SI.

    Returns:
        Voltages before each step, (steps, cells), in SI; and the times of the spikes of each cell, s.
    """
    before, brian2.prefs.codegen.target = brian2.prefs.codegen.target, "numpy"
    try:
        constants = [f"{name} : {UNITS[kind]} (shared, constant)" for name, kind in cell.kinds.items()]
        model = [cell.equations, "bias : 1", "last_spike : second", *constants]
        group = NeuronGroup(
            course.shape[1],
            "\n".join(model),
            threshold=cell.threshold,
            reset="\n".join([*cell.reset_statements, "last_spike = t"]),
            refractory=REFRACTORY,
            namespace={"given": TimedArray(course, dt=dt * second), "inf": np.inf},
            dt=dt * second,
            **({"method": cell.integrator} if cell.integrator else {}),
        )
        group.run_regularly("bias = given(t + dt/2, i)", when="start", dt=dt * second)
        group.last_spike = -1 * second
        for name, value in values.items():
            group.variables[name].set_value(value)
        for name, rest in cell.on_saccade.items():
            setattr(group, name, rest)
        voltage, spikes = StateMonitor(group, "v", record=True, dt=dt * second), SpikeMonitor(group)
        Network(group, voltage, spikes).run(len(course) * dt * second, namespace={})
        times = [np.asarray(train / second) for train in spikes.spike_trains().values()]
        # A copy: the memory of the monitor is freed with it.
        return np.array(voltage.variables["v"].get_value()).reshape(len(course), -1), times
    finally:
        brian2.prefs.codegen.target = before
