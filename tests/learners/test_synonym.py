"""The context `synonym`: a column receives itself in a second view, in which its tuple is a synonym."""

from copy import deepcopy
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.config.trial import Trial
from cortexsim.learners import Local
from cortexsim.rate import Architecture, Network, Optimization, Plasticity
from cortexsim.rules import known_rules
from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Grammar, Hierarchy
from cortexsim.training.measurement import Prepared, prepare, run
from tests.nets import build

HIERARCHY = Hierarchy(features=4, multiplicity=2, depth=3)
CELLS, ETA = 5, 0.1
RULES = known_rules()
Schedule = Literal["greedy", "simultaneous"]


def network(context: str, shared: bool, sends: str = "prediction", synapses: str = "random") -> Network:
    architecture = Architecture(cells=CELLS, shared=shared, sends=sends)
    contexts = (context, context, "none")
    return build(architecture, HIERARCHY, 0, dtype=torch.float64, context=contexts, context_synapses=synapses)


def batch() -> tuple[Tensor, list[Tensor]]:
    """Six samples, and for two layers a second view of each."""
    leaves = torch.rand(3, 6, 8, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return leaves[0], [leaves[1], leaves[2]]


def activity(found: Network, k: int, leaves: Tensor) -> Tensor:
    """What the columns of a layer, counted from 0, do: (batch, positions, cells)."""
    below = found.activities(leaves, k)[-1] if k else leaves
    return found.layers[k].respond(below).activity


def written_out(found: Network, k: int, context: str) -> Tensor:
    """What the dendrites of a layer are to receive: (batch, positions, context cells)."""
    leaves, views = batch()
    own, positions = activity(found, k, leaves), found.layers[k].positions
    context_activity = {"sibling": own[:, [p ^ 1 for p in range(positions)]], "synonym": activity(found, k, views[k])}
    return torch.cat([context_activity[name] for name in context.split("+")], 2).detach()


def step(learner: Local, stage: int) -> None:
    leaves, views = batch()
    learner.step(stage, learner.stage_inputs(stage, leaves, *views), torch.zeros(6).long(), 0.0)


@pytest.mark.parametrize("schedule", ["greedy", "simultaneous"])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "own"])
@pytest.mark.parametrize("context", ["synonym", "sibling+synonym", "synonym+sibling"])
def test_the_update_is_the_gradient_of_the_loss(context: str, shared: bool, schedule: Schedule) -> None:
    built = network(context, shared)
    for layer in built.layers[:2]:
        assert layer.context is not None
        layer.context.weights *= 3  # So that some scores are beyond the margin, and gradients do not cancel.
    before = deepcopy(built)
    learner = Local(built, RULES["clapp"], Optimization("sgd", ETA), schedule)
    step(learner, learner.stages - 1)
    for k in range(2) if schedule == "simultaneous" else [1]:
        layer, context_activity, losses = before.layers[k], written_out(before, k, context), []
        assert layer.context is not None
        parameters = {"feedforward": layer.feedforward.weights, "bias": layer.bias, "context": layer.context.weights}
        for parameter in parameters.values():
            parameter.requires_grad_()
        own = activity(before, k, batch()[0])
        for contrast, other in ((1, context_activity), (-1, context_activity.roll(1, 0))):
            for p in range(layer.positions):
                weights = layer.context.weights[p % layer.context.groups]
                score = torch.einsum("bi,ij,bj->b", own[:, p], weights, other[:, p])
                losses.append(torch.clamp(1 - contrast * score, min=0))
        assert (torch.stack(losses) > 0).any()
        gradients = torch.autograd.grad(torch.stack(losses).sum(), list(parameters.values()))
        for (name, old), gradient in zip(parameters.items(), gradients, strict=True):
            mean = gradient / (6 * layer.positions / len(old))
            assert mean.abs().max() > 1e-4
            learned, expected = built.layers[k].state()[name], (old - ETA * mean).detach()
            torch.testing.assert_close(learned, expected, rtol=1e-9, atol=1e-12)
            old.requires_grad_(False)


@pytest.mark.parametrize("context", ["synonym", "sibling+synonym"])
@pytest.mark.parametrize("name", ["simclr_local", "lpl", "vicreg_local", "barlow_local"])
def test_one_to_one_synapses_bring_the_mean_of_what_is_received(name: str, context: str) -> None:
    rule = RULES[name]
    learners = [Local(network(context, True, "activity", "one_to_one"), rule, Optimization("sgd", ETA)) for _ in "ab"]
    step(learners[0], 0)
    plain = learners[1].network
    context_activity = written_out(plain, 0, context).unflatten(2, (-1, CELLS)).mean(2)
    updates = Plasticity(rule).updates(plain.layers[0], plain.responses(batch()[0])[0], context_activity)
    assert updates["feedforward"].abs().max() > 1e-4
    assert set(updates) == {"feedforward", "bias"}
    for key, update in updates.items():
        expected = plain.layers[0].state()[key] + ETA * update
        torch.testing.assert_close(learners[0].network.layers[0].state()[key], expected)


def prepared(samples: int = 200, seed: int = 0, context: str = "synonym") -> Prepared:
    model = changed(find_model("clapp"), {"rule.context": context})
    return prepare(Trial(model, Hierarchy(depth=4), samples, 10, 0, seed))


def latents(grammar: Grammar, leaves: Tensor) -> list[np.ndarray]:
    """Symbols of every level, leaves first, as one-hot leaves are parsed."""
    found = [leaves.argmax(2).numpy()]
    for level in range(1, grammar.hierarchy.depth + 1):
        found.append(grammar.parent(level, found[-1].reshape(len(leaves), -1, grammar.hierarchy.tuple_size)))
    return found


def test_a_view_keeps_what_lies_above_its_level_and_changes_every_tuple_of_it() -> None:
    work = prepared()
    grammar = Grammar.draw(Hierarchy(depth=4), stream(0, "grammar"))
    first = latents(grammar, work.inputs)
    assert len(work.views) == 3
    for level, view in enumerate(work.views, 1):
        second = latents(grammar, view)
        for one, other in zip(first[level:], second[level:], strict=True):
            assert (one == other).all()
        changed_tuples = (first[level - 1] != second[level - 1]).reshape(200, -1, 2).any(2)
        assert changed_tuples.all()


def test_views_are_a_stream_of_the_seed_and_do_not_depend_on_how_many_there_are() -> None:
    work, fewer, other = prepared(), prepared(50), prepared(seed=1)
    for view, first, unlike in zip(work.views, fewer.views, other.views, strict=True):
        assert torch.equal(view[:50], first)
        assert not torch.equal(view, unlike)
    assert prepared(context="sibling").views == ()


def test_synonyms_teach_columns_what_they_mean() -> None:
    model = changed(find_model("clapp"), {"rule.context": "synonym", "training.epochs": 40})
    task = Hierarchy(features=6, multiplicity=3, depth=3)
    learned, control = (run(Trial(one, task, 300, 1000, 0, 0)) for one in (model, find_model("untrained")))
    assert (learned["context"], learned["labels_for"]) == ("synonym", "readout")
    assert learned["accuracy"] > control["accuracy"] + 0.2
    for layer in (0, 1):
        assert learned["selectivity"][layer] > control["selectivity"][layer] + 0.15
        assert learned["participation"][layer] > 2.5
        assert learned["decoding"][layer] > 0.95
