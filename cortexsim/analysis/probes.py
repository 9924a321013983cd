"""Probes: everything that is measured on a learner, changing nothing in it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortexsim.analysis import geometry
from cortexsim.rate import Network, to_tensor
from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Samples, exchange_synonyms

CHUNK = 1024  # Samples evaluated at once.
MOST = 2048  # Samples that the geometry of a code is measured on.


@dataclass(frozen=True)
class Geometry:
    """Hold what `geometry` measures, one entry a layer; sensitivity has a row a layer, a column a level."""

    selectivity: list[float]
    participation: list[float]
    decoding: list[float]
    sensitivity: list[list[float]]


@torch.no_grad()
def activities(network: Network, leaves: Tensor) -> list[Tensor]:
    """Evaluate all layers in chunks: one (samples, positions, cells) a layer, on the network's device."""
    chunks = [network.activities(chunk) for chunk in leaves.split(CHUNK)]
    return [torch.cat(parts) for parts in zip(*chunks, strict=True)]


def code_geometry(network: Network, samples: Samples, seed: int) -> Geometry:
    """Measure each layer against the latents of its own level.

    Args:
        network: whose layers.
        samples: held-out samples.
        seed: root seed of the stream ``exchange``.
    """
    samples = samples[:MOST]
    depth = samples.grammar.hierarchy.depth
    codes = _as_numpy(network, samples)
    rows: list[list[float]] = [[] for _ in codes]
    if samples.grammar.hierarchy.multiplicity > 1:
        for level in range(1, depth + 1):
            exchanged = _as_numpy(network, exchange_synonyms(samples, level, stream(seed, "exchange", level)))
            for row, code, other in zip(rows, codes, exchanged, strict=True):
                row.append(geometry.sensitivity(code, other))
    pairs = [(code, samples.levels[level]) for level, code in enumerate(codes, 1)]
    return Geometry(
        selectivity=[geometry.selectivity(*pair) for pair in pairs],
        participation=[geometry.participation(*pair) for pair in pairs],
        decoding=[geometry.decoding(*pair) for pair in pairs],
        sensitivity=rows,
    )


def _as_numpy(network: Network, samples: Samples) -> list[np.ndarray]:
    leaves = to_tensor(samples.one_hot(), network.output.detach())
    # What has grown without bound carries nothing: the row says so, and the figures stay finite.
    return [np.nan_to_num(code.cpu().numpy(), posinf=0.0, neginf=0.0) for code in activities(network, leaves)]
