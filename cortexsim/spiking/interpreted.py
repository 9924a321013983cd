"""The slow way: Brian2 in this process, for machines without a C++ compiler and for looking at a few fixations."""

from collections.abc import Mapping

import brian2
import numpy as np

from cortexsim.spiking.build import Built
from cortexsim.spiking.network_spec import Description


class Interpreted:
    """Run a description on one of Brian2's runtime targets; every run builds the network anew.

    Args:
        description: what to run.
        target: ``numpy`` or ``cython``.
    """

    def __init__(self, description: Description, target: str) -> None:
        self.description, self.target = description, target

    def run(self, values: Mapping[str, np.ndarray | float], wanted: list[str]) -> dict[str, np.ndarray]:
        """Set variables and timed arrays by name, run, and read variables by name."""
        before = brian2.prefs.codegen.target
        brian2.prefs.codegen.target = self.target
        try:
            return self._run(values, wanted)
        finally:
            brian2.prefs.codegen.target = before

    def _run(self, values: Mapping[str, np.ndarray | float], wanted: list[str]) -> dict[str, np.ndarray]:
        rows = {key.removesuffix(".values"): value for key, value in values.items() if key.endswith(".values")}
        built = Built(self.description, {name: np.asarray(value) for name, value in rows.items()})
        for key, value in values.items():
            owner, variable = key.split(".")
            if owner not in rows:
                built.objects[owner].variables[variable].set_value(value)
        steps = int(values["stream.steps"])
        built.network.run(steps * built.dt, namespace={})
        # The saccade that ends the last fixation: nothing runs there but what runs at saccades alone.
        for item in built.network.sorted_objects:
            item.active = item.clock.dt > built.dt * 1.5
        built.network.run(max(1, self.description.period // 2) * built.dt, namespace={})
        return {key: self._read(built, key) for key in wanted}

    @staticmethod
    def _read(built: Built, key: str) -> np.ndarray:
        owner, variable = key.split(".")
        return np.array(built.objects[owner].variables[variable].get_value()).ravel()
