"""Models whose values depend on the depth of the hierarchy."""

from pathlib import Path

import pytest

from cortexsim.config.overrides import at_depth, changed, variants
from cortexsim.config.registry import find_model
from cortexsim.config.schema import resolved
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.tasks.rhm import Hierarchy

TEXT = """
learner = "backprop"
[training]
eta = 0.01
epochs = 7
[depth.3.training]
eta = 0.03
[depth.3.network]
cells = 8
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "mine.toml"
    found.write_text(TEXT)
    return found


def test_a_trial_has_the_values_of_its_depth(path: Path) -> None:
    model = find_model(str(path))
    three, four = (Trial(model, Hierarchy(depth=depth), 8, 8, 0, 0).model for depth in (3, 4))
    assert (three.name, three.training.eta, three.training.epochs, three.network.cells) == ("mine", 0.03, 7, 8)
    assert (four.training.eta, four.network.cells, four.depth) == (0.01, 64, {})
    assert Trial(three, Hierarchy(depth=3), 8, 8, 0, 0).key == Trial(model, Hierarchy(depth=3), 8, 8, 0, 0).key
    assert Trial(four, Hierarchy(depth=3), 8, 8, 0, 0).key != Trial(model, Hierarchy(depth=3), 8, 8, 0, 0).key


def test_a_value_that_is_asked_for_holds_at_every_depth(path: Path) -> None:
    model = changed(find_model(str(path)), {"training.eta": 0.5})
    assert [at_depth(model, depth).training.eta for depth in (3, 4)] == [0.5, 0.5]
    assert at_depth(model, 3).network.cells == 8
    ((found, _),) = variants(find_model(str(path)), {"network.cells": [16]})
    assert at_depth(found, 3).network.cells == 16
    assert resolved(found)["depth"] == {"3": {"training.eta": 0.03}}


def test_a_table_that_is_set_as_a_whole_holds_at_every_depth() -> None:
    model = changed(find_model("predictive-coding"), {"rule.constants": {"rate": 0.5}})
    assert [at_depth(model, depth).rule.constants for depth in (3, 4)] == [{"rate": 0.5}] * 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("[depth.5.training]\netta = 1.0", r"depth\.5: mine: unknown key 'training\.etta'"),
        ("[depth.5.training]\neta = -1.0", r"depth\.5: mine: training\.eta = -1\.0"),
        ("[depth.5.task]\nfeatures = 3", r"depth\.5: mine: task\.features: cannot differ between depths"),
        ("[depth.5]\nlearner = 'local'", r"depth\.5: mine: learner: cannot differ between depths"),
        ("[depth.5.network]\nsubstrate = 'spiking'", r"depth\.5: .*substrate"),
        ("[depth.0.training]\neta = 1.0", r"depth\.0"),
        ("[depth.deep.training]\neta = 1.0", r"depth\.deep"),
    ],
)
def test_what_is_wrong_at_a_depth_is_said_when_the_model_is_read(path: Path, wrong: str, complaint: str) -> None:
    path.write_text(f"{TEXT}\n{wrong}\n")
    with pytest.raises(UserError, match=complaint) as caught:
        find_model(str(path))
    assert "\n" not in str(caught.value)
