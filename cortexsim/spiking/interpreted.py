"""Brian2 in this process: slow, for machines without a C++ compiler and for a few fixations."""

import gc
from collections.abc import Mapping

import brian2
import numpy as np

from cortexsim.spiking.build import BrianNetwork
from cortexsim.spiking.network_spec import RUN, Description


class Interpreted:
    """Run a description on one of Brian2's runtime targets; the first run builds the network, and later ones rewind it.

    Args:
        description: what to run.
        target: ``numpy`` or ``cython``.
    """

    def __init__(self, description: Description, target: str) -> None:
        self.description, self.target = description, target
        self._built: BrianNetwork | None = None

    def __reduce__(self) -> tuple[type, tuple[Description, str]]:
        """Leave the network out of copies."""
        return Interpreted, (self.description, self.target)

    def run(
        self, values: Mapping[str, np.ndarray | float], streams: Mapping[str, np.ndarray], wanted: list[str]
    ) -> dict[str, np.ndarray]:
        """Set variables and streams, run, and read variables.

        Args:
            values: of variables by ``owner.variable``: one for each cell or synapse, (count,), or one for all.
            streams: timed arrays by name, one row an update, (updates, columns) or (updates,).
            wanted: variables to read, by ``owner.variable``.

        Returns:
            Each variable that is wanted, flattened.
        """
        before = brian2.prefs.codegen.target
        brian2.prefs.codegen.target = self.target
        gc.freeze()  # Brian2 looks twice for garbage, each time for half a second where torch and sympy are in memory.
        try:
            return self._run(values, streams, wanted)
        finally:
            gc.unfreeze()
            brian2.prefs.codegen.target = before

    def _run(
        self, values: Mapping[str, np.ndarray | float], streams: Mapping[str, np.ndarray], wanted: list[str]
    ) -> dict[str, np.ndarray]:
        built = self._at_start(streams)
        for key, value in values.items():
            owner, variable = key.split(".")
            built.objects[owner].variables[variable].set_value(value)
        steps = int(values[f"{RUN}.steps"])
        built.network.run(steps * built.dt, namespace={})
        # Brian2 would generate all code again, which takes longer than a few fixations.
        built.network.before_run = lambda namespace: None
        # The saccade that ends the last fixation: nothing runs then but what runs at updates alone.
        # An object that is switched off takes with it those that it contains, so that they come after it.
        objects, longest = built.network.sorted_objects, built.dt * 1.5
        for item in sorted(objects, key=lambda item: bool(item.clock.dt > longest)):
            item.active = bool(item.clock.dt > longest)
        built.network.run(max(1, self.description.period // 2) * built.dt, namespace={})
        return {key: self._read(built, key) for key in wanted}

    def _at_start(self, streams: Mapping[str, np.ndarray]) -> BrianNetwork:
        """Return the network as it was built, with new streams."""
        if self._built is None:
            self._built = BrianNetwork(self.description, streams)
            self._built.network.store()
            return self._built
        brian2.defaultclock.dt = self._built.dt  # Another network may have changed it.
        self._built.network.restore()
        for item in self._built.network.sorted_objects:
            item.active = True
        for name, rows in streams.items():
            self._built.namespace[name].values[...] = rows
        return self._built

    @staticmethod
    def _read(built: BrianNetwork, key: str) -> np.ndarray:
        owner, variable = key.split(".")
        return np.array(built.objects[owner].variables[variable].get_value()).ravel()
