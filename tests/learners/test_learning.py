"""What the learners learn, and what they must not: small tasks, with controls."""

from statistics import fmean

import pytest

from cortexsim.config.overrides import at_depth, changed
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model
from cortexsim.config.trial import Row, Trial
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import run

TASK = Hierarchy(features=6, multiplicity=3, depth=3)


def row(model: Model, hierarchy: Hierarchy = TASK, samples: int = 600, grammar: int = 0, seed: int = 0) -> Row:
    return run(Trial(model, hierarchy, samples, 1000, grammar, seed))


def lesioned(model: Model) -> Model:
    assert model.rule is not None
    copy = model.model_copy(update={"rule": model.rule.model_copy(update={"gain": {"surprise": 0.0}})})
    copy._name, copy._path = model._name, model._path
    return copy


@pytest.mark.parametrize("grammar", [0, 1])
def test_clapp_learns_what_its_controls_do_not(grammar: int) -> None:
    clapp, control, lesion = (
        row(model, grammar=grammar)
        for model in (find_model("clapp"), find_model("untrained"), lesioned(find_model("clapp")))
    )
    assert clapp["accuracy"] > 0.85
    assert clapp["accuracy"] > control["accuracy"] + 0.25
    for layer in (0, 1):
        assert clapp["selectivity"][layer] > control["selectivity"][layer] + 0.1
        assert clapp["participation"][layer] > 3
        assert clapp["decoding"][layer] > 0.95
    assert lesion["accuracy"] < control["accuracy"] + 0.1


def test_backpropagation_learns() -> None:
    brief = changed(at_depth(find_model("backprop"), TASK.depth), {"training.epochs": 30})
    assert row(brief)["accuracy"] > 0.95


def test_without_structure_label_free_layers_stay_at_their_control() -> None:
    """At f = 1 all strings are equally likely: synonyms cannot be told from anything else."""
    flat = Hierarchy(features=4, multiplicity=4, depth=3)
    clapp, hebb, control = (
        [row(find_model(name), flat, grammar=grammar) for grammar in range(4)]
        for name in ("clapp", "hebb", "untrained")
    )
    for learned in (clapp, hebb):
        assert fmean(r["accuracy"] for r in learned) < fmean(r["accuracy"] for r in control) + 0.05
        for layer in (0, 1):
            learned_selectivity, control_selectivity = (
                fmean(r["selectivity"][layer] for r in rows) for rows in (learned, control)
            )
            assert learned_selectivity < control_selectivity + 0.06


REPORTED = (10, 11, 12)  # Grammars that no constant was chosen on.


def accuracies(name: str, depth: int, samples: int) -> list[float]:
    hierarchy, model = Hierarchy(depth=depth), find_model(name)
    return [row(model, hierarchy, samples, grammar, seed)["accuracy"] for seed, grammar in enumerate(REPORTED)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["backprop", "clapp"])
def test_four_levels_are_learned_on_every_grammar(name: str) -> None:
    assert min(accuracies(name, 4, 4096)) >= 0.95
    assert min(accuracies(name, 4, 8192)) >= 0.99


@pytest.mark.exhaustive
def test_direct_feedback_does_not_learn_four_levels() -> None:
    assert sum(accuracies("dfa", 4, 8192)) / len(REPORTED) <= 0.40


@pytest.mark.exhaustive
def test_three_levels_without_weight_sharing_and_with_plain_descent() -> None:
    assert min(accuracies("clapp-sgd", 3, 4096)) >= 0.97


@pytest.mark.exhaustive
def test_backpropagation_is_as_good_as_the_published_law() -> None:
    assert min(accuracies("backprop", 3, 1024)) >= 0.9125  # A tenth of the error of chance, at 2 n_c m^L.
    assert min(accuracies("backprop", 4, 4096)) >= 0.9125
