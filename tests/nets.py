"""Networks with the topology of a hierarchy, and one output unit per class."""

from dataclasses import fields
from typing import Any

from cortexsim import topology
from cortexsim.rate import Architecture, Network, Synapses
from cortexsim.tasks.rhm import Hierarchy


def tree(hierarchy: Hierarchy) -> topology.Topology:
    """The topology whose tree is that of the hierarchy."""
    return topology.tree(hierarchy.depth, hierarchy.tuple_size, hierarchy.features)


def build(
    architecture: Architecture, hierarchy: Hierarchy, seed: int, kind: type[Network] = Network, **options: Any
) -> Network:
    """Build a network on the tree of a hierarchy, of class `kind`; options may be fields of `Synapses`."""
    synapses = Synapses(**{field.name: options.pop(field.name) for field in fields(Synapses) if field.name in options})
    return kind.build(architecture, tree(hierarchy), hierarchy.classes, seed, synapses, **options)
