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

    >>> from cortexsim.rate import Architecture, Network, Optimization, Synapses
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> views = Synapses(context=("view",) * 2, context_synapses="uniform")
    >>> network = Network.build(Architecture(initial="uniform"), tree(depth=2, size=2, channels=8), 4, 0, views)
    >>> learner = PairedLocal(network, load_rule("clapp"), Optimization(), "simultaneous", trained_layers=2)
    >>> pairs = torch.rand(8, 2, 4, 8, generator=torch.Generator().manual_seed(0))  # (batch, 2, positions, channels)
    >>> [round(cosine, 2) for cosine in layer_cosines(learner, [pairs])]
    [-0.01, 1.0]

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
