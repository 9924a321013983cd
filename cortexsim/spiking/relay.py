"""Inhibition by interneurons that relay what each presynaptic cell says, in layers that follow Dale's law.

Each spike of a presynaptic cell makes an interneuron of its own fire one time step later, as thalamic spikes do with
fast-spiking cells (Swadlow 2003; Gabernet, Jadhav, Feldman, Carandini, Scanziani 2005). It inhibits the cells that the
presynaptic cell excites, by synapses w >= 0 that follow the rule with the opposite sign, so that the difference of the
two weights learns as a signed weight does. Such pairs can stand for any weights (Parisien, Anderson, Eliasmith 2008).
They are as many as the cells that they relay, where cortex has a fifth of all cells to inhibit.
"""

from typing import NamedTuple

import numpy as np

from cortexsim.seeds import stream
from cortexsim.spiking.assembly import LayerSpec, Parts, Wiring
from cortexsim.spiking.network_spec import Connection, Group, Operation, Phase
from cortexsim.spiking.settings import Settings
from cortexsim.spiking.wiring import connectivity


class Pathway(NamedTuple):
    """One of the two ways by which spikes from below reach the cells of a layer.

    Attributes:
        name: of its synapses, before the number of the layer.
        kind: of them, as for constraints.
        sign: of their effect.
    """

    name: str
    kind: str
    sign: str


EXCITATION = Pathway("feedforward", "feedforward", "")
INHIBITION = Pathway("relayed", "inhibition", "-")


def add_relay(spec: LayerSpec, settings: Settings, below: str, parts: Parts) -> str:
    """Add an interneuron for each presynaptic cell of a layer.

    Args:
        spec: of the layer.
        settings: everything else.
        below: name of the presynaptic group.
        parts: to add to.

    Returns:
        Name of their group.
    """
    group = f"relay{spec.number}"
    parts.groups.append(
        Group(group, spec.inputs, "arrived : 1\nspikes : 1", "arrived > 0", "arrived -= 1\nspikes += 1")
    )
    one_to_one = ("patches", {"positions": spec.inputs, "cells": 1, "patch": 1})
    arrive = "arrived_post += 1"  # Another may arrive while it fires.
    parts.connections.append(Connection(f"onto_{group}", below, group, "", one_to_one, row=1, on_pre=arrive))
    parts.operations.append(Operation(group, Phase.RESET, "arrived = 0"))
    return group


def relayed_weights(
    number: int, shape: tuple[int, int, int], wiring: Wiring, rms: float, alike: int, seed: int
) -> dict[str, np.ndarray]:
    """Draw the first weights of the synapses of interneurons, half-normal as those of excitation.

    Args:
        number: of the layer, from 1.
        shape: of its feedforward weights, (positions, cells, presynaptic cells).
        wiring: of its feedforward synapses.
        rms: root mean square of the weights.
        alike: consecutive presynaptic cells that begin with one weight: the afferents of an input.
        seed: root seed.

    Returns:
        Weights by name of the variable, (synapses,).
    """
    positions, cells, patch = shape
    drawn = np.abs(stream(seed, "weights", "relay", number).normal(0, rms, (positions, cells, patch // alike)))
    kind, sizes = wiring
    return {f"{INHIBITION.name}{number}.w": drawn.repeat(alike, axis=2).ravel()[connectivity(kind, sizes).place]}
