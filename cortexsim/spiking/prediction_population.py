"""Cells that send up the context that a column predicts for others, in place of the activity of the column."""

from cortexsim.spiking.assembly import LayerSpec, Parts
from cortexsim.spiking.sending_population import add_senders, add_teachers
from cortexsim.spiking.settings import Settings


def add_predictions(spec: LayerSpec, settings: Settings, parts: Parts) -> None:
    """Add the prediction cells of a layer, as many as it has cells.

    Each column drives its own prediction cells as it drives the dendrites of the columns that have it as their context,
    by copies of these synapses. Or the synapses learn: each prediction cell is taught by the cells that it predicts,
    and no weight is transported.

    Args:
        spec: of the layer.
        settings: everything else.
        parts: to add to.
    """
    wiring = ("onward", {"sources": spec.context_sources, "cells": spec.cells})
    taught = settings.prediction_synapses == "taught"
    add_senders(spec, spec.cells, wiring, None if taught else "context", settings, parts)
    if taught:
        add_teachers(spec, spec.context_sources, parts)
