"""The estimate of how long a trial takes: what it grows with, and that it never stops a study."""

from pathlib import Path

import pytest

from cortexsim.config.duration import estimated_seconds
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model
from cortexsim.config.trial import Trial
from cortexsim.tasks.digits import Digits
from cortexsim.tasks.rhm import Hierarchy

SAMPLES = 10**5  # Beside which probes and readouts count for nothing.


def seconds(name: str, depth: int, samples: int = SAMPLES, **values: object) -> float:
    model = changed(find_model(name), {key.replace("_", ".", 1): value for key, value in values.items()})
    return Trial(model, Hierarchy(depth=depth), samples, 1, 0, 0).cost


@pytest.mark.parametrize(
    ("depth", "columns"),
    [(2, 2), (3, 4 + 6), (4, 8 + 12 + 14)],  # Layer by layer, each time through all below.
)
def test_spiking_columns_take_time_each(depth: int, columns: int) -> None:
    one_epoch, two_epochs = (seconds("clapp-spiking", depth, training_epochs=epochs) for epochs in (1, 2))
    of_a_column = seconds("clapp-spiking", 2, training_epochs=2) - seconds("clapp-spiking", 2, training_epochs=1)
    assert two_epochs - one_epoch == pytest.approx(of_a_column * columns / 2)


@pytest.mark.parametrize(
    ("values", "factor"),
    [({"spiking_fixation": "125 ms"}, 2), ({"spiking_dale": True, "spiking_inhibition": "relayed"}, 2)],
)
def test_spiking_columns_take_time_while_they_live(values: dict[str, object], factor: float) -> None:
    known = seconds("clapp-spiking", 3, training_epochs=10**4)
    assert seconds("clapp-spiking", 3, training_epochs=10**4, **values) == pytest.approx(factor * known, rel=1e-3)


def test_a_top_that_learns_labels_is_a_stage() -> None:
    assert seconds("clapp-label-spiking", 3, training_epochs=10) > 1.5 * seconds("clapp-spiking", 3, training_epochs=10)


@pytest.mark.parametrize("name", ["untrained", "clapp", "backprop", "dfa", "clapp-spiking"])
def test_more_samples_take_longer(name: str) -> None:
    assert 0 < seconds(name, 3, 1024) < seconds(name, 3, 2048)


def test_layers_that_do_not_fit_are_left_to_the_trial(tmp_path: Path) -> None:
    path = tmp_path / "wide.toml"
    rule, layers = '[rule]\nname = "clapp"', '[[layer]]\nsize = 9\n[[layer]]\nsize = "all"'
    path.write_text(f'learner = "local"\n{rule}\n[network]\nsubstrate = "spiking"\n{layers}\n')
    assert estimated_seconds(find_model(str(path)), Digits(), 64, 32) < 1
