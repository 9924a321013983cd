"""Small networks with feedback learning, and their comparison with backpropagation."""

import torch
from torch import Tensor

from cortexsim.analysis.alignment import gradients
from cortexsim.learners import Feedback
from cortexsim.rate import Architecture, Network, Optimization, Projection
from cortexsim.rules import Rule, known_rules
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build

HIERARCHY = Hierarchy(features=4, multiplicity=2, depth=3)
RULES = known_rules()


def network(rule: Rule, shared: bool = True, transfer: str = "relu", input_rms: float | None = None) -> Network:
    architecture = Architecture(cells=6, shared=shared, transfer=transfer, input_rms=input_rms)
    route = "direct" if rule.path is not None and rule.path.route == "direct" else "layered"
    return build(architecture, HIERARCHY, 0, dtype=torch.float64, feedback=route)


def batch(count: int = 9) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    leaves = torch.rand(count, HIERARCHY.leaves, 4, generator=generator, dtype=torch.float64)
    return leaves, torch.randint(4, (count,), generator=generator)


def mirror(network: Network) -> None:
    """Set the feedback weights of every layer to the transpose of the weights above it."""
    above = [layer.feedforward.weights.transpose(1, 2) for layer in network.layers[1:]]
    for layer, transpose in zip(network.layers, [*above, network.output.T.unsqueeze(0)], strict=True):
        layer.feedback = Projection(transpose.clone())


def learner(name: str, built: Network | None = None, **changes: str) -> Feedback:
    rule = RULES[name].with_error_path(changes.get("feedback"), changes.get("masks"))  # type: ignore[arg-type]
    return Feedback(built or network(rule), rule, Optimization())


def assert_backprop(taught: Feedback, rtol: float = 1e-9) -> None:
    """Check that all updates are the negative gradient; an update is averaged over columns that share weights."""
    leaves, labels = batch()
    updates = taught.updates(leaves, labels)
    for name, gradient in gradients(taught.network, leaves, labels).items():
        layer = None if name.startswith("output") else taught.network.layers[int(name[5]) - 1]
        columns = 1 if layer is None else layer.positions // layer.feedforward.groups
        torch.testing.assert_close(updates[name] * columns, -gradient, rtol=rtol, atol=1e-12)
