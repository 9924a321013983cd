"""Build a learner from the configuration of a model."""

from dataclasses import replace
from itertools import groupby
from typing import Literal

import torch

from cortexsim.analysis.readout import Readout
from cortexsim.config.consistency import brian_settings
from cortexsim.config.schema import Model
from cortexsim.config.wiring import check_wiring, contexts_on, learning_layers, topology_on
from cortexsim.errors import UserError, error_prefix
from cortexsim.learners import (
    Backprop,
    BrianLearner,
    Budget,
    EndToEnd,
    Feedback,
    HybridNetwork,
    Learner,
    Local,
    PairedEndToEnd,
    PairedLocal,
    PredictiveCoding,
    Segment,
    Untrained,
    clapp_loss,
    infonce_loss,
    paired_clapp_loss,
    paired_infonce_loss,
)
from cortexsim.rate import Architecture, Network, Optimization, Synapses, VectorNetwork
from cortexsim.rate.context_synapses import ContextSynapses
from cortexsim.spiking import State, constrained_weights, inhibitory_input, relayed_weights
from cortexsim.tasks import Layout
from cortexsim.topology import blocks

CONTRASTS = {"clapp": clapp_loss, "infonce": infonce_loss}
PAIRED = {"clapp": paired_clapp_loss, "infonce": paired_infonce_loss}


def assemble(model: Model, task: Layout, seed: int, device: str = "cpu", target: str = "cpp") -> Learner:
    """Build the learner of a model for a task, with newly drawn weights.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> learner = assemble(find_model("clapp"), Hierarchy(depth=3), seed=0)
    >>> type(learner).__name__, [layer.positions for layer in learner.network.layers]
    ('Local', [4, 2, 1])

    Args:
        model: the configuration.
        task: the layout of the inputs: grid, channels and classes.
        seed: root seed of the initial weights.
        device: device of rate layers: ``cpu``, ``cuda`` or ``mps``.
        target: code generation for layers in Brian2: ``cpp``, ``numpy`` or ``cython``.

    Raises:
        UserError: model and task do not fit together.
    """
    architecture = Architecture(**model.network.model_dump(exclude={"substrate", "units", "layers", "top_cells"}))
    with error_prefix(model.name):
        topology = topology_on(model, task)
        check_wiring(model, task, topology)
        substrates, contexts = model.substrates(topology.depth), contexts_on(model, topology)
    kind = HybridNetwork if model.in_brian else VectorNetwork if model.network.units == "vector" else Network
    network = kind.build(
        architecture,
        topology,
        task.classes,
        seed,
        Synapses(
            context=contexts,
            context_synapses=_context_synapses(model),
            feedback=_route(model),
            unshared=frozenset(level for level, substrate in enumerate(substrates, 1) if substrate != "rate"),
        ),
        device,
    )
    with error_prefix(model.name):
        readout_pools(model, network)
    if isinstance(network, HybridNetwork):
        return _streamed(model, network, substrates, contexts, seed, target)
    if model.training.loss in CONTRASTS:
        return _contrastive(model, network, seed)
    if model.learner == "backprop":
        return Backprop(network, _optimization(model))
    if model.learner == "untrained":
        return Untrained(network)
    if model.learner == "feedback":
        return Feedback(network, model.plasticity_rule(), _optimization(model), seed)
    return _local(model, network)


def _contrastive(model: Model, network: Network, seed: int) -> Learner:
    """Build a learner that minimises an unsupervised loss of the whole network."""
    if model.training.context == "view":
        return PairedEndToEnd(network, _optimization(model), PAIRED[model.training.loss])
    loss = CONTRASTS[model.training.loss]
    if model.learner == "backprop":
        return EndToEnd(network, _optimization(model), loss)
    return PredictiveCoding(network, model.plasticity_rule(), _optimization(model), loss, seed)


