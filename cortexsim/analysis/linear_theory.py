"""When layer-local contrastive learning is end-to-end learning: both updates in a deep network, in closed form.

Zihan, Delrocq, Gerstner, Bellec, "Can local learning match self-supervised backpropagation?", 2026 (arXiv 2601.21683).
Layer l scores a pair by u = z_l^T B_l c_l, where c_l is its own activity on the context of the pair. With y_k = +1 for
positive and -1 for negative pairs, and a penalty on B,

    loss_l = mean_k(h(y_k u_k)) + penalty/2 |B_l|^2    is least at    B_l = mean_k(y_k f_k z_k c_k^T) / penalty,

where f_k = -h'(y_k u_k) is how steep the loss is at the layer's own score: 1 for h = -y u, sigmoid(1 - y u) for the
published h = softplus(1 - y u), whose optimum has no closed form. The local update of W_l, which lets no derivative
through the context (three-factor plasticity), is

    dW_l = -d loss_l / d W_l = mean_k(y_k f_k (B_l c_k) rho'(a_k) z_{l-1,k}^T).

The end-to-end update differentiates loss_L alone, in the same way. In a linear network whose layers have the same f let
x_k and x'_k be the inputs of a pair, S = mean_k(y_k f_k x_k x'_k^T), A_l = W_l ... W_1 and G_l = (W_L ... W_{l+1})^T
(W_L ... W_{l+1}). Then dW_l is, times the penalty,

    local, context of the same layer         A_l S A_l^T     A_l S^T A_{l-1}^T
    local, context of the top layer          A_l S A_l^T G_l A_l S^T A_{l-1}^T
    end to end                           G_l A_l S A_l^T G_l A_l S^T A_{l-1}^T

so that all are equal where every G_l is the identity: where the columns of every W above the first are orthonormal.
There every layer scores a pair alike too, so that f is the same by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

PENALTY = 0.01
STEPS, HALVINGS, TOLERANCE = 100, 30, 1e-9  # Of the slopes of softplus, which lie between 0 and 1.

# Of the activity (pairs, post), the context (pairs, context) and y (pairs,): B (post, context) and y f (pairs,).
Loss = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Pairs:
    """Hold inputs with their contexts.

    Attributes:
        inputs: (pairs, input).
        contexts: (pairs, input), of the same object or of another one.
        signs: (pairs,), y: 1 for positive and -1 for negative pairs.
    """

    inputs: Tensor
    contexts: Tensor
    signs: Tensor

    @classmethod
    def contrast(cls, inputs: Tensor, contexts: Tensor) -> "Pairs":
        """Take each input with its context (y = 1), and with that of the input before it (y = -1).

        No input is before the first; as in the published program it takes the last input itself.
        """
        before = torch.cat([inputs[-1:], contexts[:-1]])
        signs = torch.ones(len(inputs), dtype=inputs.dtype)
        return cls(torch.cat([inputs, inputs]), torch.cat([contexts, before]), torch.cat([signs, -signs]))

    @classmethod
    def both_ways(cls, first: Tensor, second: Tensor) -> tuple["Pairs", "Pairs"]:
        """Contrast two views, (pairs, input) each, each with the other as its context; each direction has a B."""
        return cls.contrast(first, second), cls.contrast(second, first)


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


def linear(activity: Tensor, context: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """Give the B that makes the loss with f = 1 least, and y."""
    return _optimum(activity, context, signs), signs


def softplus(activity: Tensor, context: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """Give the B that makes mean(softplus(1 - y u)) + penalty/2 |B|^2 least, and y f there, f = sigmoid(1 - y u).

    B is a sum over pairs, so that their scores follow from y f alone: u = K (y f), K = (z z^T)(c c^T) / (n penalty)
    entry by entry. Newton's method, with steps halved until they lead nearer, solves for y f.

    Raises:
        ArithmeticError: where it does not come to its end, as where scores are too large for double precision.
    """
    overlaps = (activity @ activity.T) * (context @ context.T) / (len(signs) * PENALTY)

    def missing(slopes: Tensor) -> Tensor:
        return signs * torch.sigmoid(1 - signs * (overlaps @ slopes)) - slopes

    slopes = torch.zeros_like(signs)
    for _ in range(STEPS):
        error = missing(slopes)
        if error.abs().max() < TOLERANCE:
            return _optimum(activity, context, slopes), slopes
        now = slopes + error  # y f at these scores; y^2 f (1 - f) is its derivative.
        step = torch.linalg.solve((now * (signs - now))[:, None] * overlaps + torch.eye(len(signs)).to(now), error)
        halved = (slopes + step / 2**times for times in range(HALVINGS))
        slopes = next((tried for tried in halved if missing(tried).norm() < error.norm()), slopes)
    raise ArithmeticError(f"the slopes of softplus are not found in {STEPS} steps: inputs too long, or not finite")


def identity(activity: Tensor, context: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """Give B = I, as in forward-forward learning, whose context is z itself, and y."""
    return torch.eye(activity.shape[1], context.shape[1], dtype=activity.dtype), signs


def local_updates(network: DeepNetwork, pairs: Pairs, loss: Loss = linear, direct: bool = False) -> list[Tensor]:
    """Compute every layer's update by its own loss, downhill: (post, pre) each.

    Args:
        network: what to update.
        pairs: the batch.
        loss: chooses B and the slopes, from each layer's own scores.
        direct: the context is the activity of the top layer (direct feedback) instead of the same layer's.
    """
    activities, contexts = network.activities(pairs.inputs), network.activities(pairs.contexts)
    updates = []
    for pre, post, own in zip(activities[:-1], activities[1:], contexts[1:], strict=True):
        teaching = _teaching(post, contexts[-1] if direct else own, pairs.signs, loss)
        updates.append((teaching * network.slope(post)).T @ pre / len(pre))
    return updates


def end_to_end_updates(network: DeepNetwork, pairs: Pairs, loss: Loss = linear) -> list[Tensor]:
    """Compute every layer's update by the top layer's loss, backpropagated, downhill: (post, pre) each."""
    activities, contexts = network.activities(pairs.inputs), network.activities(pairs.contexts)
    teaching = _teaching(activities[-1], contexts[-1], pairs.signs, loss)
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
        q, r = torch.linalg.qr(torch.from_numpy(generator.normal(size=(max(pre, post), min(pre, post)))))
        q = q * r.diag().sign()  # Makes the draw uniform (Mezzadri 2007).
        found.append(q if post >= pre else q.T.contiguous())
    return tuple(found)


def default_weights(widths: Sequence[int], generator: np.random.Generator) -> tuple[Tensor, ...]:
    """Draw weights as ``torch.nn.Linear`` does, uniform within 1/sqrt(pre); widths as in ``semi_orthogonal``."""
    sizes = pairwise(widths)
    return tuple(torch.from_numpy(generator.uniform(-1, 1, (post, pre)) / np.sqrt(pre)) for pre, post in sizes)


def _optimum(activity: Tensor, context: Tensor, slopes: Tensor) -> Tensor:
    """Compute the B that makes the loss least whose slopes, y f, are these: (post, context)."""
    return (slopes[:, None] * activity).T @ context / (len(slopes) * PENALTY)


def _teaching(activity: Tensor, context: Tensor, signs: Tensor, loss: Loss) -> Tensor:
    """Compute y f (B c), which each dendrite hears: (pairs, post)."""
    context_weights, slopes = loss(activity, context, signs)
    return slopes[:, None] * (context @ context_weights.T)
