"""Feedback learning: local rules that receive the error of the network's output, by any path."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from cortexsim.learners.state import (
    State,
    add_prefix,
    detached_copies,
    load_network,
    load_stream,
    network_state,
    stream_state,
    strip_prefix,
)
from cortexsim.rate import (
    FeedbackPathway,
    FeedbackSignal,
    Network,
    Optimization,
    Optimizer,
    Plasticity,
    Response,
    clamp_output,
    settle,
)
from cortexsim.rules import ErrorPath, Rule
from cortexsim.seeds import stream


class Feedback:
    """Train all layers by a rule that receives the output error; the output itself follows the delta rule.

    >>> from cortexsim.rate import Architecture, Synapses
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> synapses = Synapses(feedback="direct")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, synapses)
    >>> learner = Feedback(network, load_rule("dfa"), Optimization())
    >>> updates = learner.updates(torch.rand(10, 4, 8), torch.arange(10) % 4)
    >>> sorted(updates)
    ['layer1.bias', 'layer1.feedforward', 'layer2.bias', 'layer2.feedforward', 'output', 'output_bias']

    Args:
        network: to train, with feedback weights.
        rule: of the synapses of the layers.
        optimization: how weights follow their updates.
        seed: root seed of the random weights of the path, and of the stream ``noise``.
    """

    stages = 1
    uses_labels = True
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network, rule: Rule, optimization: Optimization, seed: int = 0) -> None:
        self.network = network
        self.plasticity = Plasticity(rule)
        self.path = rule.path or ErrorPath("direct")
        self.pathway = FeedbackPathway(network, self.path, seed)
        self.trained_layers = len(network.layers)
        self.noise = stream(seed, "noise")
        more = ("feedback",) if rule.feedback is not None else ()
        self.optimizer = Optimizer(optimization, network.weights(*more))

    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Return the inputs, (samples, positions, channels)."""
        return inputs

    @torch.no_grad()
    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Update all weights after a batch, (batch, positions, channels), with labels, (batch,)."""
        updates = self.updates(batch, labels, learning=True)
        self.optimizer.step({name: updates[name] for name in self.optimizer.parameters}, progress)
        self.network.apply_constraints()

    @torch.no_grad()
    def updates(self, inputs: Tensor, labels: Tensor, learning: bool = False) -> dict[str, Tensor]:
        """Compute the update directions of all weights for one batch.

        Args:
            inputs: (batch, positions, channels).
            labels: (batch,).
            learning: whether input gains and normalisations adapt.

        Returns:
            Directions by the names of ``network.state()``; eta is not applied.
        """
        network, rule = self.network, self.plasticity.rule
        responses = network.responses(inputs, learning)
        target = one_hot(labels, network.classes).to(network.output.dtype)
        settled: list[Tensor] = []
        if self.path.route == "settled":
            pull = clamp_output(target, network, self.pathway, self.path.constants["precision"])
            responses, settled = settle(network, self.pathway, responses, pull, self.path.constants)
        output = torch.softmax(network.classify(responses[-1].activity), 1)
        error = output - target
        broadcast = {"output_all": output.unsqueeze(1), "label_all": target.unsqueeze(1)}
        feedback, above = self.layer_feedback(responses, error, settled)
        updates = network.output_update(error, responses[-1].activity)
        for k, (layer, response) in enumerate(zip(network.layers, responses, strict=True)):
            of_layer = self.plasticity.updates(layer, response, broadcast=broadcast, feedback=feedback[k])
            updates |= {f"layer{k + 1}.{name}": update for name, update in of_layer.items()}
        if rule.feedback is not None:
            noisy = "noise_post" in rule.reads
            updates |= self._from_noise(responses) if noisy else self._from_errors(responses, above)
        return updates

    def layer_feedback(
        self, responses: list[Response], error: Tensor, settled: list[Tensor]
    ) -> tuple[list[FeedbackSignal], list[Tensor]]:
        """Propagate the output error down through the layers.

        Args:
            responses: of the layers.
            error: of the output, (batch, classes).
            settled: errors of the layers, each (batch, positions, cells), where activity has settled; else empty.

        Returns:
            The feedback to each layer, and the error above each layer, (batch, positions above, cells above), which its
            feedback weights project.
        """
        self.pathway.begin_batch()
        feedback: list[FeedbackSignal] = []
        above: list[Tensor] = []
        passed = error.unsqueeze(1)
        for k in reversed(range(len(responses))):
            projected = settled[k] if settled else None
            if self.path.route == "layered":
                projected = self.pathway.project(k, passed)
            above.insert(0, passed)
            feedback.insert(0, self.pathway.signal(k, responses, projected))
            if self.path.route == "layered":
                masked = FeedbackSignal(projected, derivative=self.pathway.passed_derivative(k, responses))
                passed = self.plasticity.layer_error(self.network.layers[k], responses[k], masked)
        return feedback, above

    def _from_errors(self, responses: list[Response], above: list[Tensor]) -> dict[str, Tensor]:
        """Update plastic feedback weights by the errors that they project and the activity of their targets."""
        return self._feedback_updates("activity_post", [response.activity for response in responses], above)

    def _from_noise(self, responses: list[Response]) -> dict[str, Tensor]:
        """Update plastic feedback weights by noise in each layer and the response to it in the layer above."""
        noise, above = [], []
        layers = self.network.layers
        for k, response in enumerate(responses):
            like = response.activity
            noise.append(torch.from_numpy(self.noise.standard_normal(tuple(like.shape))).to(like))
            if k + 1 == len(layers):
                above.append(torch.relu(noise[k].flatten(1) @ self.network.output.T).unsqueeze(1))
            else:
                drive = layers[k + 1].feedforward(layers[k + 1].gather(noise[k]))
                above.append(layers[k + 1].rate(drive))
        return self._feedback_updates("noise_post", noise, above)

    def _feedback_updates(self, signal: str, post: list[Tensor], pre: list[Tensor]) -> dict[str, Tensor]:
        """Compute the updates of the feedback weights onto each layer from a signal of its cells and activity above."""
        updates = {}
        for k, (layer, values, above) in enumerate(zip(self.network.layers, post, pre, strict=True), 1):
            assert layer.feedback is not None
            if self.path.route == "direct":
                ends = values, above.expand(-1, layer.positions, -1)
            else:
                patches = values.flatten(1).unsqueeze(1) if k == len(post) else self.network.layers[k].gather(values)
                ends = patches, above
            updates[f"layer{k}.feedback"] = self.plasticity.feedback_update(layer.feedback, {signal: ends[0]}, ends[1])
        return updates

    @torch.no_grad()
    def classify(self, inputs: Tensor) -> Tensor:
        """Compute the logits of the output, (samples, classes), for inputs, (samples, positions, channels)."""
        return self.network.classify(self.network.activities(inputs)[-1])

    def state(self) -> State:
        """Copy everything that learning has changed, and the states of the random streams."""
        magnitudes = {f"magnitudes{k}": tensor for k, tensor in enumerate(self.pathway.magnitudes)}
        return {
            **network_state(self.network),
            **add_prefix("optimizer", detached_copies(self.optimizer.state())),
            **detached_copies(magnitudes),
            "stream.noise": stream_state(self.noise),
            "stream.magnitudes": stream_state(self.pathway.magnitude_stream),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned.

        Raises:
            ValueError: where type or shape of a tensor do not match.
        """
        load_network(self.network, state)
        self.optimizer.load(strip_prefix("optimizer", state))
        for k, tensor in enumerate(self.pathway.magnitudes):
            if (saved := state[f"magnitudes{k}"]).shape != tensor.shape or saved.dtype != tensor.dtype:
                raise ValueError(f"magnitudes{k}: {tuple(saved.shape)} of {saved.dtype}, not {tuple(tensor.shape)}")
            self.pathway.magnitudes[k] = saved.to(tensor.device)
        load_stream(self.noise, state["stream.noise"])
        load_stream(self.pathway.magnitude_stream, state["stream.magnitudes"])
