"""From a model's configuration to a learner."""

from cortexsim.analysis.readout import Readout
from cortexsim.hierarchy import Hierarchy
from cortexsim.learners import Backprop, Budget, Feedback, Learner, Local, Untrained
from cortexsim.rate import Architecture, Network, Optimization
from cortexsim.runs.configuration import Model


def assemble(model: Model, hierarchy: Hierarchy, seed: int, device: str = "cpu") -> Learner:
    """Build the learner that a model describes, on the tree of a hierarchy.

    Args:
        model: the configuration.
        hierarchy: sizes of the task.
        seed: root seed; the first weights depend on nothing else.
        device: ``cpu``, ``cuda`` or ``mps``.
    """
    optimization = Optimization(
        method=model.training.optimizer,
        eta=model.training.eta,
        context_eta=model.training.context_eta,
        weight_decay=model.training.weight_decay,
        warm_up=model.training.warm_up,
    )
    architecture = Architecture(**model.network.model_dump(exclude={"substrate"}))
    network = Network.build(
        architecture, hierarchy, seed, device, context=_contexts(model, hierarchy), feedback=model.learner == "feedback"
    )
    if model.learner == "backprop":
        return Backprop(network, optimization)
    if model.learner == "untrained":
        return Untrained(network)
    rule = model.plasticity_rule()
    if model.learner == "feedback":
        return Feedback(network, rule, optimization)
    assert model.rule is not None
    return Local(network, rule, optimization, model.rule.schedule, model.rule.top)


def budget(model: Model) -> Budget:
    """State how often a model sees its samples."""
    return Budget(model.training.epochs, model.training.batch)


def readout(model: Model, kind: str | None = None) -> Readout:
    """Set up the readout of a model, or one of another kind with its settings."""
    return Readout(**model.readout.model_dump() | ({"kind": kind} if kind else {}))


def _contexts(model: Model, hierarchy: Hierarchy) -> tuple[str, ...]:
    if model.rule is None or not model.plasticity_rule().needs_context:
        return ()
    top = "label" if model.rule.top == "label" else "none"
    return (*[model.rule.context] * (hierarchy.depth - 1), top)
