"""Models of convolutional columns whose context is another view: what they become, and what is refused."""

from pathlib import Path

import pytest

from cortexsim.config.building import assemble
from cortexsim.config.overrides import changed
from cortexsim.config.registry import experiment_paths, find_model, read_model
from cortexsim.config.wiring import topology_on
from cortexsim.errors import UserError
from cortexsim.learners import Local, PairedEndToEnd, PairedLocal
from cortexsim.tasks.digits import Digits
from cortexsim.tasks.images import Images
from cortexsim.tasks.rhm import Hierarchy

FOLDER = experiment_paths()["images"].parent
LAYER = "[[layer]]\nsize = 3\nstride = 1\npadding = 1\ncells = 4\n"
PLACES = LAYER + "places = 2\n"
LOCAL = 'learner = "local"\n[task]\nname = "digits"\n'
RULE = '[rule]\nname = "clapp"\nschedule = "simultaneous"\n'
VIEW, SPACE = RULE + 'context = "view"\n', RULE + 'context = "view"\nscope = "layer"\n'


def parameters(depth: int, channels: int, cells: list[int]) -> int:
    """Weights and biases of convolutions of 3 x 3."""
    return sum(9 * below * here + here for below, here in zip([channels, *cells], cells, strict=False))


def test_the_networks_are_those_of_the_paper() -> None:
    """VGG-6 and VGG-8, by the shape of what each layer sends and of its weights."""
    for name, side in (("cifar10", 32), ("stl10", 96), ("tiny-imagenet", 64)):
        wired = topology_on(model := find_model(f"{name}.toml", FOLDER), model.own_task())
        assert [layer.cells for layer in wired.layers] == [128, 256, 256, 512, 1024, 1024]
        sent = [side, side // 2, side // 2, side // 4, side // 8, side // 16]
        assert [layer.sent_grid for layer in wired.layers] == [(n, n) for n in sent]
        assert {layer.fields.shape[1] for layer in wired.layers} == {9}
        features = sum(
            (layer.cells or 0) * n**2 for layer, n in zip(wired.layers, model.readout.places or [], strict=True)
        )
        assert features == 32768
    model = find_model("vgg8.toml", FOLDER)
    wired = topology_on(model, Images(path="none", source="tiny-imagenet"))  # Any side will do: that of 224 takes long.
    assert [layer.cells for layer in wired.layers] == [128, 256, 512, 512, 1024, 1024, 1024, 1024]
    assert [layer.sent_grid[0] for layer in wired.layers] == [64, 32, 16, 16, 8, 4, 4, 2]
    assert model.readout.places == [layer.places for layer in model.layer]
    assert (
        sum(c * n**2 for c, n in zip((layer.cells or 0 for layer in model.layer), model.readout.places, strict=True))
        == 35840
    )


def test_models_get_the_learners_that_they_ask_for() -> None:
    kinds = {
        "digits-both": PairedLocal,
        "digits-bp-clapp": PairedEndToEnd,
        "digits-lpl": PairedLocal,
        "digits-scff": Local,
    }
    for name, kind in kinds.items():
        learner = assemble(find_model(f"{name}.toml", FOLDER), Digits(), 0)
        assert type(learner) is kind
        assert learner.trained_layers == 4
    both = assemble(find_model("digits-both.toml", FOLDER), Digits(), 0).network.layers
    assert [len(layer.dendrites) for layer in both] == [1, 1, 1, 1]
    shapes = [tuple(each.context.weights.shape) for each in both[0].each_dendrite if each.context is not None]
    assert shapes == [(1, 16 * 16, 16 * 16), (1, 16 * 16, 4 * 64)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (LOCAL + PLACES + VIEW, r"layer 1: places = 2: the layer has one score \(rule.scope = 'layer'\)"),
        (LOCAL + PLACES + LAYER + SPACE, r"layer 1: places = 2: and other layers have none"),
        (LOCAL + PLACES + SPACE.replace("view", "neighbour"), r"places = 2: only 'view' and 'view-top' bring"),
        (LOCAL + PLACES + RULE.replace("clapp", "hebb"), r"places = 2: the model has no dendrites"),
        (LOCAL + PLACES + SPACE.replace("clapp", "spectral"), r"rule 'spectral'"),
        (LOCAL + LAYER + VIEW.replace('"view"', '"view|view"'), "a context is named twice"),
        (LOCAL + LAYER + VIEW.replace('"view"', '"view|synonym"'), "other second views are not drawn in pairs"),
        (LOCAL + LAYER + VIEW.replace('"view"', '"view|label"'), "'label' and 'top' are of one view"),
        (LOCAL + LAYER + VIEW.replace("clapp", "lpl").replace('"view"', '"view|fixation"'), "has no context synapses"),
        (LOCAL + LAYER + VIEW.replace("clapp", "spectral").replace('"view"', '"view|fixation"'), "with one dendrite"),
        (LOCAL + LAYER + '[rule]\nname = "clapp"\ncontext = "view-top"', r"schedule = 'simultaneous'\)"),
        (LOCAL + LAYER + RULE.replace("clapp", "hebb") + 'scope = "layer"', "has no modulator with a score"),
        (LOCAL + LAYER + VIEW + "[network]\nsubstrate = 'spiking'", "do not support 'view'"),
        ('learner = "backprop"\n[training]\ncontext = "view"', "loss = 'labels' has none"),
        ('learner = "backprop"\n[readout]\nplaces = [1]', "readout.places"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=complaint) as caught:
        read_model(path)
    assert "\n" not in str(caught.value)


def built(tmp_path: Path, text: str, task: Digits | Hierarchy = Digits()) -> None:  # noqa: B008
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assemble(read_model(path), task, 0)


def test_what_does_not_fit_a_task_is_refused_in_one_line(tmp_path: Path) -> None:
    built(tmp_path, LOCAL + PLACES + SPACE)
    with pytest.raises(UserError, match="task 'rhm' has no random views"):
        built(tmp_path, 'learner = "local"\n[rule]\nname = "clapp"\ncontext = "view"', Hierarchy())
    with pytest.raises(UserError, match=r"layer 1: places = 9: the layer sends 8 x 8 positions"):
        built(tmp_path, LOCAL + PLACES.replace("2", "9") + SPACE)
    with pytest.raises(UserError, match=r"layer 1: padding = 3: a column would see nothing"):
        built(tmp_path, LOCAL + LAYER.replace("padding = 1", "padding = 3") + VIEW)
    with pytest.raises(UserError, match=r"readout.places = \[2, 2\]: the network has 1 layers"):
        built(tmp_path, LOCAL + LAYER + VIEW + "[readout]\nplaces = [2, 2]")
    spiking = (
        'learner = "untrained"\n[task]\nname = "digits"\n' + LAYER + '[network]\nsubstrate = "spiking"\nshared = false'
    )
    with pytest.raises(UserError, match=r"layer 1: padding: columns in Brian2"):
        built(tmp_path, spiking)


def test_contexts_can_be_changed_alone() -> None:
    model = changed(find_model("digits-both.toml", FOLDER), {"rule.context": "view-top"})
    layer = assemble(model, Digits(), 0).network.layers[0]
    assert layer.dendrites == ()
    assert layer.external_context == ("view-top",)
