"""What options of the command line make of the sizes that a model has."""

import pytest

from cortexsim.options import task_of
from cortexsim.tasks.rhm import Hierarchy

SAME, OTHER = Hierarchy(features=8, multiplicity=2, depth=2), Hierarchy(features=8, multiplicity=2, depth=2, classes=5)


@pytest.mark.parametrize(
    ("start", "features", "classes", "expected"),
    [
        (SAME, None, None, (8, 8)),
        (SAME, 6, None, (6, 6)),
        (SAME, 6, 3, (6, 3)),
        (SAME, None, 3, (8, 3)),
        (OTHER, None, None, (8, 5)),
        (OTHER, 6, None, (6, 5)),
        (OTHER, 6, 3, (6, 3)),
    ],
)
def test_classes_follow_features_where_they_were_as_many(
    start: Hierarchy, features: int | None, classes: int | None, expected: tuple[int, int]
) -> None:
    found = task_of(start, None, {"features": features, "classes": classes})
    assert isinstance(found, Hierarchy)
    assert (found.features, found.classes) == expected
    assert (found.multiplicity, found.depth, found.tuple_size) == (2, 2, 2)


def test_sizes_that_are_given_go_before_those_of_the_model() -> None:
    assert task_of(SAME, None, {"depth": 3, "multiplicity": 4, "tuple_size": 3}) == Hierarchy(
        features=8, multiplicity=4, depth=3, tuple_size=3
    )
