"""Rasters, on the slow target, which needs no compiler."""

import re
from pathlib import Path

import pytest
from PIL import Image

from cortexsim.config.registry import find_model, read_model
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.studies.raster import draw
from cortexsim.tasks.rhm import Hierarchy
from tests.quick import slow_but
from tests.studies.test_comparison import silent

TINY = """
learner = "local"
[rule]
name = "clapp"
[network]
substrate = "spiking"
cells = 4
[spiking]
input_rate = "200 Hz"
[training]
epochs = 1
"""


@pytest.mark.parametrize("sends", slow_but(["prediction"], ["activity", "prediction"]))
def test_a_raster_shows_fixations_before_and_after_training(sends: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY.replace("cells = 4", f'cells = 4\nsends = "{sends}"'))
    model = read_model(tmp_path / "tiny.toml")
    trial = Trial(model, Hierarchy(4, 2, 2), 8, 8, grammar_seed=0, seed=0, target="numpy")
    draw(trial, 3, tmp_path, silent())
    with Image.open(tmp_path / "raster.png") as image:
        assert image.size == (1800, 1350)
    text = (tmp_path / "raster.svg").read_text()
    assert "<svg" in text
    shown = ["input", "layer1", *(["prediction1"] if sends == "prediction" else []), "layer2", "surprise1"]
    ticks = re.findall(r"<!-- (input|layer\d|prediction\d|surprise\d) -->", text)
    assert ticks == [*shown, *shown, "input", "input"]  # From below, before training and after; then under the weights.


def test_a_model_without_spikes_has_no_raster(tmp_path: Path) -> None:
    trial = Trial(find_model("clapp"), Hierarchy(4, 2, 2), 8, 8, grammar_seed=0, seed=0)
    with pytest.raises(UserError, match=r"clapp: no layer of this model spikes \(network.substrate = 'spiking'\)"):
        draw(trial, 3, tmp_path, silent())
