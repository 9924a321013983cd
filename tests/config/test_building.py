"""From a model to a learner: what the dendrites of each layer receive."""

import pytest

from cortexsim.config.building import assemble
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.errors import UserError
from cortexsim.learners import Local
from cortexsim.tasks.rhm import Hierarchy


def received(depth: int, **rule: str) -> list[tuple[int, tuple[str, ...]]]:
    """For each layer that learns, how many columns of its own it receives from, and what else."""
    values = {"network.cells": 3, "network.sends": "activity"} | {f"rule.{key}": value for key, value in rule.items()}
    learner = assemble(changed(find_model("clapp"), values), Hierarchy(depth=depth), 0)
    assert isinstance(learner, Local)
    return [(layer.context_index.shape[1], layer.external_context) for layer in learner.plastic]


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
def test_every_layer_that_learns_has_a_context(
    rule: dict[str, str], expected: list[tuple[int, tuple[str, ...]]]
) -> None:
    assert received(4, **rule) == expected


def test_one_level_has_no_siblings_to_learn_from() -> None:
    assert received(1, top="label") == [(0, ("label",))]
    with pytest.raises(
        UserError, match=r"rule\.context = 'sibling': rule 'clapp' learns from other columns, but there are none"
    ):
        received(1)
    with pytest.raises(UserError, match=r"rule 'lpl' learns from other columns, .* \(two layers or more\)"):
        assemble(find_model("lpl"), Hierarchy(depth=1), 0)


OVERLAPPING = [{"size": 3, "stride": 1}, {"size": 3, "stride": 1}, {"size": "all"}]


@pytest.mark.parametrize("name", ["clapp", "lpl", "barlow", "spectral"])
def test_columns_whose_fields_overlap_have_neighbours_as_context_and_no_siblings(name: str) -> None:
    model = changed(find_model(name), {"layer": OVERLAPPING, "network.cells": 3})
    with pytest.raises(UserError, match=r"rule\.context = 'sibling': no column of layer 1 .* \(it has 'neighbour'\)"):
        assemble(model, Hierarchy(depth=3), 0)
    learner = assemble(changed(model, {"rule.context": "neighbour"}), Hierarchy(depth=3), 0)
    assert [layer.context_index.shape for layer in learner.network.layers[:2]] == [(6, 2), (4, 2)]


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        ([{"size": 2, "pooling": "max"}], r"layer 1: pooling = 'max': no columns are pooled \(pool = 2 or more"),
        ([{"size": 2}, {"size": "all", "pool": 2}], "layer 2: size = 'all': the layer is a single column"),
        ([{"size": 2}, {"size": "all", "stride": 1}], "layer 2: size = 'all': the layer is a single column"),
        ([{"size": 9}], r"layer 1: size = 9: the layer below has 8 positions \('all', or less\)"),
        ([{"size": 2}, {"size": 5}], "layer 2: size = 5: the layer below has 4 positions"),
        ([{"size": 2, "pool": 5}], "layer 1: pool = 5: the layer has 4 columns"),
    ],
)
def test_layers_that_cannot_be_are_refused_by_their_number(layers: list[dict[str, object]], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        assemble(changed(find_model("hebb"), {"layer": layers}), Hierarchy(depth=3), 0)


def test_a_network_in_which_nothing_would_learn_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"rule\.name = 'hebb': the network is a single column, which the rule does not train"
    ):
        assemble(changed(find_model("hebb"), {"layer": [{"size": "all"}]}), Hierarchy(depth=3), 0)


@pytest.mark.parametrize("context", ["sibling+label", "neighbour+cousin"])
def test_a_context_that_nobody_receives_is_not_left_out_without_a_word(context: str) -> None:
    values = {"layer": OVERLAPPING[:2], "network.sends": "activity", "rule.context": context}
    model = changed(find_model("clapp"), values)
    with pytest.raises(UserError, match=rf"rule\.context = '{context.replace('+', '.')}': no trained layer"):
        assemble(model, Hierarchy(depth=3), 0)


@pytest.mark.parametrize("name", ["untrained", "untrained-spiking"])
def test_the_control_is_read_from_the_layer_that_learners_are_read_from(name: str) -> None:
    layers = [{"size": 2}, {"size": 2, "stride": 1}]
    values = {"layer": layers, "network.cells": 3}
    spiking = {"network.substrate": ["spiking"]} if name != "untrained" else {}
    learner = assemble(changed(find_model("clapp"), {**values, "rule.context": "neighbour"}), Hierarchy(depth=3), 0)
    control = assemble(changed(find_model("untrained"), {**values, **spiking}), Hierarchy(depth=3), 0, target="numpy")
    assert control.trained_layers == learner.trained_layers == 2


@pytest.mark.parametrize("name", ["clapp", "clapp-spiking"])
def test_the_top_can_have_cells_of_its_own(name: str) -> None:
    model = changed(find_model(name), {"network.cells": 5, "network.top_cells": 2})
    layers = assemble(model, Hierarchy(depth=3), 0, target="numpy").network.layers
    assert [layer.cells for layer in layers] == [5, 5, 2]


def test_who_lists_layers_lists_their_cells() -> None:
    model = changed(find_model("clapp"), {"network.top_cells": 2, "layer": [{"size": 2}, {"size": 2}]})
    with pytest.raises(UserError, match=r"network\.top_cells = 2: the model lists its layers \(leave it out\)"):
        assemble(model, Hierarchy(depth=2), 0)


def test_interneurons_begin_with_weights_on_their_levels() -> None:
    settings = {"dale": True, "inhibition": "relayed", "w_max": 1.0, "weight_bits": 4}
    model = changed(find_model("clapp-spiking"), {f"spiking.{key}": value for key, value in settings.items()})
    learner = assemble(changed(model, {"network.cells": 5}), Hierarchy(depth=2), 0, target="numpy")
    (segment,) = learner.network.segments
    for number in (1, 2):
        weights = segment.brian_state[f"relayed{number}.w"]
        levels = weights * 15
        assert levels == pytest.approx(levels.round())
        assert 0 <= weights.min() < weights.max() <= 1
