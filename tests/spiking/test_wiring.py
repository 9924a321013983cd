import numpy as np
import pytest

from cortexsim.rules import known_rules
from cortexsim.spiking import Control, LayerSpec, Settings, Stack, Stream, describe
from cortexsim.spiking.wiring import WIRINGS, connectivity

SIBLINGS = ((1, 2), (0, 2), (0, 1), (4, 5), (3, 5), (3, 4))
SIZES = {
    "aligned": {"units": 3},
    "broadcast": {"sources": 3, "targets": 5},
    "gather": {"positions": 3, "cells": 4},
    "neighbourhood": {"sources": 20, "targets": 5, "width": 4.0, "seed": 3},
    "on_off": {"positions": 3, "cells": 4, "patch": 5},
    "onward": {"sources": SIBLINGS, "cells": 4},
    "patches": {"positions": 3, "cells": 4, "patch": 5},
    "returning": {"targets": SIBLINGS, "width": 3, "cells": 4},
    "random": {"sources": 6, "targets": 5, "probability": 0.5, "seed": 3},
    "same_index": {"sources": SIBLINGS, "cells": 4},
    "scatter": {"positions": 3, "cells": 4, "slots": 2},
    "shift": {"units": 3, "slots": 4},
    "table": {"sources": SIBLINGS, "below": 6, "width": 4, "cells": 4},
}


