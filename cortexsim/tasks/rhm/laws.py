"""Published scaling laws for the number of training samples needed, up to factors of order one."""

from cortexsim.tasks.rhm.grammar import Sizes


def backpropagation(hierarchy: Sizes) -> int:
    """Sample complexity of a deep network trained by backpropagation, P* ~ n_c m^L.

    Source: Cagnetta et al., Physical Review X 14, 031001 (2024).

    >>> from cortexsim.tasks.rhm import Sizes
    >>> backpropagation(Sizes(features=8, multiplicity=4, depth=3))
    512
    """
    return hierarchy.classes * hierarchy.multiplicity**hierarchy.depth


def clustering(hierarchy: Sizes) -> float:
    """Sample complexity of layer-wise clustering by context, P* ~ v m^3 / (1 - f), which does not depend on the depth.

    Infinite at f = 1, where the context carries no information. Source: Korchinski, Favero,
    Wyart, 2026 (arXiv 2605.27734).

    >>> from cortexsim.tasks.rhm import Sizes
    >>> clustering(Sizes(features=8, multiplicity=4, depth=3))
    1024.0
    """
    margin = 1 - hierarchy.synonym_fraction
    return hierarchy.features * hierarchy.multiplicity**3 / margin if margin > 0 else float("inf")
