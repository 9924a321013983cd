"""Networks whose layers stand on different substrates, on the slow target, which needs no compiler."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cortexsim.config.building import assemble, budget
from cortexsim.config.registry import read_model
from cortexsim.config.trial import Trial
from cortexsim.learners import Budget, HybridNetwork, train
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import prepare

TEXT = """
learner = "local"
[rule]
name = "clapp"
{rule}
[network]
substrate = {substrate}
cells = 3
shared = false
[spiking]
encoding = "regular"
centred = false
[training]
epochs = 1
"""
WARM = "epochs = 3\nwarm_up = 0.25\n"


MIXTURES = [
    ("", '["brian-rate", "spiking", "rate"]', Hierarchy(4, 2, 3)),
    ("", '["rate", "spiking"]', Hierarchy(4, 2, 3)),
    ("", '"spiking"', Hierarchy(4, 2, 2, 3)),
    ('top = "label"', '"spiking"', Hierarchy(4, 2, 2)),
    ('schedule = "simultaneous"', '"spiking"', Hierarchy(4, 2, 3)),
    ("", '"spiking"\nsends = "prediction"', Hierarchy(4, 2, 3)),
]


@pytest.mark.parametrize(
    ("rule", "substrate", "hierarchy"),
    [MIXTURES[0], *(pytest.param(*mixture, marks=pytest.mark.slow) for mixture in MIXTURES[1:])],
    ids=[
        "three substrates",
        "spiking above rate",
        "tuples of three",
        "label on top",
        "all at once",
        "predictions sent",
    ],
)
def test_every_mixture_learns_from_below_and_is_evaluated_without_a_trace(
    tmp_path: Path, rule: str, substrate: str, hierarchy: Hierarchy
) -> None:
    (tmp_path / "mine.toml").write_text(TEXT.format(rule=rule, substrate=substrate))
    model = read_model(tmp_path / "mine.toml")
    prepared = prepare(Trial(model, hierarchy, 12, 4, 0, 0, target="numpy"))
    learner, network = prepared.learner, prepared.learner.network
    assert isinstance(network, HybridNetwork)
    before = [layer.feedforward.weights.clone() for layer in network.layers]
    train(learner, prepared.inputs, prepared.labels, Budget(epochs=1, batch=4), 0)
    changed = [
        not torch.equal(old, layer.feedforward.weights) for old, layer in zip(before, network.layers, strict=True)
    ]
    assert changed == [k < learner.trained_layers for k in range(hierarchy.depth)]

    state = {name: tensor.clone() for name, tensor in network.state().items()}
    whole = network.activities(prepared.inputs)
    parts = [network.activities(part) for part in prepared.inputs.split(5)]
    for layer, code in enumerate(whole):
        torch.testing.assert_close(code, torch.cat([part[layer] for part in parts]), rtol=1e-5, atol=1e-6)
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state().items())


def test_each_epoch_has_new_spikes_and_a_lower_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text(TEXT.format(rule="", substrate='"spiking"').replace("epochs = 1\n", WARM))
    model = read_model(tmp_path / "mine.toml")
    prepared = prepare(Trial(model, Hierarchy(4, 2, 3), 6, 4, 0, 0, target="numpy"))
    shown: list[tuple[int, np.ndarray, np.ndarray, int]] = []
    monkeypatch.setattr(
        "cortexsim.learners.segment.Segment.learn",
        lambda self, stage, below, labels, factor, number, seed, views: shown.append((stage, factor, number, seed)),
    )
    train(prepared.learner, prepared.inputs, prepared.labels, budget(model), 0)
    assert [stage for stage, *_ in shown] == [0, 0, 0, 1, 1, 1]
    assert len({seed for *_, seed in shown}) == 2  # Spikes follow from seed and number of a fixation.
    for stage in (0, 1):
        _, factors, numbers, _ = zip(*(epoch for epoch in shown if epoch[0] == stage), strict=True)
        assert np.array_equal(np.concatenate(numbers), np.arange(18))
        place = np.arange(18) / 18
        np.testing.assert_allclose(np.concatenate(factors), np.minimum(1, place / 0.25) * (1 - place))


def test_a_spiking_network_begins_with_the_weights_of_its_rate_twin(tmp_path: Path) -> None:
    networks = []
    for substrate in ('"spiking"', '"rate"'):
        text = TEXT.format(rule="", substrate=substrate)
        (tmp_path / "mine.toml").write_text(
            text if "spiking" in substrate else text.replace('[spiking]\nencoding = "regular"\ncentred = false\n', "")
        )
        networks.append(
            assemble(read_model(tmp_path / "mine.toml"), Hierarchy(4, 2, 2), seed=3, target="numpy").network
        )
    for spiking, rate in zip(*(network.layers for network in networks), strict=True):
        assert torch.equal(spiking.feedforward.weights, rate.feedforward.weights)
    segment = networks[0].segments[0]
    laid_out = segment.state(segment.last_stack)["feedforward1.w"]
    assert np.array_equal(np.sort(laid_out), np.sort(networks[1].layers[0].feedforward.weights.numpy().ravel()))
