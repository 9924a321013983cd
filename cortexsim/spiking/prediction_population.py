"""Cells that send up the context that a column predicts for others, in place of the activity of the column."""

from cortexsim.spiking.assembly import LayerSpec, Parts
from cortexsim.spiking.sending_population import add_senders, add_teachers, on_or_off
from cortexsim.spiking.settings import Settings


def add_predictions(spec: LayerSpec, settings: Settings, parts: Parts) -> None:
    """Add the prediction cells of a layer, as many as it has cells, and as many OFF cells where it has such.

    Each column drives its own prediction cells as it drives the dendrites of the columns that have it as their context,
    by copies of these synapses. Or the synapses learn: each prediction cell is taught by the cells that it predicts,
    and no weight is transported.

    Args:
        spec: of the layer.
        settings: everything else.
        parts: to add to.
    """
    kinds = 2 if spec.on_off else 1
    count, sizes = kinds * spec.cells, {"sources": spec.context_sources, "cells": spec.cells}
    wiring = ("onward", sizes | {"kinds": kinds} if spec.on_off else sizes)
    taught = settings.prediction_synapses == "taught"
    polarity = on_or_off(spec.cells) if spec.on_off else ""
    add_senders(spec, count, wiring, None if taught else "context", settings, parts, polarity)
    if taught:
        add_teachers(spec, spec.context_sources, parts)
