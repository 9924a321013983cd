"""A layer in Brian2, and the same layer in torch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cortexsim.rate import FeedbackSignal, Layer, Plasticity, Projection
from cortexsim.rate.input_scaling import InputScaling
from cortexsim.rate.layer import Response
from cortexsim.rate.rule_variables import NO_FEEDBACK
from cortexsim.rules import Rule
from cortexsim.spiking import LayerSpec, Settings, Stack, Stream, describe

POSITIONS, CELLS, PATCH, CLASSES = 2, 3, 4, 3


def spec(rule: Rule, substrate: str, rate: float) -> LayerSpec:
    sources = ((1,), (0,)) if "context" in rule.requires else ()
    context = "none" if rule.context is None else "sibling"
    return LayerSpec(
        1, POSITIONS, CELLS, PATCH, substrate, True, context, rule.needs_output, rate, context_sources=sources
    )


LATERAL = {"lateral1.w": "layer1.variance", "lateral_view1.w": "layer1.cross"}
"""Weights of lateral synapses within a column, and the variables of cells that hold those onto themselves."""


class Case:
    """A layer of two columns in Brian2 that learns in the last fixation of a stream, before and after."""

    def __init__(self, rule: Rule, settings: Settings, substrate: str, inputs: np.ndarray, **state: Any) -> None:
        rate = settings.input_rate if substrate == "spiking" else 0.0
        description, parameters = describe(
            [spec(rule, substrate, rate)], CLASSES, rule, settings, len(inputs), traced_cell=0
        )
        self.stack = Stack(description, parameters, "numpy")
        draw = np.random.default_rng(0)
        self.before = self.stack.initial_state()
        for key, values in self.before.items():
            if key.endswith(".w"):
                self.before[key] = draw.normal(0.3, 0.5, len(values))
            if key.endswith((".mean", "classes.bias", "view_mean", "variance")):
                self.before[key] = draw.uniform(0.05, 0.2, len(values))
        for key, own in LATERAL.items():
            if own in self.before:
                blocks = self.before[key] if key in self.before else np.zeros(POSITIONS * CELLS * CELLS)
                blocks = blocks.reshape(POSITIONS, CELLS, CELLS)
                blocks[:, range(CELLS), range(CELLS)] = draw.uniform(0.2, 0.4, (POSITIONS, CELLS))
                self.before[own] = blocks[:, range(CELLS), range(CELLS)].ravel()
        self.before |= {key.replace("__", "."): value for key, value in state.items()}
        self.labels = np.eye(CLASSES)[np.arange(len(inputs)) % CLASSES]
        eta_factor = np.zeros(len(inputs))
        eta_factor[-1] = 1.0
        stream = Stream(inputs, np.arange(len(inputs)), self.labels, eta_factor)
        self.outcome, self.after = self.stack.run(stream, self.before, seed=3)

    def tensor(self, state: dict[str, np.ndarray], key: str, *shape: int) -> Tensor:
        """Lay a weight vector out as the rate layers do."""
        flat = np.empty(len(state[key]))
        flat[self.stack.connectivity[key.split(".")[0]].place] = state[key]
        return torch.from_numpy(flat.reshape(shape))

    def layer(self, rule: Rule) -> Layer:
        """The same layer in torch."""
        context = (
            self.tensor(self.before, "context1.w", POSITIONS, CELLS, CELLS) if "context1.w" in self.before else None
        )
        feedback = self.tensor(self.before, "feedback1.w", POSITIONS, CELLS, CLASSES) if rule.needs_output else None
        layer = Layer(
            positions=POSITIONS,
            feedforward=Projection(self.tensor(self.before, "feedforward1.w", POSITIONS, CELLS, PATCH)),
            bias=torch.from_numpy(self.before["layer1.bias"].reshape(POSITIONS, CELLS)),
            transfer="relu",
            context=None if context is None else Projection(context),
            feedback=None if feedback is None else Projection(feedback),
            input_scaling=InputScaling(None, "synaptic", torch.zeros(())),
            mean=torch.from_numpy(self.before["layer1.mean"].reshape(POSITIONS, CELLS).copy()),
            context_index=torch.tensor([[1], [0]]),
        )
        self._set_statistics(layer, rule)
        return layer

    def _set_statistics(self, layer: Layer, rule: Rule) -> None:
        """Give the layer in torch the running statistics of that in Brian2, which neither of them changes."""
        mean = layer.mean.clone()
        layer.track(rule.requires)
        layer.mean.copy_(mean)
        layer.has_varied, layer.mean_rate, layer.covariance_rate = True, 0.0, 0.0

        def cells(name: str) -> Tensor:
            return torch.from_numpy(self.before[f"layer1.{name}"].reshape(POSITIONS, CELLS))

        if layer.covariance is not None:
            if "layer1.variance" in self.before:
                layer.covariance.copy_(torch.diag_embed(cells("variance")))
            if "lateral1.w" in self.before:
                layer.covariance.copy_(self.tensor(self.before, "lateral1.w", POSITIONS, CELLS, CELLS))
        if (views := layer.view_statistics) is not None and "layer1.cross" in self.before:
            views.mean.copy_(cells("view_mean"))
            views.variance.copy_(cells("view_variance"))
            views.covariance.copy_(self.tensor(self.before, "lateral_view1.w", POSITIONS, CELLS, CELLS))
        if (dendrites := layer.dendrite_statistics) is not None:
            dendrites.input_mean.copy_(mean.flip(0))
            dendrites.covariance.copy_(self.tensor(self.before, "lateral_dendrite1.w", POSITIONS, CELLS, CELLS))

    def broadcast(self, activity: Tensor) -> dict[str, Tensor]:
        """What the output answers, and should have answered."""
        if "readout.w" not in self.before:
            return {}
        weights = self.tensor(self.before, "readout.w", CLASSES, POSITIONS * CELLS)
        logits = activity.flatten(1) @ weights.T + torch.from_numpy(self.before["classes.bias"])
        return {
            "output_all": torch.softmax(logits, 1).unsqueeze(1),
            "label_all": torch.from_numpy(self.labels).unsqueeze(1),
        }

    def changes(self, eta: float, context_eta: float) -> dict[str, Tensor]:
        """What Brian2 has changed, per unit of eta."""
        shapes = {"feedforward": ("feedforward1.w", PATCH, eta), "context": ("context1.w", CELLS, eta * context_eta)}
        if not np.array_equal(self.after.get("feedback1.w"), self.before.get("feedback1.w")):
            shapes["feedback"] = ("feedback1.w", CLASSES, eta)
        return {
            name: self.tensor({key: (self.after[key] - self.before[key]) / rate}, key, POSITIONS, CELLS, width)
            for name, (key, width, rate) in shapes.items()
            if key in self.before
        }


@dataclass
class Traces:
    """What a cell has when a presynaptic spike arrives, and what it has at the end of the fixation."""

    at_spike: dict[str, Tensor]
    at_end: dict[str, Tensor]
    pre: Tensor


class TracedPlasticity(Plasticity):
    """The torch rule on traces given from outside, in the last fixation whose contexts are all there."""

    def __init__(self, rule: Rule, traces: Traces) -> None:
        super().__init__(rule)
        self.traces = traces
        cells = self.variables.of_cells
        self.variables.of_cells = lambda *happening: cells(*happening) | traces.at_end  # type: ignore[method-assign]

    def _evaluate(self, synapse: str, factor: str, signals: Any) -> Any:
        if factor == "post" and synapse == "feedforward":
            signals = {**signals, **self.traces.at_spike}
        value = super()._evaluate(synapse, factor, signals)
        if factor not in ("post", "decay"):
            return value
        learns = torch.zeros(len(self.traces.pre), 1, 1, dtype=torch.float64)
        waits = self.rule.negatives == "around" and len(learns) > 1
        learns[-2 if waits else -1] = len(learns)  # Updates are averages over fixations; only one of them learns.
        return value * learns


def expected(case: Case, rule: Rule, traces: Traces, centred: bool = False) -> dict[str, Tensor]:
    layer = case.layer(rule)
    activity = torch.from_numpy(case.outcome.activity["layer1"]).view(-1, POSITIONS, CELLS)
    read = activity - layer.mean if centred else activity
    response = Response(traces.pre, torch.zeros_like(activity), read)
    plasticity, broadcast, feedback = TracedPlasticity(rule, traces), case.broadcast(activity), NO_FEEDBACK
    error = broadcast["output_all"] - broadcast["label_all"] if broadcast else None
    if rule.path is not None and rule.path.route == "layered":
        feedback = FeedbackSignal(layer.project_feedback(error))
    found = plasticity.updates(layer, response, broadcast=broadcast, feedback=feedback)
    if rule.feedback is not None and layer.feedback is not None:
        post, pre = {"activity_post": read}, error.expand(-1, POSITIONS, -1)
        found["feedback"] = plasticity.feedback_update(layer.feedback, post, pre)
    return {name: found[name] for name in ("feedforward", "context", "feedback") if name in found}


def settings(**changes: Any) -> Settings:
    quiet = {
        "centred": False,
        "homeostasis": 0.0,
        "mean_rate": 0.0,
        "covariance_rate": 0.0,
        "weight_decay": 0.0,
        "eta": 1e-3,
        "context_eta": 3.0,
        "input_rate": 200.0,
        "readout_eta": 0.0,
    }
    return Settings(**{**quiet, **changes})
