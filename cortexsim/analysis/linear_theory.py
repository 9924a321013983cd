"""When layer-local contrastive learning is end-to-end learning: both updates in a deep network, in closed form.

Zihan, Delrocq, Gerstner, Bellec, "Can local learning match self-supervised backpropagation?", 2026 (arXiv 2601.21683).
Layer l scores a pair by u = z_l^T B_l c_l, where c_l is its own activity on the context of the pair. With the same
slope f_k of the loss in all layers, y_k = +1 for positive and -1 for negative pairs, and a penalty on B,

    loss_l = mean_k(-y_k f_k u_k) + penalty/2 |B_l|^2    is least at    B_l = mean_k(y_k f_k z_k c_k^T) / penalty,

and the local update of W_l, which lets no derivative through the context (three-factor plasticity), is

    dW_l = -d loss_l / d W_l = mean_k(y_k f_k (B_l c_k) rho'(a_k) z_{l-1,k}^T).

The end-to-end update differentiates loss_L alone, in the same way. In a linear network let x_k and x'_k be the inputs
of a pair, S = mean_k(y_k f_k x_k x'_k^T), A_l = W_l ... W_1 and G_l = (W_L ... W_{l+1})^T (W_L ... W_{l+1}). Then
dW_l is, times the penalty,

    local, context of the same layer         A_l S A_l^T     A_l S^T A_{l-1}^T
    local, context of the top layer          A_l S A_l^T G_l A_l S^T A_{l-1}^T
    end to end                           G_l A_l S A_l^T G_l A_l S^T A_{l-1}^T

so that all are equal where every G_l is the identity: where the columns of every W above the first are orthonormal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

PENALTY = 0.01

ContextWeights = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Pairs:
    """Hold inputs with their contexts.

    Attributes:
        inputs: (pairs, input).
        contexts: (pairs, input), of the same object or of another one.
        slopes: (pairs,), y f: the sign of the pair times the slope of the loss, the same in all layers.
    """

    inputs: Tensor
    contexts: Tensor
    slopes: Tensor

    @classmethod
    def contrast(cls, inputs: Tensor, contexts: Tensor) -> "Pairs":
        """Take each input with its context (y f = 1), and with that of the next input (y f = -1)."""
        slopes = torch.ones(len(inputs), dtype=inputs.dtype)
        together = (torch.cat([inputs, inputs]), torch.cat([contexts, contexts.roll(1, 0)]))
        return cls(*together, torch.cat([slopes, -slopes]))

    def swapped(self) -> "Pairs":
        """Exchange inputs and contexts; updates of both, added, let the derivative through z and c."""
        return Pairs(self.contexts, self.inputs, self.slopes)


@dataclass(frozen=True)
class DeepNetwork:
    """Hold the weights of a fully connected network without biases.

    Attributes:
        weights: of each layer, the lowest first, (post, pre).
        rectified: the transfer function is ReLU; linear unless given.
    """

    weights: tuple[Tensor, ...]
    rectified: bool = False

    def activities(self, inputs: Tensor) -> list[Tensor]:
        """Compute the activity of every layer, the input first: (pairs, post) each."""
        found = [inputs]
        for weights in self.weights:
            drive = found[-1] @ weights.T
            found.append(drive.relu() if self.rectified else drive)
        return found

    def slope(self, activity: Tensor) -> Tensor:
        """Give the derivative of the transfer function, (pairs, post)."""
        return (activity > 0).to(activity) if self.rectified else torch.ones_like(activity)


def optimal(activity: Tensor, heard: Tensor, slopes: Tensor) -> Tensor:
    """Give the context weights B that make the loss least, (post, context)."""
    return (slopes[:, None] * activity).T @ heard / (len(slopes) * PENALTY)


def identity(activity: Tensor, heard: Tensor, slopes: Tensor) -> Tensor:
    """Give B = I, as in forward-forward learning, whose context is z itself."""
    return torch.eye(activity.shape[1], heard.shape[1], dtype=activity.dtype)


def local_updates(
    network: DeepNetwork, pairs: Pairs, context_weights: ContextWeights = optimal, direct: bool = False
) -> list[Tensor]:
    """Compute every layer's update by its own loss, downhill: (post, pre) each.

    Args:
        network: what to update.
        pairs: the batch.
        context_weights: chooses B.
        direct: the context is the activity of the top layer (direct feedback) instead of the same layer's.
    """
    activities, contexts = network.activities(pairs.inputs), network.activities(pairs.contexts)
    updates = []
    for pre, post, own in zip(activities[:-1], activities[1:], contexts[1:], strict=True):
        teaching = _teaching(post, contexts[-1] if direct else own, pairs.slopes, context_weights)
        updates.append((teaching * network.slope(post)).T @ pre / len(pre))
    return updates


def end_to_end_updates(network: DeepNetwork, pairs: Pairs, context_weights: ContextWeights = optimal) -> list[Tensor]:
    """Compute every layer's update by the top layer's loss, backpropagated, downhill: (post, pre) each."""
    activities, contexts = network.activities(pairs.inputs), network.activities(pairs.contexts)
    teaching = _teaching(activities[-1], contexts[-1], pairs.slopes, context_weights)
    updates = []
    for weights, pre, post in zip(network.weights[::-1], activities[-2::-1], activities[:0:-1], strict=True):
        delta = teaching * network.slope(post)  # (pairs, post)
        updates.append(delta.T @ pre / len(pre))
        teaching = delta @ weights
    return updates[::-1]


def cosines(updates: Sequence[Tensor], others: Sequence[Tensor]) -> list[float]:
    """Measure the cosine between two updates, layer by layer."""
    pairs = zip(updates, others, strict=True)
    return [float(cosine_similarity(one.flatten(), other.flatten(), dim=0)) for one, other in pairs]


def semi_orthogonal(widths: Sequence[int], generator: np.random.Generator) -> tuple[Tensor, ...]:
    """Draw weights whose columns are orthonormal where a layer does not shrink, and whose rows are where it does.

    Args:
        widths: cells of the input and of every layer.
        generator: draws them, uniformly.
    """
    found = []
    for pre, post in pairwise(widths):
        q, r = np.linalg.qr(generator.normal(size=(max(pre, post), min(pre, post))))
        q *= np.sign(np.diag(r))  # Makes the draw uniform (Mezzadri 2007).
        found.append(torch.from_numpy(q if post >= pre else np.ascontiguousarray(q.T)))
    return tuple(found)


def default_weights(widths: Sequence[int], generator: np.random.Generator) -> tuple[Tensor, ...]:
    """Draw weights as ``torch.nn.Linear`` does, uniform within 1/sqrt(pre); widths as in ``semi_orthogonal``."""
    sizes = pairwise(widths)
    return tuple(torch.from_numpy(generator.uniform(-1, 1, (post, pre)) / np.sqrt(pre)) for pre, post in sizes)


def _teaching(activity: Tensor, heard: Tensor, slopes: Tensor, context_weights: ContextWeights) -> Tensor:
    """Compute y f (B c), which each dendrite hears: (pairs, post)."""
    return slopes[:, None] * (heard @ context_weights(activity, heard, slopes).T)
