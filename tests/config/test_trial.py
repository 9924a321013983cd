"""What a row says, where classes are not as many as features: what the readout may know, and what chance is."""

from typing import Any

import pytest
import torch

from cortexsim.analysis import geometry
from cortexsim.analysis.probes import code_geometry
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.config.trial import Row, Trial
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import Prepared, prepare, train_and_measure

TREE = Hierarchy(features=6, multiplicity=3, depth=3, classes=3)
TEST = 1500
MARGIN = 4 * (1 / 3 * 2 / 3 / TEST) ** 0.5  # Four standard deviations of guessing.


def prepared(samples: int = 400, **values: Any) -> tuple[Trial, Prepared]:
    values = {"network.cells": 24, **{key.replace("_", ".", 1): value for key, value in values.items()}}
    trial = Trial(changed(find_model("clapp"), values), TREE, samples, TEST, 0, 0)
    return trial, prepare(trial)


def row(trial: Trial, work: Prepared) -> Row:
    return train_and_measure(trial, work)


def test_a_row_counts_classes_and_latents_as_they_are() -> None:
    found = row(*prepared(training_epochs=10))
    assert found["chance"] == pytest.approx(1 / 3)
    assert found["accuracy"] > 1 / 3 + MARGIN
    assert found["labels"] == found["samples"] == 400
    # Latents less one: two classes at the top, features below.
    assert all(0 < count <= most for count, most in zip(found["participation"], (5, 5, 2), strict=True))
    assert all(share > floor for share, floor in zip(found["decoding"], (0.5, 0.25, 0.4), strict=True))
    assert [len(levels) for levels in found["sensitivity"]] == [3, 3, 3]


@pytest.mark.parametrize("name", ["clapp", "untrained", "backprop-plain"])
def test_what_is_learned_from_shuffled_labels_is_at_chance(name: str) -> None:
    """Whatever knew a test label would be above."""
    values: dict[str, Any] = {"network.cells": 24}
    values |= {} if name == "untrained" else {"training.epochs": 10}
    trial = Trial(changed(find_model(name), values), TREE, 400, TEST, 0, 0)
    work = prepare(trial)
    order = torch.randperm(400, generator=torch.Generator().manual_seed(1))
    work.labels = work.labels[order]
    assert row(trial, work)["accuracy"] == pytest.approx(1 / 3, abs=MARGIN + 0.02)


def test_a_readout_has_no_more_labels_than_it_is_told() -> None:
    few, everything = prepared(training_epochs=2, readout_labels=60), prepared(training_epochs=2)
    told, known = row(*few), row(*everything)
    assert (told["labels"], known["labels"]) == (60, 400)
    assert told["selectivity"] == known["selectivity"]  # The layers have seen all samples.
    assert told["accuracy"] < known["accuracy"]
    for trial, work in (few, everything):
        again = prepare(trial)
        again.labels[60:] = (again.labels[60:] + 1) % 3
        same = row(trial, again)["accuracy"] == row(trial, prepare(trial))["accuracy"]
        assert same == (work is few[1])


def test_more_labels_than_samples_are_as_many_as_there_are() -> None:
    assert row(*prepared(training_epochs=1, samples=50, readout_labels=60))["labels"] == 50


def test_columns_that_do_not_see_what_a_latent_was_written_as_are_measured_against_the_label() -> None:
    """Four columns of five leaves, one apart, are as many as the latents of the first level, and stand for none."""
    layers = [{"size": 5, "stride": 1}, {"size": "all"}]
    values = {"network.cells": 8, "layer": layers, "rule.context": "neighbour", "network.sends": "activity"}
    trial = Trial(changed(find_model("clapp"), values), TREE, 50, 400, 0, 0)
    work = prepare(trial)
    found = code_geometry(work.learner.network, work.test, 0).selectivity[0]
    code = work.learner.network.activities(torch.from_numpy(work.test.inputs))[0].numpy()
    assert found == pytest.approx(geometry.selectivity(code, work.test.labels[:, None].repeat(4, 1)))