def _streamed(
    model: Model,
    network: HybridNetwork,
    substrates: tuple[str, ...],
    contexts: tuple[str, ...],
    seed: int,
    target: str,
) -> Learner:
    """Build a learner for a network with layers in Brian2."""
    rule = None if model.learner == "untrained" else model.plasticity_rule()
    local = _local(model, network) if model.learner == "local" else None
    greedy = local is not None and model.rule is not None and model.rule.schedule == "greedy"
    learning = 0 if rule is None else len(network.layers) if local is None else local.trained_layers
    received = contexts or ("none",) * len(substrates)
    chosen, segments, first = brian_settings(model), [], 0
    for substrate, run in groupby(substrates):
        size = len(list(run))
        plastic = [k for k in range(size) if first + k < learning]
        if substrate != "rate":
            for number, layer in enumerate(network.layers[first : first + size], first + 1):
                weights = layer.feedforward.weights
                if number == 1 and (n := model.afferents) > 1:
                    weights.copy_(n**0.5 * weights[..., ::n].repeat_interleave(n, -1))
                weights.copy_(
                    torch.from_numpy(constrained_weights(weights.double().cpu().numpy(), number, seed, chosen))
                )
            segment = Segment(
                first=first,
                layers=network.layers[first : first + size],
                substrate=substrate,
                contexts=received[first : first + size],
                settings=chosen if first == 0 else replace(chosen, afferents=1),
                rule=rule,
                target=target,
                schedule=[[k] for k in plastic] if greedy else [plastic] if plastic else [],
                classes=network.classes,
                below=network.topology.layers[first].below,
                below_projection=model.rule_below_projection(),
                output={} if local else {"output": network.output, "output_bias": network.output_bias},
            )
            segment.brian_state = _first_inhibition(segment, seed)
            segments.append(segment)
        first += size
    network.segments, network.seed = tuple(segments), seed
    if rule is None:
        return Untrained(network)
    return BrianLearner(network, local, model.training.epochs, model.training.warm_up, seed)


def _first_inhibition(segment: Segment, seed: int) -> State:
    """Draw weights that drive inhibitory cells, or those by which they inhibit, as large as those of the layer."""
    found: State = {}
    for number, layer in enumerate(segment.layers, segment.first + 1):
        positions, cells, patch = layer.feedforward.weights.shape
        shape, rms = (positions, cells, patch), float(layer.feedforward.weights.double().square().mean().sqrt())
        if segment.settings.pooled:
            found |= inhibitory_input(number, shape, rms, seed)
        elif segment.settings.relayed:
            alike = segment.settings.afferents if number == 1 else 1
            wiring = segment.feedforward_wiring(number - 1 - segment.first)
            first = relayed_weights(number, shape, wiring, rms, alike, seed)
            found |= {key: constrained_weights(w, number, seed, segment.settings) for key, w in first.items()}
    return found


def _local(model: Model, network: Network) -> Local:
    assert model.rule is not None
    shaped = learning_layers(model, network.topology)
    kind = PairedLocal if model.sees_pairs else Local
    return kind(
        network,
        model.plasticity_rule(),
        _optimization(model),
        model.rule.schedule,
        model.rule.top,
        shaped,
        model.rule_below_projection(),
    )


def _optimization(model: Model) -> Optimization:
    return Optimization(
        method=model.training.optimizer,
        eta=model.training.eta,
        context_eta=model.training.context_eta,
        feedback_eta=model.training.feedback_eta,
        weight_decay=model.training.weight_decay,
        warm_up=model.training.warm_up,
        schedule=model.training.schedule,
    )


def _context_synapses(model: Model) -> ContextSynapses:
    """Choose how context synapses begin: silent, but for learners that do not begin with silent ones."""
    if model.learner == "local" and model.plasticity_rule().context is None:
        return "one_to_one"
    if model.network.initial == "uniform":
        return "uniform"
    untaught = model.learner in ("backprop", "untrained") and model.training.loss not in CONTRASTS
    return "random" if untaught and not model.in_brian else "silent"


def _route(model: Model) -> Literal["none", "direct", "layered", "projection"]:
    """Return which feedback weights a model has: from the output, the layer above, the projection, or none."""
    if (below := model.rule_below_projection()) is not None and below.path is not None:
        return "projection" if below.path.feedback == "random" else "none"
    if model.learner != "feedback" or model.network.units == "vector":
        return "none"
    path = model.plasticity_rule().path
    if path is None or path.route == "direct":
        return "direct"
    return "layered" if path.feedback == "random" else "none"


def budget(model: Model) -> Budget:
    """Return the number of epochs and the batch size of a model."""
    return Budget(model.training.epochs, model.training.batch)


def readout_pools(model: Model, network: Network) -> list[torch.Tensor]:
    """Return the positions of each layer over which the readout averages, (places, n); empty if it averages none.

    Raises:
        UserError: ``readout.places`` does not have one number, which fits, for each layer.
    """
    places, layers = model.readout.places, network.topology.layers
    if not places:
        return []
    if len(places) != len(layers):
        raise UserError(f"readout.places = {places}: the network has {len(layers)} layers (a number for each)")
    with error_prefix("readout"):
        pools = [blocks(columns.sent_grid, count) for columns, count in zip(layers, places, strict=True)]
    return [torch.from_numpy(pool).to(network.output.device) for pool in pools]


def readout(model: Model, kind: str | None = None) -> Readout:
    """Return the readout of a model, or one of another kind (``linear``, ``two-layer``) with the same settings."""
    return Readout(
        **model.readout.model_dump(exclude={"labels", "layers", "places"}) | ({"kind": kind} if kind else {})
    )
