import numpy as np
import pytest

from cortexsim.contexts import siblings
from cortexsim.rules import known_rules
from cortexsim.spiking import Plan, Settings, Stack, Stream, describe
from cortexsim.spiking.wiring import WIRINGS, wires

SIZES = {
    "aligned": {"units": 3},
    "broadcast": {"sources": 3, "targets": 5},
    "gather": {"positions": 3, "cells": 4},
    "onward": {"positions": 6, "cells": 4, "tuple_size": 3},
    "patches": {"positions": 3, "cells": 4, "patch": 5},
    "scatter": {"positions": 3, "cells": 4, "slots": 2},
    "shift": {"units": 3, "slots": 4},
    "siblings": {"positions": 6, "cells": 4, "tuple_size": 3},
}


@pytest.mark.parametrize("kind", sorted(WIRINGS))
def test_synapses_come_presynaptic_cell_by_presynaptic_cell_and_have_places_of_their_own(kind: str) -> None:
    pre, _, place = wires(kind, SIZES[kind])
    assert (np.diff(pre) >= 0).all()
    assert np.array_equal(np.sort(place), np.arange(len(pre)))


@pytest.mark.parametrize(
    ("kind", "row"), [("patches", 4), ("siblings", 4), ("onward", 4), ("scatter", 4), ("broadcast", 5)]
)
def test_rows_have_one_presynaptic_cell_and_consecutive_postsynaptic_ones(kind: str, row: int) -> None:
    pre, post, _ = (values.reshape(-1, row) for values in wires(kind, SIZES[kind]))
    assert (pre == pre[:, :1]).all()
    assert (np.diff(post, axis=1) == 1).all()


def test_patches_are_where_rate_layers_have_them() -> None:
    pre, post, place = wires("patches", SIZES["patches"])
    tensor = np.zeros(3 * 4 * 5)
    tensor[place] = np.arange(len(place))
    for position in range(3):
        for cell in range(4):
            for k in range(5):
                synapse = int(tensor.reshape(3, 4, 5)[position, cell, k])
                assert (pre[synapse], post[synapse]) == (position * 5 + k, position * 4 + cell)


def test_siblings_hear_each_other_in_the_order_of_rate_layers() -> None:
    pre, post, place = wires("siblings", SIZES["siblings"])
    tensor = np.zeros(6 * 4 * 8, int)
    tensor[place] = np.arange(len(place))
    heard = siblings(6, 3)
    for position in range(6):
        for m in range(2):
            synapse = tensor.reshape(6, 4, 2, 4)[position, 1, m, 3]
            assert (pre[synapse], post[synapse]) == (heard[position, m] * 4 + 3, position * 4 + 1)


@pytest.mark.parametrize("centred", [True, False])
def test_a_dendrite_hears_labels_less_their_share_where_plasticity_is_centred(centred: bool) -> None:
    top = Plan(1, 1, 3, 4, "brian-rate", True, "label", False, 0.0)
    settings = Settings(centred=centred)
    stack = Stack(*describe([top], 2, 4, known_rules()["clapp"], settings, capacity=1), "numpy")
    label = np.eye(4)[[2]]
    _, after = stack.run(Stream(np.ones((1, 4)), np.arange(1), label, np.ones(1)), stack.initial_state(), seed=0)
    np.testing.assert_allclose(after["labels.before"], label[0] - 0.25 * centred)
