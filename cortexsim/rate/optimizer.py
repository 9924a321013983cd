"""Optimisers: from update directions to changes of weights, by the optimisers of torch.

`sgd` adds eta times the direction. `adamw` normalises each synapse by the running size of its own directions
(Loshchilov & Hutter 2019), which needs nothing but what the synapse knows. In both, weights decay by
``eta * weight_decay`` per step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Optimization:
    """Settings of an `Optimizer`.

    Args:
        method: ``sgd`` or ``adamw``.
        eta: learning rate of the feedforward weights.
        context_eta: learning rate of the context weights, in units of eta.
        feedback_eta: learning rate of plastic feedback weights, in units of eta.
        weight_decay: decay of the weights (not of biases and gains), per step and unit of learning rate.
        warm_up: fraction of the training in which the learning rate rises linearly from 0.
        schedule: of the learning rate: ``linear``, to zero at the end, or ``constant``.
    """

    method: Literal["sgd", "adamw"] = "adamw"
    eta: float = 1e-3
    context_eta: float = 1.0
    feedback_eta: float = 1.0
    weight_decay: float = 0.0
    warm_up: float = 0.0
    schedule: Literal["linear", "constant"] = "linear"


class Optimizer:
    """Update named tensors in place, with a learning rate that depends on the progress through training.

    >>> weights = torch.zeros(2)
    >>> optimizer = Optimizer(Optimization(method="sgd", eta=0.1), {"feedforward": weights})
    >>> optimizer.step({"feedforward": torch.tensor([1.0, -1.0])}, progress=0.5)
    >>> [round(value, 3) for value in weights.tolist()]
    [0.05, -0.05]

    Args:
        settings: method and rates.
        parameters: tensors of any shape by name; a ``bias`` or ``scale`` does not decay; ``context`` and ``feedback``
            have learning rates of their own.
        descend: whether to move against the directions, as for gradients of a loss, or along them.
    """

    def __init__(self, settings: Optimization, parameters: Mapping[str, Tensor], descend: bool = False) -> None:
        self.parameters = dict(parameters)
        self.warm_up, self.falls = settings.warm_up, settings.schedule == "linear"
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for name, tensor in self.parameters.items():
            own = {"context": settings.context_eta, "feedback": settings.feedback_eta}
            eta = settings.eta * own.get(name.split(".")[-1], 1.0)
            decay = 0.0 if name.endswith(("bias", "scale")) else settings.weight_decay
            groups.setdefault((eta, decay), []).append(tensor)
        method = torch.optim.SGD if settings.method == "sgd" else torch.optim.AdamW
        grouped = [
            {"params": tensors, "lr": eta, "eta": eta, "weight_decay": w} for (eta, w), tensors in groups.items()
        ]
        # One kernel for all tensors of a group: half the time of a step for networks of this size.
        self.torch = method(grouped, lr=settings.eta, maximize=not descend, fused=True)

    def step(self, updates: Mapping[str, Tensor] | None = None, progress: float | None = None) -> None:
        """Apply one batch of updates.

        Args:
            updates: directions by name, each of the shape of its tensor; those in ``grad`` of the tensors unless given.
            progress: through training, from 0 to 1, on which the learning rate depends; None for the full rate.
        """
        for name, update in (updates or {}).items():
            self.parameters[name].grad = update
        rising = min(1.0, progress / self.warm_up) if progress is not None and self.warm_up else 1.0
        for group in self.torch.param_groups:
            group["lr"] = group["eta"] * rising * (1 - (progress or 0.0) * self.falls)
        self.torch.step()
        for name in updates or {}:
            self.parameters[name].grad = None  # Else the directions of all layers stay in memory.

    def state(self) -> dict[str, Tensor]:
        """Return the state of the method by name of the tensor, not copied.

        For `adamw`, that is two moments, each of the shape of the tensor, and the number of steps, ().
        """
        states = {name: self.torch.state.get(tensor, {}) for name, tensor in self.parameters.items()}
        return {
            f"{name}.{key}": value
            for name, values in states.items()
            for key, value in values.items()
            if isinstance(value, Tensor)
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned.

        Raises:
            KeyError: where it has a tensor that this optimiser has not.
            ValueError: where type or shape do not match.
        """
        self.torch.state.clear()
        for key, value in state.items():
            name, _, kind = key.rpartition(".")
            tensor = self.parameters[name]
            if value.dtype != tensor.dtype or value.shape != (() if kind == "step" else tensor.shape):
                raise ValueError(f"{key}: {tuple(value.shape)} of {value.dtype}, of a tensor {tuple(tensor.shape)}")
            self.torch.state[tensor][kind] = value.to(tensor.device, copy=True)
