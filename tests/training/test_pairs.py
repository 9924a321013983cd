"""Training on pairs of views: a dry run on a made-up archive of 200 pictures, stopped and resumed."""

from pathlib import Path

import pytest
import torch

from cortexsim.config.overrides import changed
from cortexsim.config.registry import experiment_paths, find_model
from cortexsim.config.trial import Trial
from cortexsim.learners import BatchEnd, Event
from cortexsim.seeds import stream
from cortexsim.storage.run_directory import RunFolder
from cortexsim.tasks.digits import Digits
from cortexsim.tasks.images import Images
from cortexsim.training.checkpointing import run_with_checkpoints
from cortexsim.training.measurement import prepare, run, train_and_measure
from tests.studies.test_comparison import TIMES
from tests.tasks import pictures

FOLDER = experiment_paths()["images"].parent


def trial(root: Path) -> Trial:
    """The model of the paper, of fewer cells, on 160 training and 40 test pictures."""
    model = find_model("cifar10.toml", FOLDER)
    layers = [layer.model_copy(update={"cells": 4}).model_dump() for layer in model.layer]
    changes = {"layer": layers, "training.epochs": 2, "training.batch": 40, "readout.epochs": 2}
    task = Images(path=str(root), source="cifar10", scaling="standard", smallest_crop=0.25)
    return Trial(changed(model, changes), task, 160, 40, 0, 0)


def test_a_dry_run_on_a_made_up_archive_resumes_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures.cifar10(tmp_path, monkeypatch)
    asked = trial(tmp_path)
    whole = run(asked)
    assert whole["trained_layers"] == 6
    assert len(whole["decoding"]) == 6
    folder = RunFolder.begin(tmp_path / "run", asked)

    def stop(event: Event) -> None:
        if isinstance(event, BatchEnd) and event.cursor[1:] == (1, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_with_checkpoints(folder, prepare(asked), every=0, notify=str, callbacks=[stop])
    resumed = run_with_checkpoints(folder, prepare(asked), every=0, notify=str)
    for name in whole.keys() - set(TIMES):
        assert resumed[name] == whole[name], name


def test_views_are_drawn_anew_for_every_batch_and_by_the_seed() -> None:
    model = changed(find_model("digits-both.toml", FOLDER), {"training.epochs": 1})
    work = [prepare(Trial(model, Digits(), 64, 10, 0, 0)) for _ in range(2)]
    pairs = work[0].pairs
    assert pairs is not None
    chosen = torch.arange(5)
    first = pairs(chosen, stream(0, "pairs"))
    assert first.shape == (5, 2, 64, 1)
    assert torch.equal(first, pairs(chosen, stream(0, "pairs")))
    assert not torch.equal(first[:, 0], first[:, 1])
    assert not torch.equal(first, pairs(chosen, stream(1, "pairs")))
    assert prepare(Trial(find_model("digits-hebb.toml", FOLDER), Digits(), 64, 10, 0, 0)).pairs is None


@pytest.mark.parametrize("name", ["no-space", "bp-infonce", "infonce", "lpl", "vicreg", "barlow", "scff"])
def test_other_rules_and_losses_change_every_layer(name: str) -> None:
    changes = {"training.epochs": 1, "readout.epochs": 1, "training.samples": 96}
    asked = Trial(changed(find_model(f"digits-{name}.toml", FOLDER), changes), Digits(), 96, 50, 0, 0)
    work = prepare(asked)
    before = {key: tensor.detach().clone() for key, tensor in work.learner.network.state().items()}
    row = train_and_measure(asked, work)
    assert not row["diverged"]
    after = work.learner.network.state()
    for layer in range(1, 5):
        assert not torch.equal(after[f"layer{layer}.feedforward"], before[f"layer{layer}.feedforward"])
