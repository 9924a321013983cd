"""Predictive coding: activity that settles between the prediction from below and the target of the output."""

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
    """Relax the values of all layers under their prediction errors and an external pull on the last layer.

    Source: Whittington & Bogacz 2017; with fixed predictions, Millidge, Tschantz & Buckley 2022.

    >>> from cortexsim.rate import Architecture
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), classes=4, seed=0)
    >>> path = load_rule("predictive_coding").path
    >>> pathway, responses = FeedbackPathway(network, path, seed=0), network.responses(torch.rand(10, 4, 8))
    >>> pull = clamp_output(torch.eye(4)[torch.arange(10) % 4], network, pathway, path.constants["precision"])
    >>> settled, errors = settle(network, pathway, responses, pull, path.constants)
    >>> [tuple(error.shape) for error in errors]
    [(10, 2, 16), (10, 1, 16)]

    Args:
        network: whose layers.
        pathway: projects errors down through the transpose of the weights.
        responses: of the layers before they settle.
        pull: gradient of the external cost of the last layer as a function of its values, both (batch, positions,
            cells).
        constants: number of ``steps``; ``rate`` of a step; ``fixed``, 1 to keep the initial predictions.

    Returns:
        Responses of the layers to the settled values below, with their own values as activity; and their errors,
        prediction minus value, (batch, positions, cells).
    """
    fixed, rate = bool(constants["fixed"]), constants["rate"]
    predicted = responses
    values = [response.activity for response in responses]
    top_pull = pull(values[-1])
    for _ in range(int(constants["steps"])):
        if not fixed:
            predicted = _predict(network, responses[0], values)
            top_pull = pull(values[-1])
        errors = _errors(predicted, values)
        masked = [
            error * layer.derivative(response.drive)
            for error, layer, response in zip(errors, network.layers, predicted, strict=True)
        ]
        pulls = [pathway.project(k, error) for k, error in enumerate(masked[1:])] + [top_pull]
        values = [value + rate * (error - pull) for value, error, pull in zip(values, errors, pulls, strict=True)]
    if fixed:
        return responses, _errors(responses, values)
    predicted = _predict(network, responses[0], values)
    settled = [response._replace(activity=value) for response, value in zip(predicted, values, strict=True)]
    return settled, _errors(predicted, values)


def clamp_output(
    target: Tensor, network: Network, pathway: FeedbackPathway, precision: float
) -> Callable[[Tensor], Tensor]:
    """Build the pull on the top layer of an output that is clamped to a target.

    Args:
        target: one-hot, (batch, classes).
        network: whose output.
        pathway: projects the error of the output onto the top layer.
        precision: factor of that error.

    Returns:
        Function of the values of the top layer, for `settle`; values and result are (batch, positions, cells).
    """

    def pull(top: Tensor) -> Tensor:
        error = precision * (torch.softmax(network.classify(top), 1) - target).unsqueeze(1)
        return pathway.project(len(network.layers) - 1, error)

    return pull


def _errors(predicted: list[Response], values: list[Tensor]) -> list[Tensor]:
    return [response.activity - value for response, value in zip(predicted, values, strict=True)]


def _predict(network: Network, first: Response, values: list[Tensor]) -> list[Response]:
    """Compute the responses to the values of the layers below; the input of the first layer does not change."""
    return [first, *(layer.respond(below) for layer, below in zip(network.layers[1:], values[:-1], strict=True))]
