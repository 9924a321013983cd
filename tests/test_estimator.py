"""A learner as scikit-learn knows estimators: its own checks, a pipeline, and the learner behind it all."""

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from cortexsim.config.building import assemble, budget
from cortexsim.config.overrides import changed
from cortexsim.config.registry import find_model, model_paths
from cortexsim.errors import UserError
from cortexsim.estimator import Encoder
from cortexsim.learners import train
from cortexsim.rate import to_tensor
from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Grammar, Hierarchy, split
from tests.quick import slow_but

QUICK = {"training.epochs": 2}


def quick(model: str) -> dict[str, int]:
    return {} if model == "untrained" else QUICK  # Which has no epochs.


NOT_APPLICABLE = {"check_array_api_input": "arrays are NumPy's; torch is behind them, not before"}


RATE = [name for name in sorted(model_paths()) if not find_model(name).in_brian]


@pytest.mark.parametrize("model", slow_but(["backprop", "clapp", "dfa", "untrained"], RATE))
def test_scikit_learn_checks_it(model: str) -> None:
    results = check_estimator(Encoder(model, settings=quick(model)), on_skip=None, on_fail="raise")
    assert {entry["check_name"] for entry in results if entry["status"] != "passed"} == set(NOT_APPLICABLE)
    assert len(results) > 40


def task() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    grammar = Grammar.draw(Hierarchy(features=6, multiplicity=3, depth=2), stream(0, "grammar"))
    known, test = split(grammar, 130, 30, stream(0, "data"))
    flat = [samples.one_hot().reshape(len(samples.labels), -1) for samples in (known, test)]
    return flat[0], known.labels, flat[1], test.labels


@pytest.mark.parametrize("model", RATE)
def test_what_has_been_learned_can_be_kept_and_learned_on(model: str) -> None:
    X, y, _, _ = task()
    encoder = Encoder(model, settings=quick(model), random_state=0).fit(X, y)
    kept, code = pickle.loads(pickle.dumps(encoder)), encoder.transform(X)
    assert np.array_equal(kept.transform(X), code)
    np.testing.assert_allclose(np.concatenate([encoder.transform(part) for part in np.array_split(X, 3)]), code)
    assert np.array_equal(kept.partial_fit(X, y).transform(X), encoder.partial_fit(X, y).transform(X))
    assert np.array_equal(kept.transform(X), code) == (model == "untrained")


def test_it_stands_in_a_pipeline_and_in_a_search() -> None:
    grammar = Grammar.draw(Hierarchy(depth=3), stream(0, "grammar"))
    known, test = split(grammar, 4096, 1000, stream(0, "data"))
    rows = [samples.one_hot().reshape(len(samples.labels), -1) for samples in (known, test)]
    found = {}
    for model in ("clapp", "untrained"):
        settings = {"training.epochs": 20} if model == "clapp" else {}
        encoder = Encoder(model, depth=3, settings=settings, random_state=0)
        pipeline = make_pipeline(encoder, LogisticRegression(max_iter=500))
        found[model] = pipeline.fit(rows[0], known.labels).score(rows[1], test.labels)
    assert found["clapp"] > 0.6
    assert found["untrained"] < 0.5
    X, y, _, _ = task()
    search = GridSearchCV(
        make_pipeline(Encoder(settings=QUICK, random_state=0), LogisticRegression(max_iter=2000)),
        {"encoder__model": ["clapp", "hebb"]}, cv=2, error_score="raise",
    )  # fmt: skip
    assert set(search.fit(X, y).best_params_) == {"encoder__model"}


def test_it_is_the_learner_trained_by_the_same_loop() -> None:
    X, _, _, _ = task()
    encoder = Encoder("clapp", settings=QUICK, random_state=4, layer=1).fit(X)
    model, seed = changed(find_model("clapp"), QUICK), int(np.random.RandomState(4).randint(2**31 - 1))
    learner = assemble(model, Hierarchy(6, 1, 2, 2, 2), seed)
    leaves = to_tensor(X.reshape(len(X), 4, 6), learner.network.output)
    train(learner, leaves, leaves[:, 0, 0].long(), budget(model), seed)
    expected = learner.network.activities(leaves)[1].flatten(1).numpy()
    np.testing.assert_allclose(encoder.transform(X), expected, rtol=1e-4, atol=1e-5)
    assert np.array_equal(clone(encoder).fit(X).transform(X), encoder.transform(X))


@pytest.mark.parametrize("model", ["clapp", "backprop"])
def test_more_can_be_learned_bit_by_bit(model: str) -> None:
    X, y, _, _ = task()
    encoder = Encoder(model, random_state=0, settings={"training.batch": 16})
    for part in np.array_split(np.arange(len(X)), 3):
        before = encoder.transform(X) if hasattr(encoder, "learner_") else None
        encoder.partial_fit(X[part], y[part], classes=np.unique(y))
        assert before is None or not np.array_equal(before, encoder.transform(X))
    assert 0 <= encoder.score(X, y) <= 1


