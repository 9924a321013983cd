"""Local and end-to-end contrastive updates in a deep network, in closed form, and when the two are equal.

Zihan, Delrocq, Gerstner, Bellec, "Can local learning match self-supervised backpropagation?", 2026 (arXiv 2601.21683).
Layer l scores a pair by u = z_l^T B_l c_l, where z_l is its activity for the input and c_l its activity for the context
of the pair. With y_k = +1 for positive and -1 for negative pairs, and a penalty on B,

    loss_l = mean_k(h(y_k u_k)) + penalty/2 |B_l|^2    is minimal at    B_l = mean_k(y_k f_k z_k c_k^T) / penalty,

where f_k = -h'(y_k u_k) is the slope of the loss at the layer's own score: 1 for the linear loss h = -y u, and
sigmoid(1 - y u) for the published loss h = softplus(1 - y u), whose minimum has no closed form. The local update of
W_l, with no gradient through the context (three-factor plasticity), is

    dW_l = -d loss_l / d W_l = mean_k(y_k f_k (B_l c_k) rho'(a_k) z_{l-1,k}^T).

The end-to-end update is the gradient of loss_L only. In a linear network whose layers have the same f, let x_k and x'_k
be the input and the context of a pair, S = mean_k(y_k f_k x_k x'_k^T), A_l = W_l ... W_1 and G_l = (W_L ... W_{l+1})^T
(W_L ... W_{l+1}). Then penalty * dW_l is

    local, context of the same layer         A_l S A_l^T     A_l S^T A_{l-1}^T
    local, context of the top layer          A_l S A_l^T G_l A_l S^T A_{l-1}^T
    end to end                           G_l A_l S A_l^T G_l A_l S^T A_{l-1}^T

All are equal if every G_l is the identity, that is if the columns of every W above the first layer are orthonormal.
Then all layers give a pair the same score, and hence have the same f.

>>> generator = np.random.default_rng(0)
>>> network = DeepNetwork(semi_orthogonal([8, 8, 8], generator))
>>> inputs, contexts = torch.from_numpy(generator.normal(size=(2, 20, 8)))  # (pairs, input) each
>>> pairs = Pairs.contrast(inputs, contexts)
>>> [round(cosine, 6) for cosine in cosines(local_updates(network, pairs), end_to_end_updates(network, pairs))]
[1.0, 1.0]
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

PENALTY = 0.01
STEPS, HALVINGS, TOLERANCE = 100, 30, 1e-9  # Of Newton's method for the slopes of softplus.

Loss = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""From activity (pairs, post), context (pairs, context) and signs y (pairs,) to B (post, context) and y f (pairs,)."""


@dataclass(frozen=True)
class Pairs:
    """Positive and negative pairs of an input and its context.

    Attributes:
        inputs: (pairs, input).
        contexts: (pairs, input): another view of the same object for positive pairs, of another one for negative pairs.
        signs: y, (pairs,): 1 for positive and -1 for negative pairs.
    """

    inputs: Tensor
    contexts: Tensor
    signs: Tensor

    @classmethod
    def contrast(cls, inputs: Tensor, contexts: Tensor) -> "Pairs":
        """Pair each input with its own context (y = 1), and with the context of the preceding input (y = -1).

        The negative context of the first input is the last input itself, as in the published program.

        Args:
            inputs: (samples, input).
            contexts: (samples, input).

        Returns:
            2 * samples pairs, the positive ones first.
        """
        before = torch.cat([inputs[-1:], contexts[:-1]])
        signs = torch.ones(len(inputs), dtype=inputs.dtype)
        return cls(torch.cat([inputs, inputs]), torch.cat([contexts, before]), torch.cat([signs, -signs]))

    @classmethod
    def both_ways(cls, first: Tensor, second: Tensor) -> tuple["Pairs", "Pairs"]:
        """Contrast two views with each other, each serving as the context of the other, with a B for each direction.

        Args:
            first: (samples, input).
            second: (samples, input).
        """
        return cls.contrast(first, second), cls.contrast(second, first)


@dataclass(frozen=True)
class DeepNetwork:
    """A fully connected network without biases.

    Attributes:
        weights: weights of each layer, the lowest first, (post, pre) each.
        rectified: whether the transfer function is ReLU rather than linear.
    """

    weights: tuple[Tensor, ...]
    rectified: bool = False

    def activities(self, inputs: Tensor) -> list[Tensor]:
        """Activity of every layer, the input first: (pairs, post) each, for inputs (pairs, input)."""
        activities = [inputs]
        for weights in self.weights:
            drive = activities[-1] @ weights.T
            activities.append(drive.relu() if self.rectified else drive)
        return activities

    def slope(self, activity: Tensor) -> Tensor:
        """Derivative of the transfer function at an activity (pairs, post)."""
        return (activity > 0).to(activity) if self.rectified else torch.ones_like(activity)


