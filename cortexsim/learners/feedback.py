"""Feedback learning: local rules that are taught by the error of the network's output, by whatever path it comes."""

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
    """Bring the output error to all layers; the output itself follows the delta rule.

    Args:
        network: its layers, with feedback weights.
        rule: what the synapses of the layers follow.
        optimization: how weights follow their updates.
        seed: root seed of the path's random weights and of the stream ``noise``.
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

    def stage_inputs(self, stage: int, leaves: Tensor, *views: Tensor) -> Tensor:
        """See the leaves themselves."""
        return leaves

    @torch.no_grad()
    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Change all weights after one batch."""
        updates = self.updates(seen, labels, learning=True)
        self.optimizer.step({name: updates[name] for name in self.optimizer.parameters}, progress)
        self.network.constrain()

    @torch.no_grad()
    def updates(self, leaves: Tensor, labels: Tensor, learning: bool = False) -> dict[str, Tensor]:
        """Compute the directions of all weights for one batch, leaves (batch, s^L, v) and labels (batch,)."""
        network, rule = self.network, self.plasticity.rule
        responses = network.responses(leaves, learning)
        target = one_hot(labels, network.classes).to(network.output.dtype)
        settled: list[Tensor] = []
        if self.path.route == "settled":
            pull = clamp_output(target, network, self.pathway, self.path.constants["precision"])
            responses, settled = settle(network, self.pathway, responses, pull, self.path.constants)
        answer = torch.softmax(network.classify(responses[-1].activity), 1)
        error = answer - target
        broadcast = {"output_all": answer.unsqueeze(1), "label_all": target.unsqueeze(1)}
        lessons, above = self.layer_feedback(responses, error, settled)
        found = network.output_update(error, responses[-1].activity)
        for k, (layer, response) in enumerate(zip(network.layers, responses, strict=True)):
            updates = self.plasticity.updates(layer, response, broadcast=broadcast, feedback=lessons[k])
            found |= {f"layer{k + 1}.{name}": update for name, update in updates.items()}
        if rule.feedback is not None:
            noisy = "noise_post" in rule.reads
            found |= self._measure(responses) if noisy else self._follow(responses, above)
        return found

    def layer_feedback(
        self, responses: list[Response], error: Tensor, settled: list[Tensor]
    ) -> tuple[list[FeedbackSignal], list[Tensor]]:
        """Bring the error (batch, classes) down; answer with what each layer hears, and with what stands above it."""
        self.pathway.begin()
        top = len(responses) - 1
        lessons: list[FeedbackSignal] = []
        above: list[Tensor] = []
        passed = error.unsqueeze(1)
        for k in range(top, -1, -1):
            teaching = settled[k] if settled else None
            if self.path.route == "layered":
                teaching = self.pathway.down(k, passed)
            above.insert(0, passed)
            lessons.insert(0, self.pathway.lesson(k, responses, teaching))
            if self.path.route == "layered":
                met = FeedbackSignal(teaching, slopes=self.pathway.slopes(k, responses))
                passed = self.plasticity.taught(self.network.layers[k], responses[k], met)
        return lessons, above

    def _follow(self, responses: list[Response], above: list[Tensor]) -> dict[str, Tensor]:
        """Change plastic feedback weights by what passes through them and the activity it reaches."""
        return self._feedback_updates("activity_post", [response.activity for response in responses], above)

    def _measure(self, responses: list[Response]) -> dict[str, Tensor]:
        """Change plastic feedback weights by noise in each layer and what the layer above makes of it."""
        noise, heard = [], []
        layers = self.network.layers
        for k, response in enumerate(responses):
            like = response.activity
            noise.append(torch.from_numpy(self.noise.standard_normal(tuple(like.shape))).to(like))
            if k + 1 == len(layers):
                heard.append(torch.relu(noise[k].flatten(1) @ self.network.output.T).unsqueeze(1))
            else:
                drive = layers[k + 1].feedforward(layers[k + 1].gather(noise[k]))
                heard.append(layers[k + 1].rate(drive))
        return self._feedback_updates("noise_post", noise, heard)

    def _feedback_updates(self, signal: str, post: list[Tensor], pre: list[Tensor]) -> dict[str, Tensor]:
        """Correlate both ends of the feedback synapses onto each layer."""
        found = {}
        for k, (layer, values, above) in enumerate(zip(self.network.layers, post, pre, strict=True), 1):
            assert layer.feedback is not None
            if self.path.route == "direct":
                ends = values, above.expand(-1, layer.positions, -1)
            else:
                seen = values.flatten(1).unsqueeze(1) if k == len(post) else self.network.layers[k].gather(values)
                ends = seen, above
            update = self.plasticity.feedback_update(layer.feedback, {signal: ends[0]}, ends[1])
            found[f"layer{k}.feedback"] = update
        return found

    @torch.no_grad()
    def classify(self, leaves: Tensor) -> Tensor:
        """Answer with the logits of the output."""
        return self.network.classify(self.network.activities(leaves)[-1])

    def state(self) -> State:
        """Copy all that learning has changed, and where the random streams stand."""
        drawn = {f"magnitudes{k}": tensor for k, tensor in enumerate(self.pathway.magnitudes)}
        return {
            **network_state(self.network),
            **add_prefix("optimizer", detached_copies(self.optimizer.state())),
            **detached_copies(drawn),
            "stream.noise": stream_state(self.noise),
            "stream.magnitudes": stream_state(self.pathway.fresh),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        load_network(self.network, state)
        self.optimizer.load(strip_prefix("optimizer", state))
        for k, tensor in enumerate(self.pathway.magnitudes):
            if (found := state[f"magnitudes{k}"]).shape != tensor.shape or found.dtype != tensor.dtype:
                raise ValueError(f"magnitudes{k}: {tuple(found.shape)} of {found.dtype}, not {tuple(tensor.shape)}")
            self.pathway.magnitudes[k] = found.to(tensor.device)
        load_stream(self.noise, state["stream.noise"])
        load_stream(self.pathway.fresh, state["stream.magnitudes"])
