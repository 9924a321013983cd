"""Probes: measurements of the activity of a network, which do not change it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortexsim.analysis import geometry
from cortexsim.rate import Network, to_tensor
from cortexsim.seeds import stream
from cortexsim.tasks import Data

CHUNK = 1024  # Number of samples evaluated at once.
MAX_INPUTS = 2**28  # Number of presynaptic values of one layer that are in memory at once: a gigabyte.
MAX_COLUMNS = 64  # Number of columns of a layer, evenly spaced, in which it is measured.
MAX_SAMPLES = 2048  # Number of samples used to measure the geometry of a code.


@dataclass(frozen=True)
class Geometry:
    """Geometry of the codes of all layers: see `cortexsim.analysis.geometry`.

    Attributes:
        selectivity: one value per layer.
        participation: one value per layer.
        decoding: one value per layer.
        sensitivity: ``sensitivity[layer][level]``; the rows are empty if the task has no synonyms.
    """

    selectivity: list[float]
    participation: list[float]
    decoding: list[float]
    sensitivity: list[list[float]]


@torch.no_grad()
def activities(network: Network, leaves: Tensor, pools: Sequence[Tensor] = ()) -> list[Tensor]:
    """Activity of all layers, computed in chunks of `CHUNK` samples, or of fewer if layers have many columns.

    Args:
        network: the network.
        leaves: inputs, (samples, positions, channels), on the device of the network.
        pools: positions of each layer over which its activity is averaged, (places, n); none by default.

    Returns:
        One tensor (samples, positions or places, cells) per layer.
    """
    chunks = [_pooled(network.activities(chunk), pools) for chunk in leaves.split(_chunk(network))]
    return [torch.cat(parts) for parts in zip(*chunks, strict=True)]


def _pooled(codes: list[Tensor], pools: Sequence[Tensor]) -> list[Tensor]:
    return [code[:, pool].mean(2) for code, pool in zip(codes, pools, strict=True)] if pools else codes


def _chunk(network: Network) -> int:
    """Number of samples that are evaluated at once: the receptive fields of one layer are to fit into memory."""
    inputs = max(layer.positions * layer.feedforward.weights.shape[2] for layer in network.layers)
    return max(1, min(CHUNK, MAX_INPUTS // inputs))


def code_geometry(network: Network, samples: Data, seed: int) -> Geometry:
    """Measure the geometry of each layer relative to the latents of its level, or to the labels if it has none.

    Selectivity and decoding by layer, of an untrained network:

    >>> from cortexsim.rate import Architecture
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> from cortexsim.topology import tree
    >>> _, test = Hierarchy(features=8, multiplicity=4, depth=2).draw(train=2, test=256, task_seed=0, seed=0)
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), classes=8, seed=0)
    >>> measured = code_geometry(network, test, seed=0)
    >>> [round(value, 2) for value in measured.selectivity], [round(value, 2) for value in measured.decoding]
    ([0.17, 0.05], [0.73, 0.16])

    Args:
        network: the network.
        samples: held-out samples; at most `MAX_SAMPLES` of them are used.
        seed: root seed of the exchange of synonyms, stream ``exchange``.
    """
    samples = samples[:MAX_SAMPLES]
    codes = _as_numpy(network, samples)
    rows: list[list[float]] = [[] for _ in codes]
    if samples.exchangeable:
        for level in range(1, len(samples.latents) + 1):
            exchanged = _as_numpy(network, samples.second_view(level, stream(seed, "exchange", level)))
            for row, code, changed in zip(rows, codes, exchanged, strict=True):
                row.append(geometry.sensitivity(code, changed))
    pairs = [(code, _latents(samples, network, level, code.shape[1])) for level, code in enumerate(codes, 1)]
    return Geometry(
        selectivity=[geometry.selectivity(*pair) for pair in pairs],
        participation=[geometry.participation(*pair) for pair in pairs],
        decoding=[geometry.decoding(*pair) for pair in pairs],
        sensitivity=rows,
    )


def _latents(samples: Data, network: Network, level: int, positions: int) -> np.ndarray:
    """Target of each column, (samples, positions): the latents if the network is a tree, otherwise the label."""
    tree = network.topology.layers[0].contiguous and network.topology.ancestors(1, level - 1).size
    latents = samples.latents[level - 1] if tree and level <= len(samples.latents) else samples.labels[:, None]
    return latents if latents.shape[1] == positions else np.repeat(samples.labels[:, None], positions, 1)


def _as_numpy(network: Network, samples: Data) -> list[np.ndarray]:
    inputs = to_tensor(samples.inputs, network.output.detach())
    codes = (code[:, :: -(-code.shape[1] // MAX_COLUMNS)] for code in activities(network, inputs))
    # Activity that has diverged is set to 0, so that all measurements are finite.
    return [np.nan_to_num(code.cpu().numpy(), posinf=0.0, neginf=0.0) for code in codes]
