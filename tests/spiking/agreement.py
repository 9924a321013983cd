"""A layer in Brian2, and the same layer in torch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cortexsim.rate import Layer, Plasticity, Projection
from cortexsim.rate.layer import Response
from cortexsim.rules import Rule
from cortexsim.spiking import LayerSpec, Settings, Stack, Stream, describe

POSITIONS, CELLS, PATCH, CLASSES = 2, 3, 4, 3


def spec(rule: Rule, substrate: str, rate: float) -> LayerSpec:
    listens = "context" in rule.requires
    context, sources = ("sibling", ((1,), (0,))) if listens else ("none", ())
    return LayerSpec(
        1, POSITIONS, CELLS, PATCH, substrate, True, context, rule.needs_output, rate, context_sources=sources
    )


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
            if key.endswith((".mean", "classes.bias")):
                self.before[key] = draw.uniform(0.05, 0.2, len(values))
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
            self.tensor(self.before, "context1.w", POSITIONS, CELLS, CELLS) if "context" in rule.requires else None
        )
        feedback = self.tensor(self.before, "feedback1.w", POSITIONS, CELLS, CLASSES) if rule.needs_output else None
        return Layer(
            positions=POSITIONS,
            feedforward=Projection(self.tensor(self.before, "feedforward1.w", POSITIONS, CELLS, PATCH)),
            bias=torch.from_numpy(self.before["layer1.bias"].reshape(POSITIONS, CELLS)),
            transfer="relu",
            context=None if context is None else Projection(context),
            feedback=None if feedback is None else Projection(feedback),
            input_rms=None,
            mean=torch.from_numpy(self.before["layer1.mean"].reshape(POSITIONS, CELLS).copy()),
            input_square=torch.zeros(()),
            context_index=torch.tensor([[1], [0]]),
        )

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
    """The torch rule on traces given from outside, in the last of the fixations."""

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
        last = torch.zeros(len(self.traces.pre), 1, 1, dtype=torch.float64)
        last[-1] = len(last)  # Updates are averages over fixations; only the last one learns.
        return value * last


def expected(case: Case, rule: Rule, traces: Traces, centred: bool = False) -> dict[str, Tensor]:
    layer = case.layer(rule)
    activity = torch.from_numpy(case.outcome.activity["layer1"]).view(-1, POSITIONS, CELLS)
    read = activity - layer.mean if centred else activity
    response = Response(traces.pre, torch.zeros_like(activity), read)
    found = TracedPlasticity(rule, traces).updates(layer, response, broadcast=case.broadcast(activity))
    return {name: found[name] for name in ("feedforward", "context") if name in found}


def settings(**changes: Any) -> Settings:
    quiet = {
        "centred": False,
        "homeostasis": 0.0,
        "mean_rate": 0.0,
        "weight_decay": 0.0,
        "eta": 1e-3,
        "context_eta": 3.0,
        "input_rate": 200.0,
        "readout_eta": 0.0,
    }
    return Settings(**{**quiet, **changes})
