"""Published laws of sample complexity, up to factors of order one."""

from cortexsim.tasks.rhm.grammar import Sizes


def backpropagation(hierarchy: Sizes) -> int:
    """P* ~ n_c m^L for a deep network with the hierarchy's tree (Cagnetta et al. 2024)."""
    return hierarchy.classes * hierarchy.multiplicity**hierarchy.depth


def clustering(hierarchy: Sizes) -> float:
    """P* ~ v m^3 / (1 - f) for layer-wise clustering by context, whatever the depth (Korchinski et al. 2026).

    Infinite at f = 1, where context says nothing.
    """
    room = 1 - hierarchy.synonym_fraction
    return hierarchy.features * hierarchy.multiplicity**3 / room if room > 0 else float("inf")
