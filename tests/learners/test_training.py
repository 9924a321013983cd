"""What every learner promises: the same order, pure evaluation, and nothing that depends on how work was cut."""

import hashlib

import pytest
import torch
from torch import Tensor

from cortexsim.analysis.probes import activities, code_geometry
from cortexsim.config.building import assemble
from cortexsim.config.registry import find_model, model_paths
from cortexsim.learners import BatchEnd, Budget, Cursor, EpochEnd, Event, Learner, train
from cortexsim.rate import to_tensor
from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Grammar, Hierarchy, split

HIERARCHY = Hierarchy(features=4, multiplicity=2, depth=3)
COMPILED = {name for name in model_paths() if find_model(name).in_brian}  # Half a minute each.
MODELS = [pytest.param(name, marks=pytest.mark.slow if name in COMPILED else ()) for name in sorted(model_paths())]


def digest(learner: Learner) -> str:
    found = hashlib.sha256()
    for name, tensor in learner.network.state().items():
        found.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return found.hexdigest()


def task(learner: Learner, count: int = 60):
    train_samples, test = split(Grammar.draw(HIERARCHY, stream(0, "grammar")), count, 100, stream(0, "data"))
    leaves = to_tensor(train_samples.one_hot(), learner.network.output.detach())
    return leaves, torch.from_numpy(train_samples.labels.astype("int64")), test


def trained(name: str, seed: int = 0, epochs: int = 3) -> Learner:
    learner = assemble(find_model(name), HIERARCHY, seed)
    leaves, labels, _ = task(learner)
    train(learner, leaves, labels, Budget(epochs, 16), seed)
    return learner


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_gives_the_same_weights_bit_for_bit(name: str) -> None:
    assert digest(trained(name)) == digest(trained(name))
    assert digest(trained(name)) != digest(trained(name, seed=1))


@pytest.mark.parametrize("name", MODELS)
def test_learning_changes_weights_and_evaluation_does_not(name: str) -> None:
    learner = trained(name)
    assert (digest(learner) == digest(assemble(find_model(name), HIERARCHY, 0))) == (learner.stages == 0)
    before, drawn = digest(learner), torch.get_rng_state()
    leaves, _, test = task(learner)
    code_geometry(learner.network, test, 0)
    learner.classify(leaves)
    assert digest(learner) == before
    assert torch.equal(drawn, torch.get_rng_state())


@pytest.mark.parametrize("name", MODELS)
def test_evaluation_does_not_depend_on_its_batch(name: str) -> None:
    learner = trained(name)
    leaves, _, _ = task(learner)
    whole = activities(learner.network, leaves)
    for code, pieces in zip(
        whole, zip(*(learner.network.activities(part) for part in leaves.split(7)), strict=True), strict=True
    ):
        torch.testing.assert_close(code, torch.cat(pieces), rtol=1e-5, atol=1e-6)


class Recorder:
    """A learner that only remembers what it saw."""

    uses_labels, trained_layers, streaming_stages = False, 1, frozenset[int]()

    def __init__(self, stages: int) -> None:
        self.stages, self.seen, self.progress = stages, [], []

    def stage_inputs(self, stage: int, leaves: Tensor) -> Tensor:
        return leaves

    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        self.seen.append((stage, seen[:, 0, 0].tolist(), labels.tolist()))
        self.progress.append(progress)


def test_every_stage_sees_the_same_order_in_whole_batches() -> None:
    leaves = torch.arange(10.0).view(10, 1, 1)
    told: list[Event] = []
    recorder = Recorder(stages=2)
    train(recorder, leaves, torch.arange(10), Budget(2, 4), 3, [told.append])  # type: ignore[arg-type]
    first, second = recorder.seen[:4], recorder.seen[4:]
    assert [entry[1:] for entry in first] == [entry[1:] for entry in second]
    assert all(values == labels for _, values, labels in recorder.seen)
    assert all(len(labels) == 4 for _, _, labels in recorder.seen)
    assert first[0][1] != first[2][1]  # Shuffled anew in the second epoch.
    assert recorder.progress == [0, 0.25, 0.5, 0.75] * 2
    epoch = [BatchEnd, BatchEnd, EpochEnd]
    assert [type(event) for event in told] == epoch * 4
    assert told[2::3] == [EpochEnd(0, 0), EpochEnd(0, 1), EpochEnd(1, 0), EpochEnd(1, 1)]
    assert told[1] == BatchEnd(Cursor(0, 0, 2))


def test_fewer_samples_than_a_batch_make_one_batch() -> None:
    recorder = Recorder(stages=1)
    train(recorder, torch.zeros(3, 1, 1), torch.arange(3), Budget(2, 64), 0)  # type: ignore[arg-type]
    assert [sorted(labels) for _, _, labels in recorder.seen] == [[0, 1, 2]] * 2
