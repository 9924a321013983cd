"""Running variances and covariances, and the lateral synapses whose weights they are.

A Hebbian synapse that forgets comes to the covariance of what its two cells transmit:

    dw_ik = covariance_rate * ((z_i - <z_i>) (z_k - <z_k>) - w_ik)

so that sum_k w_ik (z_k - <z_k>) is what such lateral synapses transmit. At an update they transmit, and then learn.
"""

from cortexsim.spiking.assembly import LayerSpec, Parts, shared_constants
from cortexsim.spiking.network_spec import Connection, Operation, Phase
from cortexsim.spiking.rule_translation import Translation

FLOOR = 1e-4  # Added to a variance, as in rate layers.
RATE, DENDRITE = "(output{0} - mean{0})", "(dendrite{0} - dendrite_mean{0})"

VIEW = ("view_post", "cross_covariance_post", "cross_input_post", "cross_power_post")
"""Signals that compare the cell with its one-to-one input."""


def statistics_variables(translation: Translation) -> list[str]:
    """Declare the variables of a cell that hold running statistics, or what lateral synapses transmit."""
    found = ["variance : 1"] if _any(translation, "variance_post", "lateral_post") else []
    if translation.reads("lateral_post"):
        found += ["from_column : 1", f"lateral = from_column - variance * {RATE.format('')} : 1"]
    for signal, variable in (
        ("predicted_rate_post", "predicted_rate"),
        ("predicted_dendrite_post", "predicted_dendrite"),
    ):
        if translation.reads(signal):
            found.append(f"{variable} : 1")
    if _any(translation, "context_post", *VIEW):
        found += ["view : 1", *(f"previous_view{lag} : 1" for lag in translation.lags)]
    if _any(translation, *VIEW):
        found += ["view_mean : 1", "view_variance : 1", "cross : 1", "from_views : 1", "power : 1"]
        found += [
            f"view_deviation = sqrt(view_variance + {FLOOR}) : 1",
            "standard_view = (view - view_mean) / view_deviation : 1",
            "own_cross = cross / view_deviation : 1",
            "cross_input = from_views - own_cross * standard_view : 1",
            "cross_power = power - own_cross**2 : 1",
        ]
    return found


def add_statistics(spec: LayerSpec, translation: Translation, parts: Parts) -> None:
    """Add the running statistics that a rule reads, with their lateral synapses.

    Args:
        spec: of the layer.
        translation: of its rule.
        parts: to add to.
    """
    layer, learned = spec.name, []
    if _any(translation, "variance_post", "lateral_post"):
        learned.append(("variance", f"{RATE.format('')}**2", "covariance_rate"))
    if translation.reads("lateral_post") or translation.reads("predicted_rate_post"):
        carried = {"from_column": RATE} if translation.reads("lateral_post") else {}
        carried |= {"predicted_rate": DENDRITE} if translation.reads("predicted_rate_post") else {}
        sums = {variable: f"w * {text.format('_pre')}" for variable, text in carried.items()}
        _add_lateral(f"lateral{spec.number}", sums, (RATE, RATE), spec, parts)
    if translation.reads("predicted_dendrite_post"):
        sums = {"predicted_dendrite": f"w * {RATE.format('_pre')}"}
        _add_lateral(f"lateral_dendrite{spec.number}", sums, (DENDRITE, DENDRITE), spec, parts)
    if _any(translation, "context_post", *VIEW):
        _add_views(spec, translation, parts)
    if _any(translation, *VIEW):
        centred = "(view{0} - view_mean{0})"
        sums = {"from_views": "w * standard_view_pre / view_deviation_pre", "power": "(w / view_deviation_pre)**2"}
        _add_lateral(f"lateral_view{spec.number}", sums, ("output{0}", centred), spec, parts)
        learned += [
            ("cross", f"output * {centred.format('')}", "covariance_rate"),
            ("view_variance", f"{centred.format('')}**2", "covariance_rate"),
            ("view_mean", "view", "mean_rate"),
        ]
    if learned:
        rate = f"{parts.learning} * "
        code = [f"{name} += {rate}{speed} * ({target} - {name})" for name, target, speed in learned]
        parts.operations.append(Operation(layer, Phase.LEARNING, "\n".join(code)))
        parts.carry(layer, *(name for name, _, _ in learned))


def _any(translation: Translation, *signals: str) -> bool:
    return any(translation.reads(signal) for signal in signals)


def _add_lateral(name: str, sums: dict[str, str], learned: tuple[str, str], spec: LayerSpec, parts: Parts) -> None:
    """Connect the cells of every column with each other, by synapses that learn a covariance.

    Args:
        name: of the connection.
        sums: what they transmit, by the variable of the cell that sums it.
        learned: the postsynaptic and the presynaptic quantity, with a place for the suffix of their names.
        spec: of the layer.
        parts: to add to.
    """
    model = ["w : 1"]
    model += [f"{variable}_post = {text} : 1 (summed)" for variable, text in sums.items()]
    post, pre = learned[0].format("_post"), learned[1].format("_pre")
    learn = f"w += {parts.learning} * covariance_rate_post * ({post} * {pre} - w)"
    wiring = ("patches", {"positions": spec.positions, "cells": spec.cells, "patch": spec.cells})
    phases = dict.fromkeys(sums, Phase.LATERAL)
    parts.connections.append(
        Connection(name, spec.name, spec.name, "\n".join(model), wiring, row=spec.cells, sums=phases)
    )
    parts.operations.append(Operation(name, Phase.LEARNING, learn))
    parts.carry(name, "w")


def _add_views(spec: LayerSpec, translation: Translation, parts: Parts) -> None:
    """Bring to every cell the mean of the cells of its index in the columns that are its context."""
    name, sources = f"view{spec.number}", spec.context_sources
    constants = {"fraction": 1 / len(sources[0])}
    views = {"view": "signal", **{f"previous_view{lag}": f"previous_signal{lag}" for lag in translation.lags}}
    model = shared_constants(constants)
    model += [f"{view}_post = fraction * {signal}_pre : 1 (summed)" for view, signal in views.items()]
    wiring = ("same_index", {"sources": sources, "cells": spec.cells})
    sums = dict.fromkeys(views, Phase.DENDRITE)
    parts.connections.append(Connection(name, spec.name, spec.name, "\n".join(model), wiring, sums=sums))
    parts.set(name, constants)
