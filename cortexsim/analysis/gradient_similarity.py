"""Similarity of local updates with those of one loss at the top, for pairs of random views.

Zihan, Delrocq, Bellec, Gerstner, "Can local learning match self-supervised backpropagation?", ICML 2026: the cosine, in
each layer, between its local update and the one that backpropagation gets from the loss of the highest layer, at the
same weights and for the same batch.
"""

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from cortexsim.learners import PairedLocal, paired_clapp_loss, paired_loss


def layer_cosines(learner: PairedLocal, batch: Tensor) -> list[float]:
    """Compare the updates of the feedforward weights of each layer with the negative gradient of the highest loss.

    The highest layer's own update is that gradient. Nothing changes.

    Args:
        learner: trains all layers of its network at once by CLAPP.
        batch: pairs of views, (batch, 2, positions, channels).

    Returns:
        A cosine for each layer, lowest first; 0 where a layer does not change.
    """
    with torch.no_grad():
        local = [updates["feedforward"] for _, updates in learner.updates(0, batch)]
    weights = [layer.feedforward.weights for layer in learner.network.layers]
    for tensor in weights:
        tensor.requires_grad_()
    gradients = torch.autograd.grad(paired_loss(learner.network, paired_clapp_loss, batch), weights)
    for tensor in weights:
        tensor.requires_grad_(False)
    return [
        float(cosine_similarity(update.flatten(), -gradient.flatten(), 0))
        for update, gradient in zip(local, gradients, strict=True)
    ]
