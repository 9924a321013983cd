"""Contrastive losses of a whole network, which distinguish a column's own context from those of other fixations.

A loss reads the columns of one layer, whose activity is z, and their siblings, c_0; c_k are the siblings k fixations
before in the batch. Gradients are taken with respect to both z and c, as where these losses are published for training
end to end: nothing here is local.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cortexsim.errors import UserError
from cortexsim.rate import Layer, Network, exchanged

SACCADES = 8  # Number of negative samples of InfoNCE.
TEMPERATURE = 0.1

Contrast = Callable[[Layer, Tensor], Tensor]
"""Function of a layer and its activity, (batch, positions, cells), to the mean loss over batch and positions, ()."""


def clapp_loss(layer: Layer, activity: Tensor) -> Tensor:
    """Compute the hinge loss of CLAPP, max(0, 1 - u_0) + max(0, 1 + u_1), u_k = z^T B c_k.

    Source: Illing, Ventura, Bellec, Gerstner, NeurIPS 2021.

    >>> from cortexsim.rate import Architecture, Synapses
    >>> from cortexsim.topology import tree
    >>> synapses = Synapses(context=("sibling", "none"), context_synapses="silent")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, synapses)
    >>> (activity,) = network.activities(torch.rand(10, 4, 8), layers=1)
    >>> clapp_loss(network.layers[0], activity).item()  # Two hinges at 1, where context synapses are silent.
    2.0

    Args:
        layer: with context synapses B.
        activity: z, (batch, positions, cells).

    Returns:
        Mean over batch and positions, ().
    """
    assert layer.context is not None
    predicted = layer.context(layer.gather_context(activity))  # B c_0, (batch, positions, cells)
    own, other = ((activity * prediction).sum(2) for prediction in (predicted, predicted.roll(1, 0)))
    return (torch.relu(1 - own) + torch.relu(1 + other)).mean()


def paired_clapp_loss(layer: Layer, activity: Tensor) -> Tensor:
    """Compute the hinge losses of CLAPP++ for pairs of views, one for each dendrite: as `clapp_loss`, c the other view.

    The context is taken as given, and a layer with places has one score, of their averages. A dendrite for the top
    receives this layer, as in the highest layer that learns.

    Source: Zihan, Delrocq, Bellec, Gerstner, ICML 2026.

    Args:
        layer: with context synapses B.
        activity: z, (2 batch, positions, cells): that of all first views before that of all second ones.

    Returns:
        Mean over batch and positions, summed over dendrites, ().
    """
    z = layer.exposed(activity)
    c = exchanged(z).detach()
    top = c if layer.places is not None else exchanged(layer.send(activity)).detach()
    external, losses = {"view-top": top.flatten(1).unsqueeze(1)}, []
    for each in layer.each_dendrite:
        assert each.context is not None
        predicted = each.context(each.gather_context(c, external, c))
        own, other = ((z * prediction).sum(2) for prediction in (predicted, predicted.roll(1, 0)))
        losses.append((torch.relu(1 - own) + torch.relu(1 + other)).mean())
    return torch.stack(losses).sum()


def paired_infonce_loss(layer: Layer, activity: Tensor) -> Tensor:
    """Compute InfoNCE of angles for pairs of views: as `infonce_loss`, c the activity in the other view.

    Activity is averaged over positions, as is usual at the end of a convolutional network.

    Args:
        layer: whose activity it is.
        activity: z, (2 batch, positions, cells): that of all first views before that of all second ones.

    Returns:
        Mean over the batch, ().
    """
    z = layer.send(activity).mean(1, keepdim=True)
    return _infonce(z, exchanged(z))


def infonce_loss(layer: Layer, activity: Tensor) -> Tensor:
    """Compute InfoNCE of angles, -log softmax_0(cos(z, c_k) / temperature), c the mean of the siblings, cell by cell.

    Source: van den Oord, Li, Vinyals 2018, with the scores of Chen, Kornblith, Norouzi, Hinton, ICML 2020.

    Args:
        layer: whose siblings are the context.
        activity: z, (batch, positions, cells).

    Returns:
        Mean over batch and positions, ().
    """
    return _infonce(activity, layer.same_index_mean(layer.gather_context(activity)))


def _infonce(activity: Tensor, context: Tensor) -> Tensor:
    """InfoNCE of the angles between activity and context, each (batch, positions, cells)."""
    z, c = (values / torch.sqrt(values.square().sum(2, keepdim=True) + 1e-8) for values in (activity, context))
    scores = torch.stack([(z * c.roll(lag, 0)).sum(2) for lag in range(SACCADES + 1)], 1)
    own = scores.new_zeros(activity.shape[:2], dtype=torch.long)
    return cross_entropy(scores / TEMPERATURE, own)


def without_top(network: Network) -> tuple[Network, dict[str, Tensor]]:
    """Cut a network above the last layer whose columns have siblings.

    Returns:
        The layers below the cut, which are not copied, and the tensors that a loss of the last of them can train, by
        the names, and of the shapes, of ``network.state()``.

    Raises:
        UserError: where no column has a sibling.
    """
    if len(network.layers) == 1:
        raise UserError("training.loss: in a network of one layer no column has a sibling (depth = 2 or more)")
    below = replace(network, layers=network.layers[:-1])
    trained = {name: tensor for name, tensor in below.weights("context").items() if name.startswith("layer")}
    return below, trained
