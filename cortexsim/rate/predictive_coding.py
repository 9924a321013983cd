"""Predictive coding: activity that settles between what is predicted from below and what the output should be."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from cortexsim.rate.feedback_pathway import FeedbackPathway
from cortexsim.rate.layer import Response
from cortexsim.rate.network import Network


def settle(
    network: Network,
    pathway: FeedbackPathway,
    responses: list[Response],
    pull: Callable[[Tensor], Tensor],
    constants: Mapping[str, float],
) -> tuple[list[Response], list[Tensor]]:
    """Let the layers settle, the last of them pulled towards what it should be.

    Args:
        network: whose layers.
        pathway: brings errors down through the transpose of the weights.
        responses: of the layers before they settle.
        pull: what the last layer's values, (batch, positions, cells), are pulled away from, of the same shape.
        constants: ``steps``; ``rate`` of a step; ``fixed``, 1 where predictions stay as they were.

    Returns:
        What the layers respond to the settled values below them, their own values as activity; and their errors,
        prediction less value, (batch, positions, cells).
    """
    fixed, rate = bool(constants["fixed"]), constants["rate"]
    predicted = responses
    values = [response.activity for response in responses]
    surprise = pull(values[-1])
    errors = [torch.zeros_like(value) for value in values]
    for _ in range(int(constants["steps"])):
        if not fixed:
            predicted = _predict(network, responses[0], values)
            surprise = pull(values[-1])
        errors = [response.activity - value for response, value in zip(predicted, values, strict=True)]
        above = [
            error * layer.derivative(response.drive)
            for error, layer, response in zip(errors, network.layers, predicted, strict=True)
        ]
        pulls = [pathway.down(k, taught) for k, taught in enumerate(above[1:])] + [surprise]
        values = [value + rate * (error - pull) for value, error, pull in zip(values, errors, pulls, strict=True)]
    if fixed:
        return responses, [response.activity - value for response, value in zip(responses, values, strict=True)]
    predicted = _predict(network, responses[0], values)
    errors = [response.activity - value for response, value in zip(predicted, values, strict=True)]
    return [response._replace(activity=value) for response, value in zip(predicted, values, strict=True)], errors


def clamp_output(
    target: Tensor, network: Network, pathway: FeedbackPathway, precision: float
) -> Callable[[Tensor], Tensor]:
    """Hold the output at a target, one-hot, (batch, classes): pull by what it answers less that, weighted."""

    def pull(top: Tensor) -> Tensor:
        surprise = precision * (torch.softmax(network.classify(top), 1) - target).unsqueeze(1)
        return pathway.down(len(network.layers) - 1, surprise)

    return pull


def _predict(network: Network, first: Response, values: list[Tensor]) -> list[Response]:
    """Respond to the values of the layer below; what the first layer sees does not change."""
    return [first, *(layer.respond(below) for layer, below in zip(network.layers[1:], values[:-1], strict=True))]
