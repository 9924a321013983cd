"""The projection of a layer: linear cells on which the rule acts, and cells that send what these have in spikes.

At the end of a fixation each column computes p = P z + b from the signal z of its cells, once, as dendrites compute
their sums. With delta what the rule asks of p, post times third factor, and Q feedback weights,

    dP = eta delta z^T,    db = eta delta

and the cells of the column learn from the error -Q delta by a rule of their own, as does Q if it is plastic
(`cortexsim.rules.kolen_pollack`).
"""

from cortexsim.spiking.assembly import LayerSpec, Parts, dedent, shared_constants
from cortexsim.spiking.competition import add_competition, competition_variables
from cortexsim.spiking.constraints import step_weight, weight_parameters
from cortexsim.spiking.network_spec import Connection, Group, Operation, Phase, Variable
from cortexsim.spiking.output import add_feedback_synapses
from cortexsim.spiking.plasticity_equations import add_context, add_plasticity, plastic_variables
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.sending_population import add_senders, on_or_off
from cortexsim.spiking.settings import Settings

LINEAR = [
    "projected : 1",
    "bias : 1",
    "drive = projected + bias : 1",
    "output = drive : 1",
    "average_derivative = 1.0 : 1",
    "mean : 1",
    "signal : 1",
    "activity = output - centred * mean : 1",
    "passed_error : 1",
]


def add_projection(
    spec: LayerSpec, settings: Settings, translation: Translation, below: Translation, classes: int, parts: Parts
) -> None:
    """Add the projection of a layer that learns, its plasticity, and the feedback synapses onto the layer.

    Args:
        spec: of the layer.
        settings: everything else.
        translation: of the rule of the projection.
        below: of the rule of the layer, by which feedback weights learn if they are plastic.
        classes: n_c, cells of the label population.
        parts: to add to.
    """
    assert spec.projection is not None
    cells = spec.projection
    constants = {name: getattr(settings, name) for name in ("mean_rate", "covariance_rate")}
    constants |= {"bias_eta": settings.eta, "centred": float(settings.centred), **translation.constants}
    model = [*LINEAR, *plastic_variables(cells, translation, tagged=False), *competition_variables(translation)]
    parts.groups.append(Group(cells.name, cells.size, "\n".join([*model, *shared_constants(constants)])))
    parts.set(cells.name, constants)
    parts.state += [
        Variable(cells.name, name, tensor=cells.tensor(name), layer=spec.number) for name in ("bias", "mean")
    ]
    _add_synapses(spec, cells, settings, parts)
    add_plasticity(cells, settings, translation, parts)
    add_competition(cells, translation, parts)
    if translation.context:
        add_context(cells, settings, translation, classes, parts)
    error = f"passed_error = -(third_factor * ({translation.graded_post}))"
    parts.operations += [
        Operation(cells.name, Phase.PROJECTION_ERROR, error),
        Operation(cells.name, Phase.LEARNING, "bias -= bias_eta * eta_factor(t) * (passed_error + decay * bias)"),
    ]
    arriving = ("error", "passed_error_pre", Phase.PROJECTION_FEEDBACK)
    add_feedback_synapses(spec, cells.name, arriving, cells.feedback_wiring(), below, settings, parts)


def _add_synapses(spec: LayerSpec, cells: LayerSpec, settings: Settings, parts: Parts) -> None:
    """Connect every column with its projection."""
    name = f"onto_{cells.name}"
    constants = {"eta": settings.eta, "weight_decay": settings.weight_decay, **weight_parameters(settings)}
    model = ["w : 1", *shared_constants(constants), "projected_post = w * signal_pre : 1 (summed)"]
    learn = f"""
        step = -eta * eta_factor(t) * (passed_error_post * signal_pre + (decay_post + weight_decay) * w)
        {step_weight("w", "feedforward", spec, settings)}
    """
    sums = {"projected": Phase.PROJECTION}
    wiring = cells.feedforward_wiring(cells.cells)
    parts.connections.append(
        Connection(name, spec.name, cells.name, "\n".join(model), wiring, row=cells.cells, sums=sums)
    )
    parts.set(name, constants)
    parts.operations.append(Operation(name, Phase.LEARNING, dedent(learn)))
    parts.state.append(Variable(name, "w", tensor=cells.tensor("feedforward"), layer=spec.number))


def add_on_off(spec: LayerSpec, settings: Settings, parts: Parts) -> None:
    """Add ON cells, driven by the projection less its mean, and as many OFF cells, by what it lacks of it.

    The spikes of the column drive them through copies of the weights of the projection.

    Args:
        spec: of the layer.
        settings: everything else.
        parts: to add to.
    """
    assert spec.projection is not None
    cells = spec.projection.cells
    wiring = ("on_off", {"positions": spec.positions, "cells": cells, "patch": spec.cells})
    add_senders(spec, 2 * cells, wiring, spec.projection.tensor("feedforward"), settings, parts, on_or_off(cells))
