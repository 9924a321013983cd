"""Soft competition among the cells of a column: each has its share of the exponential of their drives.

At the end of every time step each cell receives the sum over its column, as from an inhibitory cell that all of them
drive and that divides what they transmit (Carandini & Heeger, "Normalization as a canonical neural computation", Nature
Reviews Neuroscience 2012).
"""

from cortexsim.spiking.assembly import LayerSpec, Parts
from cortexsim.spiking.network_spec import Connection, Operation, Phase
from cortexsim.spiking.rule_translation import Translation

VARIABLES = ["exponential : 1", "rivals : 1", "winning = exponential / clip(rivals, 1e-12, inf) : 1"]


def competition_variables(translation: Translation) -> list[str]:
    """Declare the variables of a cell that competes, where the rule reads its share."""
    return VARIABLES if translation.reads("winning_post") else []


def add_competition(spec: LayerSpec, translation: Translation, parts: Parts) -> None:
    """Add the competition within each column, where the rule reads a cell's share in it.

    Args:
        spec: of the layer.
        translation: of its rule.
        parts: to add to.
    """
    if not translation.reads("winning_post"):
        return
    always = spec.population == "layer"  # Cells of a projection have a drive at the end of the fixation alone.
    drive = Operation(spec.name, Phase.SIGNAL, "exponential = exp(clip(drive, -50, 50))", every_step=always)
    parts.operations.append(drive)
    wiring = ("patches", {"positions": spec.positions, "cells": spec.cells, "patch": spec.cells})
    parts.connections.append(
        Connection(
            f"competition{spec.number}",
            spec.name,
            spec.name,
            "rivals_post = exponential_pre : 1 (summed)",
            wiring,
            row=spec.cells,
            sums={"rivals": Phase.DENDRITE},
            every_step=always,
            at_end=always,
        )
    )
    parts.carry(spec.name, "exponential", "rivals")