def linear(activity: Tensor, context: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """Linear loss -y u, with f = 1: its optimal B, and y f = y."""
    return _optimum(activity, context, signs), signs


def softplus(activity: Tensor, context: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """Published loss softplus(1 - y u), with f = sigmoid(1 - y u): its optimal B, and y f there.

    B is a sum over pairs, so that the scores depend on y f only: u = K (y f), where K is the elementwise product
    (z z^T)(c c^T) / (n penalty). A damped Newton method solves for y f.

    Raises:
        ArithmeticError: if the method does not converge, for example if scores are too large for double precision.
    """
    overlaps = (activity @ activity.T) * (context @ context.T) / (len(signs) * PENALTY)

    def residual(slopes: Tensor) -> Tensor:
        return signs * torch.sigmoid(1 - signs * (overlaps @ slopes)) - slopes

    slopes = torch.zeros_like(signs)
    for _ in range(STEPS):
        error = residual(slopes)
        if error.abs().max() < TOLERANCE:
            return _optimum(activity, context, slopes), slopes
        now = slopes + error  # y f at these scores; its derivative is -y^2 f (1 - f).
        step = torch.linalg.solve((now * (signs - now))[:, None] * overlaps + torch.eye(len(signs)).to(now), error)
        halved = (slopes + step / 2**times for times in range(HALVINGS))
        slopes = next((tried for tried in halved if residual(tried).norm() < error.norm()), slopes)
    raise ArithmeticError(f"the slopes of softplus have not converged in {STEPS} steps (use finite, smaller inputs)")


def identity(activity: Tensor, context: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """Linear loss with B = I, as in forward-forward learning, where the context is z itself: B, and y f = y."""
    return torch.eye(activity.shape[1], context.shape[1], dtype=activity.dtype), signs


def local_updates(network: DeepNetwork, pairs: Pairs, loss: Loss = linear, direct: bool = False) -> list[Tensor]:
    """Updates of all layers, each the negative gradient of the layer's own loss.

    Args:
        network: the network.
        pairs: the batch.
        loss: computes B and the slopes of each layer.
        direct: whether the context is the activity of the top layer (direct feedback) instead of the same layer.

    Returns:
        One update per layer, (post, pre) each.
    """
    activities, contexts = network.activities(pairs.inputs), network.activities(pairs.contexts)
    updates = []
    for pre, post, own in zip(activities[:-1], activities[1:], contexts[1:], strict=True):
        teaching = _teaching_signal(post, contexts[-1] if direct else own, pairs.signs, loss)
        updates.append((teaching * network.slope(post)).T @ pre / len(pre))
    return updates


def end_to_end_updates(network: DeepNetwork, pairs: Pairs, loss: Loss = linear) -> list[Tensor]:
    """Updates of all layers, each the negative gradient of the loss of the top layer.

    Args:
        network: the network.
        pairs: the batch.
        loss: computes B and the slopes of the top layer.

    Returns:
        One update per layer, (post, pre) each.
    """
    activities, contexts = network.activities(pairs.inputs), network.activities(pairs.contexts)
    teaching = _teaching_signal(activities[-1], contexts[-1], pairs.signs, loss)
    updates = []
    for weights, pre, post in zip(network.weights[::-1], activities[-2::-1], activities[:0:-1], strict=True):
        delta = teaching * network.slope(post)  # (pairs, post)
        updates.append(delta.T @ pre / len(pre))
        teaching = delta @ weights
    return updates[::-1]


def cosines(updates: Sequence[Tensor], others: Sequence[Tensor]) -> list[float]:
    """Cosine between two updates of each layer: tensors of equal shapes, one per layer."""
    pairs = zip(updates, others, strict=True)
    return [float(cosine_similarity(one.flatten(), other.flatten(), dim=0)) for one, other in pairs]


def semi_orthogonal(widths: Sequence[int], generator: np.random.Generator) -> tuple[Tensor, ...]:
    """Draw random semi-orthogonal weights: orthonormal rows if a layer is smaller than its input, otherwise columns.

    Args:
        widths: number of cells of the input and of every layer.
        generator: source of randomness; the distribution is uniform (Mezzadri 2007).

    Returns:
        One matrix (post, pre) per layer.
    """
    drawn = []
    for pre, post in pairwise(widths):
        q, r = torch.linalg.qr(torch.from_numpy(generator.normal(size=(max(pre, post), min(pre, post)))))
        q = q * r.diag().sign()  # Makes the distribution uniform.
        drawn.append(q if post >= pre else q.T.contiguous())
    return tuple(drawn)


def default_weights(widths: Sequence[int], generator: np.random.Generator) -> tuple[Tensor, ...]:
    """Draw weights uniform in +-1/sqrt(pre), as ``torch.nn.Linear`` does; arguments as in `semi_orthogonal`."""
    sizes = pairwise(widths)
    return tuple(torch.from_numpy(generator.uniform(-1, 1, (post, pre)) / np.sqrt(pre)) for pre, post in sizes)


def _optimum(activity: Tensor, context: Tensor, slopes: Tensor) -> Tensor:
    """Optimal B for slopes y f, (post, context)."""
    return (slopes[:, None] * activity).T @ context / (len(slopes) * PENALTY)


def _teaching_signal(activity: Tensor, context: Tensor, signs: Tensor, loss: Loss) -> Tensor:
    """Teaching signal at each dendrite, y f (B c): (pairs, post)."""
    context_weights, slopes = loss(activity, context, signs)
    return slopes[:, None] * (context @ context_weights.T)
