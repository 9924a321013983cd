"""From a model to a learner: what the dendrites of each layer hear."""

import pytest

from cortexsim.errors import UserError
from cortexsim.learners import Local
from cortexsim.runs.assemble import assemble
from cortexsim.runs.change import changed
from cortexsim.runs.locate import find_model
from cortexsim.tasks.rhm import Hierarchy


def heard(depth: int, **rule: str) -> list[tuple[int, tuple[str, ...]]]:
    """For each layer that learns, how many columns of its own it hears, and what else."""
    values = {"network.cells": 3, "network.sends": "activity"} | {f"rule.{key}": value for key, value in rule.items()}
    learner = assemble(changed(find_model("clapp"), values), Hierarchy(depth=depth), 0)
    assert isinstance(learner, Local)
    return [(layer.heard.shape[1], layer.outside) for layer in learner.plastic]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"context": "sibling"}, [(1, ()), (1, ()), (1, ())]),
        ({"context": "cousin"}, [(2, ()), (2, ()), (1, ())]),
        ({"context": "sibling+cousin"}, [(3, ()), (3, ()), (1, ())]),
        ({"context": "top", "schedule": "simultaneous"}, [(0, ("top",)), (0, ("top",)), (1, ())]),
        ({"context": "sibling+top", "schedule": "simultaneous"}, [(1, ("top",)), (1, ("top",)), (1, ())]),
        ({"context": "cousin", "top": "label"}, [(2, ()), (2, ()), (1, ()), (0, ("label",))]),
    ],
)
def test_every_layer_that_learns_hears_somebody(
    rule: dict[str, str], expected: list[tuple[int, tuple[str, ...]]]
) -> None:
    assert heard(4, **rule) == expected


def test_one_level_has_no_siblings_to_learn_from() -> None:
    assert heard(1, top="label") == [(0, ("label",))]
    with pytest.raises(UserError, match=r"hierarchy\.depth = 1: no column has a sibling, and rule 'clapp'"):
        heard(1)
