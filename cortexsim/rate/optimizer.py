"""Optimisers: what a synapse makes of the directions it is given. torch's own, fed by hand.

`sgd` adds eta times the direction. `adamw` normalises each synapse by the running size of its own directions
(Loshchilov & Hutter 2019), which a synapse can do alone; both forget by ``eta * weight_decay`` a step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Optimization:
    """Set how weights follow their updates.

    Args:
        method: ``sgd`` or ``adamw``.
        eta: learning rate of the feedforward weights.
        context_eta: learning rate of the context weights, in units of eta.
        feedback_eta: learning rate of plastic feedback weights, in units of eta.
        weight_decay: decay of the weights (not of biases and gains), per step and unit of learning rate.
        warm_up: share of the training in which the learning rate rises to its value, before it falls to zero.
    """

    method: Literal["sgd", "adamw"] = "adamw"
    eta: float = 1e-3
    context_eta: float = 1.0
    feedback_eta: float = 1.0
    weight_decay: float = 0.0
    warm_up: float = 0.0


class Optimizer:
    """Change named tensors in place, with a learning rate that falls linearly to zero over training.

    Args:
        settings: method and rates.
        parameters: by name; a ``bias`` or ``scale`` is not decayed; ``context`` and ``feedback`` have their own eta.
        descend: whether to go against what is found in ``grad``, as for gradients of a loss, or along it.
    """

    def __init__(self, settings: Optimization, parameters: Mapping[str, Tensor], descend: bool = False) -> None:
        self.parameters = dict(parameters)
        self.warm_up = settings.warm_up
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for name, tensor in self.parameters.items():
            own = {"context": settings.context_eta, "feedback": settings.feedback_eta}
            eta = settings.eta * own.get(name.split(".")[-1], 1.0)
            decay = 0.0 if name.endswith(("bias", "scale")) else settings.weight_decay
            groups.setdefault((eta, decay), []).append(tensor)
        method = torch.optim.SGD if settings.method == "sgd" else torch.optim.AdamW
        alike = [{"params": tensors, "lr": eta, "eta": eta, "weight_decay": w} for (eta, w), tensors in groups.items()]
        # One kernel for all tensors of a group: half the time of a step for networks of this size.
        self.torch = method(alike, lr=settings.eta, maximize=not descend, fused=True)

    def step(self, updates: Mapping[str, Tensor] | None = None, progress: float = 0.0) -> None:
        """Follow the updates by name, or the gradients already there; progress runs from 0 to 1."""
        for name, update in (updates or {}).items():
            self.parameters[name].grad = update
        rising = min(1.0, progress / self.warm_up) if self.warm_up else 1.0
        for group in self.torch.param_groups:
            group["lr"] = group["eta"] * rising * (1 - progress)
        self.torch.step()

    def state(self) -> dict[str, Tensor]:
        """Name what the method remembers of each tensor: for `adamw`, two moments and the steps so far."""
        remembered = {name: self.torch.state.get(tensor, {}) for name, tensor in self.parameters.items()}
        return {
            f"{name}.{key}": value
            for name, values in remembered.items()
            for key, value in values.items()
            if isinstance(value, Tensor)
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Remember what `state` named, and nothing else."""
        self.torch.state.clear()
        for key, value in state.items():
            name, _, kind = key.rpartition(".")
            tensor = self.parameters[name]
            if value.dtype != tensor.dtype or value.shape != (() if kind == "step" else tensor.shape):
                raise ValueError(f"{key}: {tuple(value.shape)} of {value.dtype}, of a tensor {tuple(tensor.shape)}")
            self.torch.state[tensor][kind] = value.to(tensor.device, copy=True)
