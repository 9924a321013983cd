"""Probes: everything that is measured on a learner, changing nothing in it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortexsim.analysis import geometry
from cortexsim.rate import Network, to_tensor
from cortexsim.seeds import stream
from cortexsim.tasks import Data

CHUNK = 1024  # Samples evaluated at once.
MAX_SAMPLES = 2048  # Samples that the geometry of a code is measured on.


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


def code_geometry(network: Network, samples: Data, seed: int) -> Geometry:
    """Measure each layer against the latents of its own level; against the labels, where no latents are known.

    Sensitivity is that to second views of each level, where the task has any.

    Args:
        network: whose layers.
        samples: held-out samples.
        seed: root seed of the stream ``exchange``.
    """
    samples = samples[:MAX_SAMPLES]
    codes = _as_numpy(network, samples)
    rows: list[list[float]] = [[] for _ in codes]
    if samples.exchangeable:
        for level in range(1, len(samples.latents) + 1):
            exchanged = _as_numpy(network, samples.second_view(level, stream(seed, "exchange", level)))
            for row, code, other in zip(rows, codes, exchanged, strict=True):
                row.append(geometry.sensitivity(code, other))
    pairs = [(code, _latents(samples, network, level, code.shape[1])) for level, code in enumerate(codes, 1)]
    return Geometry(
        selectivity=[geometry.selectivity(*pair) for pair in pairs],
        participation=[geometry.participation(*pair) for pair in pairs],
        decoding=[geometry.decoding(*pair) for pair in pairs],
        sensitivity=rows,
    )


def _latents(samples: Data, network: Network, level: int, positions: int) -> np.ndarray:
    """Give what the columns of a layer should stand for, (samples, positions): latents where columns are a tree."""
    tree = network.topology.layers[0].contiguous and network.topology.ancestors(1, level - 1).size
    known = samples.latents[level - 1] if tree and level <= len(samples.latents) else samples.labels[:, None]
    return known if known.shape[1] == positions else np.repeat(samples.labels[:, None], positions, 1)


def _as_numpy(network: Network, samples: Data) -> list[np.ndarray]:
    inputs = to_tensor(samples.inputs, network.output.detach())
    # What has grown without bound carries nothing: the row says so, and the figures stay finite.
    return [np.nan_to_num(code.cpu().numpy(), posinf=0.0, neginf=0.0) for code in activities(network, inputs)]
