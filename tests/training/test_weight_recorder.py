"""Weights over time: what is recorded is what a run that stops there has, and recording changes nothing."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
from rich.filesize import decimal
from safetensors.numpy import load_file
from torch import Tensor

import cortexsim
from cortexsim.config.building import budget
from cortexsim.config.registry import read_model
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.learners import BatchEnd, Cursor, Event, Segment, events, train
from cortexsim.storage import atomic_io, weight_file
from cortexsim.storage.run_directory import RunFolder
from cortexsim.storage.weight_file import FILE, WeightSampling
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training import weight_recorder
from cortexsim.training.checkpointing import run_with_checkpoints
from cortexsim.training.measurement import prepare
from cortexsim.training.weight_recorder import FixationCount
from tests.training.test_survival import SPIKING, Killed, finished, trial

ALL = WeightSampling(every=9, synapses=None)
FEW = WeightSampling(every=3, synapses=5)
SPIKES = WeightSampling(every=4, synapses=None)


def spiking(tmp_path: Path) -> Trial:
    """A trial of a network that is small enough for the interpreted target."""
    text = SPIKING
    for old, new in (("cells = 6", "cells = 3"), ("epochs = 3", "epochs = 2"), ("16 ms", "8 ms"), ("20 ms", "12 ms")):
        text = text.replace(old, new)
    (tmp_path / "spiking.toml").write_text(text)
    return Trial(read_model(tmp_path / "spiking.toml"), Hierarchy(4, 2, 2), 6, 4, 0, 0, target="numpy")


def recorded(path: Path, asked: Trial, sampling: WeightSampling) -> RunFolder:
    folder = RunFolder.begin(path, asked, sampling)
    run_with_checkpoints(folder, prepare(folder.trial), 1e9, lambda line: None)
    return folder


@pytest.fixture(scope="module")
def spiking_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    path = tmp_path_factory.mktemp("spiking")
    return recorded(path / "run", spiking(path), SPIKES)


@pytest.mark.parametrize("name", ["clapp", "backprop", "weight-mirror"])
def test_recording_changes_no_bit_of_a_run(name: str, tmp_path: Path) -> None:
    asked = trial(name, tmp_path)
    whole = finished(RunFolder.begin(tmp_path / "whole", asked), every=1e9)
    folder = RunFolder.begin(tmp_path / "recorded", asked, FEW)
    assert finished(folder, every=1e9) == whole
    assert folder.trial.key == RunFolder(tmp_path / "whole").trial.key
    assert folder.weights_over_time is not None


@pytest.mark.parametrize(("name", "begun"), [("clapp", [0, 16, 24, 32, 40]), ("backprop", [0, 16, 32, 48, 64])])
def test_weights_are_those_of_a_run_that_stops_there(name: str, begun: list[int], tmp_path: Path) -> None:
    asked = trial(name, tmp_path)
    found = recorded(tmp_path / "run", asked, ALL).weights_over_time
    assert found is not None
    prepared = prepare(asked)
    learner, seen = prepared.learner, []

    def compare(time: int) -> None:
        (row,) = np.flatnonzero(found.fixations == time)
        state = learner.network.state()
        for key, synapses in found.items():
            assert np.array_equal(synapses.weights[row], state[key].detach().numpy().ravel()[synapses.place]), key
        seen.append(time)

    compare(0)
    count = FixationCount(learner, asked.samples, budget(asked.model))
    for event in events(learner, prepared.inputs, prepared.labels, budget(asked.model), asked.seed):
        if isinstance(event, BatchEnd) and count.at(event.cursor) in found.fixations:
            compare(count.at(event.cursor))
    assert seen == found.fixations.tolist()
    assert (seen[:5], seen[-1]) == (begun, count.at(Cursor(learner.stages)))
    changed = [not np.array_equal(each.weights[0], each.weights[-1]) for each in found.values()]
    assert all(changed)


def test_weights_between_two_fixations_are_those_of_a_run_that_stops_there(
    spiking_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, found = spiking_run.trial, spiking_run.weights_over_time
    assert found is not None
    assert found.fixations.tolist() == [0, 4, 8, 12]
    whole = Segment.learn
    for row, time in enumerate(found.fixations[:3]):
        prepared, left = prepare(asked), int(time)

        def learn(self: Segment, stage: int, below: Tensor, labels: Tensor, eta, number, *others) -> None:  # type: ignore[no-untyped-def]
            nonlocal left
            some = slice(min(left, len(below)))
            left -= len(below[some])
            if len(below[some]):
                whole(self, stage, below[some], labels[some], eta[some], number[some], *others)

        with monkeypatch.context() as patch:
            patch.setattr(Segment, "learn", learn)
            train(prepared.learner, prepared.inputs, prepared.labels, budget(asked.model), asked.seed)
        state = prepared.learner.network.state()
        for key, synapses in found.items():
            assert np.array_equal(synapses.weights[row], state[key].numpy().ravel()[synapses.place]), (key, time)


def test_killed_at_any_file_operation_a_run_records_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, draw, deaths = trial("clapp", tmp_path), random.Random(0), 0
    whole = recorded(tmp_path / "whole", asked, FEW).path / FILE
    path = tmp_path / "killed"
    RunFolder.begin(path, asked, FEW)
    left = 0

    def dying(number: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        os.fsync.__wrapped__(number)  # type: ignore[attr-defined]

    dying.__wrapped__ = os.fsync  # type: ignore[attr-defined]
    while True:
        left = draw.randrange(1, 90)
        try:
            with monkeypatch.context() as patch:
                patch.setattr(atomic_io.os, "fsync", dying)
                finished(RunFolder(path), say=lambda line: None)
            break
        except Killed:
            deaths += 1
    assert deaths > 1
    assert (path / FILE).read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_spiking_layers_that_were_interrupted_record_the_same_file_and_learn_the_same(
    spiking_run: RunFolder, tmp_path: Path
) -> None:
    asked = spiking_run.trial
    whole, path = finished(RunFolder.begin(tmp_path / "whole", asked)), tmp_path / "interrupted"
    folder = RunFolder.begin(path, asked, SPIKES)

    def interrupt(event: Event) -> None:
        if event == BatchEnd(Cursor(0, 1, 1)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_with_checkpoints(folder, prepare(asked), 0.0, lambda line: None, [interrupt])
    begun = folder.weights_over_time
    assert begun is not None
    assert begun.fixations.tolist() == [0, 4, 8]
    assert finished(RunFolder(path)) == whole
    assert (path / FILE).read_bytes() == (spiking_run.path / FILE).read_bytes()


def test_the_file_is_one_that_other_programs_read_and_as_large_as_was_said(tmp_path: Path) -> None:
    said: list[str] = []
    folder = RunFolder.begin(tmp_path / "run", trial("clapp", tmp_path), FEW)
    run_with_checkpoints(folder, prepare(folder.trial), 1e9, said.append)
    arrays, found = load_file(folder.path / FILE), folder.weights_over_time
    assert found is not None
    assert np.array_equal(arrays["layer1.context"], found["layer1.context"].weights)
    assert np.array_equal(arrays["layer2.feedforward.pre"], found["layer2.feedforward"].pre)
    size = (folder.path / FILE).stat().st_size
    assert said == [f"Weights of 20 synapses at 31 times: {decimal(size)} in {FILE}"]


def test_a_seed_draws_the_same_synapses_and_another_seed_others(tmp_path: Path) -> None:
    network = prepare(trial("clapp", tmp_path)).learner.network
    drawn = [weight_recorder.choose_synapses(network, 2, 5, seed) for seed in (0, 0, 1)]
    places = [[ends.place.tolist() for ends, _ in each.values()] for each in drawn]
    assert places[0] == places[1] != places[2]
    assert len({tuple(place) for place in places[0]}) == len(places[0])


def test_times_of_stages_with_batches_and_without() -> None:
    class Mixed:
        stages, streaming_stages = 2, frozenset({1})

    count = FixationCount(Mixed(), 10, cortexsim.learners.Budget(epochs=2, batch=4))  # type: ignore[arg-type]
    assert count.times(5).tolist() == [0, 8, 12, 16, 20, 25, 30, 35, 36]
    assert count.times(1000).tolist() == [0, 36]
    assert [count.at(Cursor(0, 1, 1)), count.at(Cursor(1, 1, 0)), count.at(Cursor(2))] == [12, 26, 36]


def test_damage_is_told_of_in_one_line_and_never_shown_as_weights(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run", trial("clapp", tmp_path), FEW)
    whole = (folder.path / FILE).read_bytes()
    draw = random.Random(0)
    for number in range(40):
        data = bytearray(whole)
        if number % 2:
            del data[draw.randrange(len(data)) :]
        else:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (folder.path / FILE).write_bytes(data)
        with pytest.raises(UserError, match=FILE) as told:
            weight_file.read_weights_over_time(folder.path / FILE, folder.record["asked"], finished=True)
        assert "\n" not in str(told.value)
        with pytest.raises(UserError, match="damaged or missing"):
            run_with_checkpoints(folder, prepare(folder.trial), 1e9, lambda line: None)
    (folder.path / FILE).write_bytes(whole.replace(b'"dtype":"F32"', b'"dtype":"I32"'))
    with pytest.raises(UserError, match=f"{FILE}: damaged"):
        _ = folder.weights_over_time
    (folder.path / FILE).unlink()
    assert folder.weights_over_time is None  # The run is not finished.
    with pytest.raises(UserError, match=f"{FILE}: No such file"):
        weight_file.read_weights_over_time(folder.path / FILE, folder.record["asked"], finished=True)
    for path in folder.checkpoints.folder.iterdir():
        path.unlink()
    run_with_checkpoints(folder, prepare(folder.trial), 1e9, lambda line: None)
    assert (folder.path / FILE).read_bytes() == whole


def test_a_folder_keeps_to_its_synapses_and_a_file_needs_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = trial("clapp", tmp_path)
    folder = RunFolder.begin(tmp_path / "run", asked, FEW)
    assert RunFolder.begin(tmp_path / "run", asked).sampling == FEW
    with pytest.raises(UserError, match=r"--record weights: the run in .* records other weights"):
        RunFolder.begin(tmp_path / "run", asked, ALL)
    monkeypatch.setattr(weight_recorder.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100}))
    with pytest.raises(UserError, match=r"would take 4\.9 kB, and 100 bytes are free"):
        run_with_checkpoints(folder, prepare(folder.trial), 1e9, lambda line: None)