def test_a_score_does_not_depend_on_how_samples_are_listed() -> None:
    X, y, _, _ = task()
    encoder = Encoder("clapp", random_state=0, settings={"training.epochs": 2, "readout.epochs": 20}).fit(X)
    alternating = np.stack([np.flatnonzero(y == 0)[:20], np.flatnonzero(y == 1)[:20]], 1).ravel()
    assert encoder.score(X[alternating], y[alternating]) > 0.5  # It is 0 where each half has one class.
    with pytest.raises(ValueError, match="X has 1 sample"):
        encoder.score(X[:1], y[:1])


def test_a_taught_learner_is_scored_by_its_own_answer() -> None:
    X, y, _, _ = task()
    encoder = Encoder("backprop", random_state=0).fit(X, y + 10)
    assert encoder.score(X, y + 10) > 0.95
    assert list(encoder.classes_) == [10, 11, 12, 13, 14, 15]


def test_what_is_wrong_is_said_in_one_line() -> None:
    X, y, _, _ = task()
    with pytest.raises(UserError, match="did you mean 'clapp'"):
        Encoder("clap").fit(X)
    with pytest.raises(UserError, match=r"unknown key 'training.epoch' \(did you mean 'epochs'\?\)"):
        Encoder(settings={"training.epoch": 1}).fit(X)
    for context in ("synonym", "sibling+synonym"):
        with pytest.raises(UserError, match=r"^clapp: rule.context = '.*synonym': task 'X' has no second view"):
            Encoder(settings={"rule.context": context}).fit(X)
    with pytest.raises(ValueError, match=r"layer = 7: not a layer of the model \(0 to 1, or -1\)"):
        Encoder(layer=7, settings=QUICK).fit(X)
    with pytest.raises(ValueError, match="was not among the classes"):
        Encoder("backprop").partial_fit(X, y % 2).partial_fit(X, y)


FORKED = """
import multiprocessing, warnings
import numpy, torch
from cortexsim.estimator import Encoder

warnings.simplefilter("ignore")
torch.set_num_threads(4)
X = numpy.random.default_rng(0).uniform(size=(64, 32))
def code(_):
    return Encoder("clapp", settings={"training.epochs": 1}, random_state=0).fit(X).transform(X)
here = code(0)
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(numpy.array_equal(pool.map_async(code, [0]).get(60)[0], here))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_a_fit_a_forked_process_can_fit_too() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


@pytest.mark.parametrize("factor", [10.0, -1.0])
def test_what_spikes_cannot_carry_is_refused(factor: float) -> None:
    X = task()[0]
    settings = {"training.epochs": 1, "spiking.fixation": "10 ms", "network.cells": 4}
    encoder = Encoder("hebb-spiking", settings=settings, target="numpy", random_state=0)
    refused = r"X ranges from .* and input spikes can encode values from 0 to 1.67, .*scale X"
    with pytest.raises(ValueError, match=refused):
        encoder.fit(factor * X[:8])
    encoder.fit(1.6 * X[:8])
    with pytest.raises(ValueError, match=refused):
        encoder.transform(factor * X[:2])
    with pytest.raises(ValueError, match=refused):
        encoder.partial_fit(factor * X[:8])
    assert encoder.transform(X[:2]).max() > 0


def test_rates_that_spikes_cannot_carry_are_told() -> None:
    X = task()[0]
    settings = {"training.epochs": 1, "spiking.fixation": "10 ms", "network.cells": 4}
    settings |= {"network.substrate": ["rate", "spiking"]}
    encoder = Encoder("clapp-mixed", layer=1, settings=settings, target="numpy", random_state=0).fit(X[:4])
    assert encoder.transform(X[:4]).shape == (4, 4)
    encoder.learner_.network.layers[0].feedforward.weights.mul_(100)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        encoder.transform(X[:4])
    assert any("of the activity below spiking layers is clipped" in str(entry.message) for entry in said)


def test_a_layer_that_is_pooled_names_as_many_columns_as_it_sends() -> None:
    pooled = {"layer": [{"size": 1, "pool": 2}, {"size": "all"}], "rule.context": "neighbour", "network.cells": 4}
    X = np.random.default_rng(0).random((20, 8))
    encoder = Encoder(depth=3, settings={**pooled, "training.epochs": 1}, random_state=0).fit(X)
    assert encoder.transform(X).shape == (20, len(encoder.get_feature_names_out())) == (20, 4 * 4)
