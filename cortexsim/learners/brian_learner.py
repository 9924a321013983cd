"""Learning in networks with layers in Brian2: fixation by fixation there, batch by batch in rate layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from cortexsim.learners.hybrid_network import HybridNetwork
from cortexsim.learners.local import Local
from cortexsim.learners.state import State, add_prefix, load_network, network_state, strip_prefix

SEEDS = 1 << 20  # Of input spikes: evaluation takes the root seed's own, each stage of learning another.


class BrianLearner:
    """Train a hybrid network, layer by layer or, in one segment, all layers at once.

    >>> from cortexsim.config.building import assemble
    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> learner = assemble(find_model("clapp-spiking"), Hierarchy(depth=2), seed=0)
    >>> type(learner).__name__, learner.stages, learner.trained_layers
    ('BrianLearner', 1, 1)

    Args:
        network: whose segments know what their layers learn, and when.
        local: how rate layers learn, and what classifies; None where one segment holds all layers and an output learns.
        epochs: of each stage.
        warm_up: fraction of a stage in which the learning rate rises.
        seed: root seed of the input spikes.
    """

    def __init__(self, network: HybridNetwork, local: Local | None, epochs: int, warm_up: float, seed: int) -> None:
        self.network, self.local = network, local
        self.epochs, self.warm_up, self.seed = epochs, warm_up, seed
        self.uses_labels = local is None or local.uses_labels
        self.trained_layers = len(network.layers) if local is None else local.trained_layers
        self.schedule = [list(range(self.trained_layers))] if local is None else local.schedule
        self.stages = len(self.schedule)
        self.streaming_stages = frozenset(k for k, layers in enumerate(self.schedule) if network.segment_of(layers[0]))
        self.shown = [0] * self.stages

    def stage_inputs(self, stage: int, leaves: Tensor, *views: Tensor) -> Tensor:
        """Compute the activity below the stage's layer, or below the segment to which it belongs.

        Args:
            stage: of learning.
            leaves: inputs, (batch, positions, channels).
            views: second views of the inputs, one for each layer that learns, for contexts that include them.

        Returns:
            (batch, positions, cells); where the context is the next fixation, with that of the second view of the
            stage's lowest layer beside it, (batch, 2, positions, cells).
        """
        lowest = self.schedule[stage][0]
        segment = self.network.segment_of(lowest)
        first = lowest if segment is None else segment.first
        shown = [leaves, *views[lowest : lowest + 1]]
        below = [self.network.activities(values, first)[-1] if first else values for values in shown]
        return torch.stack(below, 1) if len(below) > 1 else below[0]

    @torch.no_grad()
    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float | None) -> None:
        """Change the weights of the stage's layers: after each fixation in Brian2, after the batch in rate layers.

        Args:
            stage: of learning.
            seen: rows of `stage_inputs`; a sample and its second view are fixations that follow one another.
            labels: of the samples, (batch,); negative where there is none.
            progress: fraction of the stage that is over; None for the full learning rates.
        """
        segment = self.network.segment_of(self.schedule[stage][0])
        if segment is None:
            assert self.local is not None
            self.local.step(stage, seen, labels, progress)
            return
        if (views := 2 if seen.dim() == 4 else 1) > 1:
            seen, labels = seen.flatten(0, 1), labels.repeat_interleave(views)
        if progress is None:
            factor = np.ones(len(seen))
        else:
            place = progress + np.arange(len(seen)) / len(seen) / self.epochs
            factor = (np.minimum(1.0, place / self.warm_up) if self.warm_up else 1.0) * (1 - place)
        stimulus_id = self.shown[stage] + np.arange(len(seen))
        self.shown[stage] += len(seen)
        known = one_hot(labels.clamp(min=0), self.network.classes) * (labels >= 0).unsqueeze(1)
        segment.learn(stage - segment.first, seen, known, factor, stimulus_id, self._seed_of(stage), views)

    @torch.no_grad()
    def classify(self, leaves: Tensor) -> Tensor | None:
        """Compute the network's own output, (batch, classes); None where only a readout classifies.

        Args:
            leaves: inputs, (batch, positions, channels).
        """
        if self.local is not None and self.local.top == "readout":
            return None
        if self.local is not None and (answers := self.network.class_activity(leaves)) is not None:
            return answers
        code = self.network.activities(leaves)[-1]
        if self.local is not None:
            return self.local.label_scores(self.network.signal(code))
        return self.network.classify(code)

    def state(self) -> State:
        """Copy all that learning has changed, that of networks in Brian2 included: tensors by name, and counts."""
        found = network_state(self.network) if self.local is None else self.local.state()
        for segment in self.network.segments:
            found |= add_prefix(f"segment{segment.first + 1}", segment.state_beside())
        return {**found, "shown": list(self.shown)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` copied."""
        if self.local is None:
            load_network(self.network, state)
        else:
            self.local.load(state)
        for segment in self.network.segments:
            segment.load_beside(strip_prefix(f"segment{segment.first + 1}", state))
        self.shown = [int(count) for count in state["shown"][: self.stages]]

    def _seed_of(self, stage: int) -> int:
        return (self.seed * 64 + stage + 1) % SEEDS + SEEDS
