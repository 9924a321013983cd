"""From a description to Brian2's objects; and, run as a program, to a compiled binary.

``python -m cortexsim.spiking.build description.json folder`` compiles. It is a process of its own, since the device of
Brian2 is global state, which a user's own simulation may need.
"""

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2.core.variables import DynamicArrayVariable

from cortexsim.spiking import wiring
from cortexsim.spiking.device import FLAGS, NAME, RowSynapses
from cortexsim.spiking.encoding import CPP, CYTHON, uniform
from cortexsim.spiking.exact_solution import exact
from cortexsim.spiking.network_spec import Connection, Description, Group

brian2.prefs.logging.file_log = brian2.prefs.logging.save_script = False


def uniform_function() -> brian2.Function:
    """Make the function `encoding.uniform` for Brian2, on every target."""
    kinds = {"arg_types": ["integer"] * 4, "return_type": "float", "stateless": True}
    function = brian2.Function(uniform, arg_units=[1, 1, 1, 1], return_unit=1, **kinds)
    # As it is: what Brian2 puts around a function checks units, and prints what it returns in case they are wrong.
    function.implementations.add_numpy_implementation(uniform, discard_units=True)
    function.implementations.add_implementation("cpp", CPP)
    function.implementations.add_implementation("cython", CYTHON)
    return function


class BrianNetwork:
    """Build Brian2's objects for a description.

    Args:
        description: what to build.
        streams: the timed arrays by name, one row an update, (updates, columns) or (updates,); zero unless given.

    Attributes:
        objects: groups, synapses and monitors by name.
        network: all of them, ready to run.
        period: of updates.
    """

    def __init__(self, description: Description, streams: Mapping[str, np.ndarray] | None = None) -> None:
        self.description = description
        self.dt = description.dt * brian2.second
        brian2.defaultclock.dt = self.dt
        self.period = description.period * self.dt
        self.namespace: dict[str, Any] = {"uniform": uniform_function(), "inf": np.inf}
        for name, columns in description.streams.items():
            rows = (streams or {}).get(name, np.zeros(description.stream_shape(columns)))
            self.namespace[name] = brian2.TimedArray(rows, dt=self.period, name=name)
        self.objects: dict[str, Any] = {}
        for group in description.groups:
            self._add_group(group)
        for connection in description.connections:
            self._add_connection(connection)
        operators = [
            self.objects[operation.owner].run_regularly(
                operation.code,
                dt=self.dt if operation.every_step else self.period,
                when="end" if operation.every_step else "start",
                order=operation.phase,
                name=f"operation{number:03}",
            )
            for number, operation in enumerate(description.operations)
        ]
        self._add_monitors()
        self.network = brian2.Network([*self.objects.values(), *operators])

    def _add_group(self, group: Group) -> None:
        keywords = {key: getattr(group, key) for key in ("threshold", "reset", "refractory", "method")}
        self.objects[group.name] = brian2.NeuronGroup(
            group.size,
            group.model,
            name=group.name,
            namespace=self.namespace,
            **{key: exact if text == "exact" else text for key, text in keywords.items() if text},
        )

    def _add_connection(self, connection: Connection) -> None:
        kind, sizes = connection.wiring
        pre, post, _ = wiring.connectivity(kind, sizes)
        source, target = self.objects[connection.source], self.objects[connection.target]
        synapses = RowSynapses(
            source,
            target,
            connection.model,
            on_pre={"pre": connection.on_pre} if connection.on_pre else None,
            on_post={"post": connection.on_post} if connection.on_post else None,
            delay={name: 0 * brian2.ms for name in ("pre", "post") if getattr(connection, f"on_{name}")} or None,
            method=connection.method or None,
            name=connection.name,
            namespace=self.namespace,
        )
        synapses.connect(i=pre, j=post)
        synapses.row = connection.row
        synapses.count = len(pre)
        each = np.bincount(pre, minlength=len(source)) // connection.row
        synapses.rows_each = int(each[0]) if (each == each[0]).all() else 0
        for variable, phase in connection.sums.items():
            updater = synapses.summed_updaters[f"{variable}_post"]
            if not connection.every_step:
                # Brian2 puts sums on the clock of the target group; these are due once an update, in their phase.
                updater._clock = brian2.Clock(self.period, name=f"{connection.name}_{variable}_clock")
                updater.when, updater.order = "start", phase
            elif connection.at_end:
                updater.when, updater.order = "end", phase
        self.objects[connection.name] = synapses

    def _add_monitors(self) -> None:
        for recording in (*self.description.activity, *self.description.modulators):
            self.objects[recording.monitor] = brian2.StateMonitor(
                self.objects[recording.group],
                recording.variable,
                record=True,
                name=recording.monitor,
                dt=self.period,
                when="start",
                order=recording.phase,
            )
        for name in self.description.recorded:
            self.objects[f"spikes_{name}"] = brian2.SpikeMonitor(self.objects[name], name=f"spikes_{name}")
        for name, (variables, cell) in self.description.traced.items():
            label = f"trace_{name}"
            self.objects[label] = brian2.StateMonitor(self.objects[name], list(variables), record=[cell], name=label)


def compile_program(description: Description, folder: Path) -> None:
    """Generate a program, compile it, and write its manifest.

    Args:
        description: of the network.
        folder: for all files.

    ``manifest.json`` says by ``owner.variable`` in which file an array is, of what kind, and how many values it has; of
    a monitor, of which one and for how many cells. It also names the streams that the program reads.
    """
    brian2.prefs.codegen.cpp.extra_compile_args_gcc = FLAGS
    brian2.prefs.devices.cpp_standalone.extra_make_args_unix = [f"-j{os.cpu_count() or 1}"]
    brian2.set_device(NAME, build_on_run=False, directory=str(folder))
    built = BrianNetwork(description)
    built.network.run(built.period, namespace={})
    device = brian2.get_device()
    device.build(directory=str(folder), compile=True, run=False)
    files = {}
    for owner, item in built.objects.items():
        for name, variable in item.variables.items():
            if variable in device.arrays and variable.owner is not None and variable.owner.name == owner:
                file, kind = Path(device.get_array_filename(variable)).name, np.dtype(variable.dtype).str
                files[f"{owner}.{name}"] = [file, kind, _size(item, variable)]
    manifest = {"files": files, "streams": sorted(device.timed_arrays.values())}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _size(owner: Any, variable: Any) -> int | list[str | int]:
    """Count the values that an array will have in its file."""
    if not isinstance(variable, DynamicArrayVariable):
        return int(variable.size)
    if isinstance(owner, brian2.Synapses):
        return len(owner)
    return [owner.name, len(owner.record) if variable.ndim == 2 else 1]


def end_with(parent: int, folder: Path) -> None:
    """End the compilers and remove the folder once the process that asked for the program is gone.

    Args:
        parent: identifier of that process.
        folder: of the unfinished program.
    """
    builds = threading.main_thread().is_alive
    while builds() and os.getppid() == parent:
        time.sleep(0.1)
    if os.getppid() == parent:
        return
    while builds():
        os.killpg(0, signal.SIGTERM)
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: None)  # `end_with` sends it to the whole group, for the compilers.
    if "CORTEXSIM_PARENT" in os.environ:
        watched = (int(os.environ["CORTEXSIM_PARENT"]), Path(sys.argv[2]))
        threading.Thread(target=end_with, args=watched).start()
    compile_program(Description.from_json(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
