"""Similarity of local updates with those of one loss at the top, for pairs of random views.

Zihan, Delrocq, Bellec, Gerstner, "Can local learning match self-supervised backpropagation?", ICML 2026: the cosine, in
each layer, between its local update and the one that backpropagation gets from the loss of the highest layer, at the
same weights and for the same batch.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from cortexsim.learners import PairedLocal, paired_clapp_loss, paired_loss


def layer_cosines(learner: PairedLocal, batches: Iterable[Tensor]) -> list[float]:
    """Compare the updates of the feedforward weights of each layer with the negative gradient of the highest loss.

    Both are averaged over the batches first. The highest layer's own update is that gradient. Nothing changes.

    Args:
        learner: trains all layers of its network at once by CLAPP.
        batches: pairs of views, each (batch, 2, positions, channels).

    Returns:
        A cosine for each layer, lowest first; 0 where a layer does not change.
    """
    several = [(_local(learner, batch), _gradients(learner, batch)) for batch in batches]
    local, gradients = (
        [torch.stack(layer).sum(0) for layer in zip(*each, strict=True)] for each in zip(*several, strict=True)
    )
    return [
        float(cosine_similarity(update.flatten(), -gradient.flatten(), 0))
        for update, gradient in zip(local, gradients, strict=True)
    ]


@torch.no_grad()
def _local(learner: PairedLocal, batch: Tensor) -> list[Tensor]:
    """Compute the update directions of the feedforward weights of each layer, (groups, cells, pre)."""
    return [updates["feedforward"] for _, updates in learner.updates(0, batch)]


def _gradients(learner: PairedLocal, batch: Tensor) -> tuple[Tensor, ...]:
    """Compute the gradients of the highest loss by the same weights."""
    weights = [layer.feedforward.weights for layer in learner.network.layers]
    for tensor in weights:
        tensor.requires_grad_()
    gradients = torch.autograd.grad(paired_loss(learner.network, paired_clapp_loss, batch), weights)
    for tensor in weights:
        tensor.requires_grad_(False)
    return gradients
