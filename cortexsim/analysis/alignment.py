"""Alignment of feedback learning with backpropagation: updates, feedback weights, and dependence on the input."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy, one_hot

from cortexsim.learners import Feedback
from cortexsim.rate import Network

SHIFTS = 16  # Number of inputs that each error is combined with.


def gradients(network: Network, leaves: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Gradients of the cross-entropy of a batch with respect to all weights of a network.

    Args:
        network: the network, which does not change.
        leaves: inputs, (batch, positions, channels).
        labels: classes, (batch,).

    Returns:
        Gradients by the names of `Network.weights`, each of the shape of its weights.
    """
    named = network.weights()
    needed = [tensor.requires_grad for tensor in named.values()]
    for tensor in named.values():
        tensor.requires_grad_(True)
    with torch.enable_grad():
        loss = cross_entropy(network.classify(network.activities(leaves)[-1]), labels)
        gradient = torch.autograd.grad(loss, list(named.values()))
    for tensor, before in zip(named.values(), needed, strict=True):
        tensor.requires_grad_(before)
    return dict(zip(named, gradient, strict=True))


def update_cosines(learner: Feedback, leaves: Tensor, labels: Tensor) -> list[float]:
    """Cosine between the feedforward updates of a learner and those of backpropagation, for the same batch.

    Written as a rule, backpropagation follows the gradient; feedback alignment, untrained, hardly does:

    >>> from cortexsim.rate import Architecture, Optimization, Synapses
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> feedback = Synapses(feedback="layered")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, feedback)
    >>> inputs, labels = torch.rand(32, 4, 8, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4
    >>> for name in ("bp", "fa"):
    ...     cosines = update_cosines(Feedback(network, load_rule(name), Optimization()), inputs, labels)
    ...     print(name, [cosine > 0.99 for cosine in cosines])
    bp [True, True]
    fa [False, False]

    Args:
        learner: the learner, which does not change, its random streams included.
        leaves: inputs, (batch, positions, channels).
        labels: classes, (batch,).

    Returns:
        One cosine per layer.
    """
    with _unchanged(learner):
        updates = learner.updates(leaves, labels)
    downhill = gradients(learner.network, leaves, labels)
    names = [f"layer{k}.feedforward" for k in range(1, len(learner.network.layers) + 1)]
    return [float(-cosine_similarity(updates[name].flatten(), downhill[name].flatten(), dim=0)) for name in names]


@torch.no_grad()
def input_shares(learner: Feedback, leaves: Tensor, labels: Tensor) -> list[float] | None:
    """Fraction of the variance of the feedback signal that is due to the input rather than the error.

    The error of each sample is propagated down through the responses to other samples. Feedback then varies only by its
    masks, the derivatives of the transfer functions. 0 means that the error alone determines the feedback.

    Args:
        learner: the learner, which does not change.
        leaves: inputs, (batch, positions, channels).
        labels: classes, (batch,).

    Returns:
        One fraction per layer; None if feedback cannot be separated from activity, as in predictive coding.
    """
    if learner.path.route == "settled":
        return None
    network = learner.network
    responses = network.responses(leaves)
    output = torch.softmax(network.classify(responses[-1].activity), 1)
    error = output - one_hot(labels, output.shape[1]).to(output.dtype)
    feedback: list[list[Tensor]] = []
    for shift in range(min(SHIFTS, len(leaves))):
        others = network.responses(leaves.roll(shift, 0))
        with _unchanged(learner):
            signals, _ = learner.layer_feedback(others, error, [])
        feedback.append(
            [
                signal.error
                if signal.error is not None
                else (signal.project or layer.project_feedback)(error.unsqueeze(1))
                for signal, layer in zip(signals, network.layers, strict=True)
            ]
        )
    return [_input_fraction(torch.stack(signals)) for signals in zip(*feedback, strict=True)]


def feedback_angles(network: Network) -> list[float]:
    """Angle between the feedback weights onto each layer and the transposed forward weights that they replace.

    Args:
        network: with feedback weights onto every layer.

    Returns:
        One angle per layer, in degrees: 0 for backpropagation, about 90 for unrelated random weights.
    """
    above = [layer.feedforward.weights.transpose(1, 2) for layer in network.layers[1:]]
    angles = []
    for layer, transpose in zip(network.layers, [*above, network.output.T.unsqueeze(0)], strict=True):
        assert layer.feedback is not None
        cosine = cosine_similarity(layer.feedback.weights.flatten(), transpose.flatten(), dim=0)
        angles.append(math.degrees(math.acos(max(-1.0, min(1.0, float(cosine))))))
    return angles


def _input_fraction(feedback: Tensor) -> float:
    """Variance over inputs (axis 0), as a fraction of the variance over inputs and errors (axes 0 and 1)."""
    within = feedback.var(0, correction=0).mean(0).sum()
    total = feedback.flatten(0, 1).var(0, correction=0).sum()
    return float(within / total) if total > 0 else 0.0


@contextmanager
def _unchanged(learner: Feedback) -> Iterator[None]:
    """Restore the state of a learner on exit."""
    before = learner.state()
    yield
    learner.load(before)
