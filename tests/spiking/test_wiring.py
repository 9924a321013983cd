import numpy as np
import pytest

from cortexsim.hierarchy.contexts import siblings
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
