"""What a weight makes of its updates, against the formulas."""

import pytest
import torch

from cortexsim.rate import Optimization, Optimizer

ETA, DECAY = 0.2, 0.5
SETTINGS = {"eta": ETA, "context_eta": 3.0, "feedback_eta": 7.0, "weight_decay": DECAY}
NAMES = {  # By the names of states: how fast each learns, in units of eta, and whether it decays.
    "layer1.feedforward": (1.0, True),
    "layer1.context": (3.0, True),
    "layer2.feedback": (7.0, True),
    "layer1.bias": (1.0, False),
    "layer1.scale": (1.0, False),
    "output": (1.0, True),
    "output_bias": (1.0, False),
    "context": (3.0, True),
    "bias": (1.0, False),
}


def weights() -> dict[str, torch.Tensor]:
    return {name: torch.linspace(-1, 2, 4, dtype=torch.float64) + k for k, name in enumerate(NAMES)}


@pytest.mark.parametrize("progress", [0.0, 0.05, 0.1, 0.4, 0.75, 1.0])
@pytest.mark.parametrize("warm_up", [0.0, 0.1, 0.5])
def test_plain_steps_follow_the_schedule_and_their_own_rates(progress: float, warm_up: float) -> None:
    learned = weights()
    optimizer = Optimizer(Optimization(method="sgd", warm_up=warm_up, **SETTINGS), learned)
    updates = {name: torch.tensor([1.0, -2.0, 0.5, 0.0]).double() for name in NAMES}
    optimizer.step(updates, progress)
    rising = 1.0 if progress >= warm_up else progress / warm_up
    for name, before in weights().items():
        own, decays = NAMES[name]
        change = updates[name] - (DECAY * before if decays else 0)
        torch.testing.assert_close(learned[name], before + ETA * own * rising * (1 - progress) * change)


@pytest.mark.parametrize("progress", [0.0, 0.25, 1.0])
def test_the_first_step_of_adamw_has_the_size_of_its_rate(progress: float) -> None:
    learned = weights()
    optimizer = Optimizer(Optimization(method="adamw", **SETTINGS), learned)
    updates = {name: torch.tensor([1e-3, -2.0, 50.0, 0.0]).double() for name in NAMES}
    optimizer.step(updates, progress)
    for name, before in weights().items():
        own, decays = NAMES[name]
        change = updates[name].sign() - (DECAY * before if decays else 0)
        torch.testing.assert_close(learned[name], before + ETA * own * (1 - progress) * change, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", ["sgd", "adamw"])
def test_gradients_are_gone_against(method: str) -> None:
    weight = torch.tensor([1.0, -1.0], requires_grad=True)
    optimizer = Optimizer(Optimization(method=method, eta=0.1), {"feedforward": weight}, descend=True)  # type: ignore[arg-type]
    weight.square().sum().backward()
    optimizer.step(progress=0.5)
    assert torch.equal(weight.detach().sign(), torch.tensor([1.0, -1.0]))
    assert (weight.detach().abs() < 1).all()
