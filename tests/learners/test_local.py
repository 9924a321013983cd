import torch

from cortexsim.learners import Local
from cortexsim.rate import Architecture, Optimization
from cortexsim.rules import known_rules
from cortexsim.tasks.rhm import Hierarchy
from tests.nets import build

HIERARCHY = Hierarchy(features=4, multiplicity=2, depth=3)


def local(schedule: str = "greedy", top: str = "readout", rule: str = "clapp") -> Local:
    context = ("sibling", "sibling", "label" if top == "label" else "none")
    network = build(Architecture(cells=6), HIERARCHY, 0, context=context)
    return Local(network, known_rules()[rule], Optimization(eta=0.05), schedule, top)  # type: ignore[arg-type]


def changed(learner: Local, stage: int, steps: int = 3) -> list[bool]:
    before = {name: tensor.clone() for name, tensor in learner.network.state().items()}
    seen = learner.stage_inputs(stage, torch.rand(8, 8, 4, generator=torch.Generator().manual_seed(0)))
    for _ in range(steps):
        learner.step(stage, seen, torch.arange(8) % 4, 0.0)
    after = learner.network.state()
    return [not torch.equal(before[f"layer{k}.feedforward"], after[f"layer{k}.feedforward"]) for k in (1, 2, 3)]


def test_greedy_teaches_one_layer_after_the_other() -> None:
    learner = local("greedy")
    assert learner.stages == 2
    assert [changed(learner, 0), changed(learner, 1)] == [[True, False, False], [False, True, False]]


def test_simultaneous_teaches_all_layers_at_once() -> None:
    learner = local("simultaneous")
    assert learner.stages == 1
    assert changed(learner, 0) == [True, True, False]


def test_label_context_teaches_the_top_layer_and_answers() -> None:
    learner = local("greedy", top="label")
    assert learner.uses_labels
    assert learner.stages == 3
    assert changed(learner, 2) == [False, False, True]
    answer = learner.classify(torch.rand(5, 8, 4))
    assert answer is not None
    assert answer.shape == (5, 4)


def test_the_answer_is_the_label_that_fits_best_not_the_one_that_fits_least() -> None:
    learner, drawn = local("greedy", top="label"), torch.Generator().manual_seed(0)
    leaves = torch.rand(5, 8, 4, generator=drawn)
    weights = learner.network.layers[-1].context
    assert weights is not None
    weights.weights.copy_(torch.linspace(-3, 1, weights.weights.numel()).view_as(weights.weights))
    activity = learner.network.activities(leaves)[-1][:, 0]
    fits = [
        [float(sum(z * b for z, b in zip(row, column, strict=True))) for column in weights.weights[0].T]
        for row in activity
    ]
    answer = learner.classify(leaves)
    assert answer is not None
    torch.testing.assert_close(answer, torch.tensor(fits))
    assert answer.min() < -answer.max() < 0


def test_without_labels_the_answer_is_left_to_a_readout() -> None:
    learner = local()
    assert not learner.uses_labels
    assert learner.classify(torch.rand(5, 8, 4)) is None
    assert learner.trained_layers == 2


def test_labels_do_not_reach_label_free_layers() -> None:
    learners = [local("simultaneous"), local("simultaneous")]
    leaves = torch.rand(8, 8, 4)
    for learner, labels in zip(learners, (torch.zeros(8).long(), torch.arange(8) % 4), strict=True):
        learner.step(0, leaves, labels, 0.0)
    states = [learner.network.state() for learner in learners]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def memory_of_a_step(depth: int) -> int:
    """Count the bytes that one greedy step of the layer below the top makes."""
    hierarchy = Hierarchy(features=4, multiplicity=2, depth=depth)
    context = ("sibling",) * (depth - 1) + ("none",)
    network = build(Architecture(cells=4), hierarchy, 0, context=context)
    learner = Local(network, known_rules()["clapp"], Optimization())
    seen = torch.rand(16, 4, 4)
    learner.step(depth - 2, seen, torch.zeros(16).long(), 0.0)  # The first step makes the optimiser's state.
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        learner.step(depth - 2, seen, torch.zeros(16).long(), 0.0)
    return sum(max(0, event.self_cpu_memory_usage) for event in profile.key_averages())


def test_memory_of_a_greedy_step_does_not_grow_with_depth() -> None:
    assert 0 < memory_of_a_step(3) == memory_of_a_step(5)
