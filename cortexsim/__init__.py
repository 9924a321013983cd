"""cortexsim: which local plasticity rules learn a hidden hierarchy, and from how many samples?

Train one model, compare several, or measure the sample complexity of each (`threshold`):

>>> import cortexsim
>>> small = {"depth": 2, "features": 4, "multiplicity": 2}
>>> cortexsim.train("clapp", small, samples=16, settings={"training.epochs": 2})
<Run: clapp on Random Hierarchy Model: v = 4, m = 2, s = 2, L = 2, n_c = 4, 16 samples, test accuracy ...>
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cortexsim.errors import UserError

if TYPE_CHECKING:
    from cortexsim.api import compare, load_model, load_results, load_run, threshold, train
    from cortexsim.config.schema import Model
    from cortexsim.estimator import Encoder
    from cortexsim.modulators import Modulator
    from cortexsim.rules import Rule, SpikeTiming, ThreeFactor, Trace
    from cortexsim.spiking.cells import Cell
    from cortexsim.tasks import Task

__all__ = [
    "Cell",
    "Encoder",
    "Model",
    "Modulator",
    "Rule",
    "SpikeTiming",
    "Task",
    "ThreeFactor",
    "Trace",
    "UserError",
    "__version__",
    "compare",
    "load_model",
    "load_results",
    "load_run",
    "threshold",
    "train",
]

__version__ = "0.1.0"

_MODULES = {
    "Cell": "spiking.cells",
    "Encoder": "estimator",
    "Model": "config.schema",
    "Modulator": "modulators",
    "Rule": "rules",
    "SpikeTiming": "rules",
    "Task": "tasks",
    "ThreeFactor": "rules",
    "Trace": "rules",
    **dict.fromkeys(("compare", "load_model", "load_results", "load_run", "threshold", "train"), "api"),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that the command line starts without loading torch."""
    if name not in _MODULES:
        raise AttributeError(f"module 'cortexsim' has no attribute '{name}'")
    return getattr(import_module(f"cortexsim.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