@pytest.mark.parametrize("kind", sorted(WIRINGS))
def test_synapses_come_presynaptic_cell_by_presynaptic_cell_and_have_places_of_their_own(kind: str) -> None:
    pre, _, place = connectivity(kind, SIZES[kind])
    copies = 2 if kind == "on_off" else 1  # ON and OFF cells have the same weights.
    assert (np.diff(pre) >= 0).all()
    assert np.array_equal(np.sort(place), np.repeat(np.arange(len(pre) // copies), copies))


def test_on_and_off_cells_of_a_prediction_have_the_same_weights_and_teachers() -> None:
    for kind in ("onward", "same_index"):
        one = connectivity(kind, SIZES[kind])
        both = connectivity(kind, {**SIZES[kind], "kinds": 2})
        for polarity in (0, 1):
            chosen = both.post // 4 % 2 == polarity
            assert np.array_equal(both.pre[chosen], one.pre)
            assert np.array_equal(both.post[chosen] // 8 * 4 + both.post[chosen] % 4, one.post)
    place = connectivity("onward", {**SIZES["onward"], "kinds": 2}).place
    assert np.array_equal(np.sort(place), np.repeat(np.arange(len(place) // 2), 2))


@pytest.mark.parametrize(
    ("kind", "row"), [("patches", 4), ("table", 4), ("onward", 4), ("scatter", 4), ("broadcast", 5), ("returning", 3)]
)
def test_rows_have_one_presynaptic_cell_and_consecutive_postsynaptic_ones(kind: str, row: int) -> None:
    pre, post, _ = (values.reshape(-1, row) for values in connectivity(kind, SIZES[kind]))
    assert (pre == pre[:, :1]).all()
    assert (np.diff(post, axis=1) == 1).all()


def test_patches_are_where_rate_layers_have_them() -> None:
    pre, post, place = connectivity("patches", SIZES["patches"])
    tensor = np.zeros(3 * 4 * 5)
    tensor[place] = np.arange(len(place))
    for position in range(3):
        for cell in range(4):
            for k in range(5):
                synapse = int(tensor.reshape(3, 4, 5)[position, cell, k])
                assert (pre[synapse], post[synapse]) == (position * 5 + k, position * 4 + cell)


def test_siblings_receive_each_other_in_the_order_of_rate_layers() -> None:
    pre, post, place = connectivity("table", SIZES["table"])
    tensor = np.zeros(6 * 4 * 8, int)
    tensor[place] = np.arange(len(place))
    for position in range(6):
        for m in range(2):
            synapse = tensor.reshape(6, 4, 2, 4)[position, 1, m, 3]
            assert (pre[synapse], post[synapse]) == (SIBLINGS[position][m] * 4 + 3, position * 4 + 1)


@pytest.mark.parametrize(
    ("sources", "below"),
    [
        (((0, 1, 2), (1, 2, 3), (2, 3, 4)), 5),
        (((3, 0), (2, 1)), 4),
        (((0, 0), (2, 0)), 4),
        (((0, 1), (2, 3)), 4),
    ],
    ids=["overlapping", "any order", "twice and never", "a tree"],
)
def test_a_table_connects_what_its_rows_name(sources: tuple[tuple[int, ...], ...], below: int) -> None:
    """As a matrix, against the activity gathered row by row."""
    width, cells, draw = 3, 4, np.random.default_rng(0)
    pre, post, place = connectivity("table", {"sources": sources, "below": below, "width": width, "cells": cells})
    assert (np.diff(pre) >= 0).all()
    assert np.array_equal(np.sort(place), np.arange(len(sources) * cells * len(sources[0]) * width))
    weights = draw.normal(size=(len(sources), cells, len(sources[0]) * width))
    shown, drive = draw.normal(size=(below, width)), np.zeros(len(sources) * cells)
    np.add.at(drive, post, weights.ravel()[place] * shown.ravel()[pre])
    gathered = shown[np.array(sources)].reshape(len(sources), -1)
    np.testing.assert_allclose(drive, np.einsum("pck,pk->pc", weights, gathered).ravel(), rtol=1e-12)


def test_a_table_that_is_a_tree_is_wired_as_its_patches() -> None:
    sizes = {"sources": ((0, 1), (2, 3), (4, 5)), "below": 6, "width": 2, "cells": 4}
    patches = connectivity("patches", {"positions": 3, "cells": 4, "patch": 4})
    for one, other in zip(connectivity("table", sizes), patches, strict=True):
        assert np.array_equal(one, other)


def test_random_synapses_are_as_many_as_their_probabilities_say() -> None:
    pre, post, _ = connectivity("random", {"sources": 100, "targets": 80, "probability": 0.1, "seed": 1})
    assert abs(len(pre) - 800) < 4 * np.sqrt(800)
    pre, post, _ = connectivity("random", {"sources": 9, "targets": 9, "probability": 1, "seed": 1, "itself": False})
    assert len(pre) == 72
    assert not (pre == post).any()
    near = np.zeros((100, 25))
    for seed in range(50):
        pre, post, _ = connectivity("neighbourhood", {"sources": 100, "targets": 25, "width": 20.0, "seed": seed})
        near[pre, post] += 1 / 50
    place = np.arange(25) * 100 / 24
    expected = np.exp(-(((np.arange(100)[:, None] - place) / 20) ** 2))
    assert np.abs(near - expected).max() < 4.5 * np.sqrt(0.25 / 50)


@pytest.mark.parametrize("centred", [True, False])
def test_a_dendrite_receives_labels_less_their_share_where_plasticity_is_centred(centred: bool) -> None:
    top = LayerSpec(1, 1, 3, 4, "brian-rate", True, "label", False, 0.0)
    settings = Settings(centred=centred)
    stack = Stack(*describe([top], 4, known_rules()["clapp"], settings, capacity=1), "numpy")
    label = np.eye(4)[[2]]
    _, after = stack.run(Stream(np.ones((1, 4)), np.arange(1), label, np.ones(1)), stack.initial_state(), seed=0)
    np.testing.assert_allclose(after["labels.previous_signal"], label[0] - 0.25 * centred)


def test_tensors_become_state_and_state_tensors() -> None:
    """Of every variable that a tensor holds, those of feedback synapses that several delays share included."""
    rule = known_rules()["dfa"]
    (modulator,) = rule.modulators
    settings = Settings(centred=False, control={modulator.name: Control(delay=2)})
    spec = LayerSpec(1, 2, 3, 4, "spiking", True, "none", True, settings.input_rate)
    stack = Stack(*describe([spec], 5, rule, settings, capacity=1), "numpy")
    shapes = {
        "feedforward1.w": (2, 3, 4), "feedback1.w": (2, 3, 5), "layer1.bias": (2, 3), "layer1.mean": (2, 3),
        "readout.w": (5, 6), "classes.bias": (5,),
    }  # fmt: skip
    held = {variable.key: variable for variable in stack.description.state if variable.tensor}
    assert held.keys() == shapes.keys()
    for key, shape in shapes.items():
        tensor = np.random.default_rng(0).normal(size=shape)
        values = stack.values_of(held[key], tensor)
        assert values.shape == stack.initial_state()[key].shape
        assert np.array_equal(stack.tensor_of(held[key], values).reshape(shape), tensor)


def test_cells_return_to_what_their_columns_see_by_the_transpose_of_a_table() -> None:
    fields, width, cells = ((0, 1, 2), (1, 2, 3), (2, 3, 4)), 3, 4
    up = connectivity("table", {"sources": fields, "below": 5, "width": width, "cells": cells})
    down = connectivity("returning", {"targets": fields, "width": width, "cells": cells})
    pairs = np.argsort(up.place)
    tensor = np.zeros((3, cells, 3 * width, 2), int)  # The two cells of every synapse up, in its place.
    tensor.reshape(-1, 2)[:] = np.stack([up.pre[pairs], up.post[pairs]], 1)
    transposed = tensor.transpose(0, 2, 1, 3).reshape(-1, 2)
    assert np.array_equal(transposed[down.place], np.stack([down.post, down.pre], 1))
