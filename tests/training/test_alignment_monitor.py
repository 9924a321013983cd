import pytest
import torch

from cortexsim.config import building
from cortexsim.config.registry import find_model, folders
from cortexsim.learners import Budget, train
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.alignment_monitor import AlignmentMonitor

HIERARCHY = Hierarchy(features=4, multiplicity=2, depth=2)
FRESH = str(folders("experiments")[0] / "masking" / "sign-symmetry-fresh.toml")


def trained(name: str, followed: bool) -> dict[str, torch.Tensor]:
    learner = building.assemble(find_model(name), HIERARCHY, seed=0)
    generator = torch.Generator().manual_seed(0)
    leaves = torch.rand(64, HIERARCHY.leaves, 4, generator=generator)
    labels = torch.randint(4, (64,), generator=generator)
    monitor = AlignmentMonitor(learner, leaves, labels, 3) if followed else None
    train(learner, leaves, labels, Budget(epochs=3, batch=16), 0, [monitor] if monitor else [])
    if monitor is not None:
        assert monitor.history is not None
        assert monitor.history["epoch"] == [0, 1, 2, 3]
        assert [len(cosines) for cosines in monitor.history["cosine"]] == [2] * 4
    return learner.network.state()


@pytest.mark.parametrize("name", ["dfa", "weight-mirror", FRESH, "gevb", "predictive-coding"])
def test_following_a_learner_changes_nothing_in_it(name: str) -> None:
    alone, followed = trained(name, False), trained(name, True)
    for key, tensor in alone.items():
        assert (tensor == followed[key]).all(), key


def test_nothing_is_recorded_of_learners_that_no_error_teaches() -> None:
    learner = building.assemble(find_model("clapp"), HIERARCHY, seed=0)
    leaves, labels = torch.rand(8, HIERARCHY.leaves, 4), torch.zeros(8, dtype=torch.long)
    assert AlignmentMonitor(learner, leaves, labels, 3).history is None
