"""Cells that send up the context that a column predicts for others, in place of the activity of the column."""

from cortexsim.spiking.assembly import LayerSpec, Parts
from cortexsim.spiking.network_spec import Phase
from cortexsim.spiking.plasticity_equations import context_variables, correlate
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.sending_population import add_learning, add_senders, add_teachers, on_or_off
from cortexsim.spiking.settings import Settings


def add_predictions(spec: LayerSpec, settings: Settings, translation: Translation | None, parts: Parts) -> None:
    """Add the prediction cells of a layer, as many as it has cells, and as many OFF cells where it has such.

    Each column drives its own prediction cells as it drives the dendrites of the columns that have it as their context,
    by copies of these synapses. Or the synapses learn, and no weight is transported. Each prediction cell is taught by
    the cells that it predicts; or it receives from them what they tell their own context synapses, so that both kinds
    of synapses, which begin at zero, change alike (Kolen, Pollack 1994).

    Args:
        spec: of the layer.
        settings: everything else.
        translation: of its rule; None where it does not learn.
        parts: to add to.
    """
    kinds = 2 if spec.on_off else 1
    count, sizes = kinds * spec.cells, {"sources": spec.context_sources, "cells": spec.cells}
    wiring = ("onward", sizes | {"kinds": kinds} if spec.on_off else sizes)
    polarity = on_or_off(spec.cells) if spec.on_off else ""
    if settings.prediction_synapses == "copied":
        add_senders(spec, count, wiring, "context", settings, parts, polarity)
    elif settings.prediction_synapses == "taught":
        add_senders(spec, count, wiring, None, settings, parts, polarity)
        add_teachers(spec, spec.context_sources, {"taught": "output_pre - mean_pre"}, Phase.DENDRITE, parts)
    elif translation is None or not translation.context:
        add_senders(spec, count, wiring, None, settings, parts, polarity, received=(), learn=_keep)
    else:
        received = context_variables(translation, tagged=settings.tag_stages > 0)

        def follow(name: str, spec: LayerSpec, settings: Settings, parts: Parts) -> list[str]:
            correlation, held, moves = correlate(name, settings, translation, parts)
            step = [f"correlation = {correlation}", "step = eta * eta_factor(t) * (correlation - weight_decay * w)"]
            return [*held, *add_learning(name, step, moves, spec, settings, parts)]

        add_senders(spec, count, wiring, None, settings, parts, polarity, received=received, learn=follow)
        told = {variable: f"{variable}_pre" for variable in received}
        add_teachers(spec, spec.context_sources, told, Phase.TEACHING, parts)


def _keep(name: str, spec: LayerSpec, settings: Settings, parts: Parts) -> list[str]:
    """Keep the weights that synapses have learned."""
    parts.carry(name, "w")
    return []
