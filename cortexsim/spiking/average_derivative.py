"""The derivative that a cell has at the end of a fixation: that of a rate cell, or of a spiking cell an average.

The derivative of a spiking cell changes from one time step to the next. What is read from it once a fixation is its
average over the fixation, recent steps counting more, as activity is read from spikes.
"""

from cortexsim.spiking.assembly import LayerSpec, Parts
from cortexsim.spiking.network_spec import Operation, Phase
from cortexsim.spiking.rule_translation import Translation


def derivative_variables(spec: LayerSpec, translation: Translation) -> list[str]:
    """Declare the variables of a cell whose derivative the rule reads at the end of a fixation."""
    if not translation.reads_average_derivative:
        return []
    if spec.substrate == "brian-rate":
        return ["average_derivative = derivative : 1"]
    return ["recent_derivative : 1", "average_derivative = recent_derivative / share : 1"]


def add_average_derivative(spec: LayerSpec, translation: Translation, parts: Parts) -> None:
    """Add the average of the derivative of spiking cells, where the rule reads it.

    Args:
        spec: of the layer.
        translation: of its rule.
        parts: to add to.
    """
    if not translation.reads_average_derivative or spec.substrate == "brian-rate":
        return
    average = "recent_derivative += (1 - exp(-dt / tau_activity)) * (derivative - recent_derivative)"
    reset = "recent_derivative = 0" if parts.updates == 1 else "recent_derivative *= 1 - is_saccade(t)"
    parts.operations += [
        Operation(spec.name, Phase.SIGNAL, average, every_step=True),
        Operation(spec.name, Phase.RESET, reset),
    ]
