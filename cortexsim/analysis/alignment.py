"""How a rule's updates lie to those of backpropagation, and how much its feedback knows of the input."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy, one_hot

from cortexsim.learners import Feedback
from cortexsim.rate import Network

SHIFTS = 16  # Other inputs that each error is brought down with.


def gradients(network: Network, leaves: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Differentiate the cross-entropy of a batch, leaves (batch, s^L, v) and labels (batch,), changing nothing."""
    named = network.weights()
    needed = [tensor.requires_grad for tensor in named.values()]
    for tensor in named.values():
        tensor.requires_grad_(True)
    with torch.enable_grad():
        loss = cross_entropy(network.classify(network.activities(leaves)[-1]), labels)
        found = torch.autograd.grad(loss, list(named.values()))
    for tensor, before in zip(named.values(), needed, strict=True):
        tensor.requires_grad_(before)
    return dict(zip(named, found, strict=True))


def update_cosines(learner: Feedback, leaves: Tensor, labels: Tensor) -> list[float]:
    """Measure the cosine between a rule's update and backpropagation's, layer by layer, at the same weights and batch.

    Nothing in the learner changes, its random streams included.
    """
    with _unchanged(learner):
        updates = learner.updates(leaves, labels)
    downhill = gradients(learner.network, leaves, labels)
    names = [f"layer{k}.feedforward" for k in range(1, len(learner.network.layers) + 1)]
    return [float(-cosine_similarity(updates[name].flatten(), downhill[name].flatten(), dim=0)) for name in names]


@torch.no_grad()
def input_shares(learner: Feedback, leaves: Tensor, labels: Tensor) -> list[float] | None:
    """Measure, layer by layer, the share of the variance of feedback that depends on the input, given the error.

    The error of each sample is brought down through the responses to other samples; what varies then is the work of
    the masks. 0 is feedback that the error alone determines.

    Returns:
        One share a layer; None where feedback cannot be told from activity, as in predictive coding.
    """
    if learner.path.route == "settled":
        return None
    network = learner.network
    responses = network.responses(leaves)
    answer = torch.softmax(network.classify(responses[-1].activity), 1)
    error = answer - one_hot(labels, answer.shape[1]).to(answer.dtype)
    heard: list[list[Tensor]] = []
    for shift in range(min(SHIFTS, len(leaves))):
        others = network.responses(leaves.roll(shift, 0))
        with _unchanged(learner):
            feedback, _ = learner.layer_feedback(others, error, [])
        heard.append(
            [
                signal.error
                if signal.error is not None
                else (signal.project or layer.project_feedback)(error.unsqueeze(1))
                for signal, layer in zip(feedback, network.layers, strict=True)
            ]
        )
    return [_share(torch.stack(several)) for several in zip(*heard, strict=True)]


def feedback_angles(network: Network) -> list[float]:
    """Measure the angle, in degrees, between the feedback weights onto each layer and the transpose they stand for."""
    above = [layer.feedforward.weights.transpose(1, 2) for layer in network.layers[1:]]
    angles = []
    for layer, transpose in zip(network.layers, [*above, network.output.T.unsqueeze(0)], strict=True):
        assert layer.feedback is not None
        cosine = cosine_similarity(layer.feedback.weights.flatten(), transpose.flatten(), dim=0)
        angles.append(math.degrees(math.acos(max(-1.0, min(1.0, float(cosine))))))
    return angles


def _share(heard: Tensor) -> float:
    """The variance over inputs (dimension 0) in the variance over inputs and errors (dimensions 0 and 1)."""
    within = heard.var(0, correction=0).mean(0).sum()
    total = heard.flatten(0, 1).var(0, correction=0).sum()
    return float(within / total) if total > 0 else 0.0


@contextmanager
def _unchanged(learner: Feedback) -> Iterator[None]:
    """Put a learner back to the state it is in."""
    before = learner.state()
    yield
    learner.load(before)
