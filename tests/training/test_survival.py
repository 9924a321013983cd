"""What a run promises: killed at any moment, it goes on to the same bits; and whatever fails says so in one line."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cortexsim.config.registry import find_model, read_model
from cortexsim.config.schema import Model
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.learners import EpochEnd, Event, HybridNetwork
from cortexsim.storage import atomic_io
from cortexsim.storage.checkpoint import KEPT
from cortexsim.storage.run_directory import RunFolder
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.checkpointing import Checkpointer, run_with_checkpoints
from cortexsim.training.measurement import prepare, train_and_measure
from tests.quick import slow_but
from tests.studies.test_comparison import TIMES

SPIKING = """
learner = "local"
[rule]
name = "clapp"
[network]
substrate = "spiking"
cells = 6
[spiking]
fixation = "16 ms"
blank = "4 ms"
reset_traces = false
[modulator.surprise]
delay = "20 ms"
[training]
epochs = 3
"""


class Killed(BaseException):
    """Nothing catches it: what was done until then stays as it is."""


def trial(name: str, tmp_path: Path) -> Trial:
    if name == "spiking":
        (tmp_path / "spiking.toml").write_text(SPIKING)
        return Trial(read_model(tmp_path / "spiking.toml"), Hierarchy(4, 2, 2), 8, 4, 0, 0, target="numpy")
    found = find_model(name)
    values = found.model_dump() | {"training": found.training.model_dump() | {"epochs": 3, "batch": 8}}
    model = Model.model_validate(values)
    model._name, model._path = name, found._path
    return Trial(model, Hierarchy(4, 2, 3), 40, 20, 0, 0)


def finished(folder: RunFolder, every: float = 0.0, say: Callable[[str], None] = print) -> tuple[Row, bytes, bytes]:
    """Run, and answer with what must not depend on how often it was killed: row and spikes, metrics, weights."""
    prepared = prepare(folder.trial)
    with folder.locked():
        row = run_with_checkpoints(folder, prepared, every, say)
    network = prepared.learner.network
    weights = b"".join(tensor.detach().numpy().tobytes() for tensor in network.state().values())
    if isinstance(network, HybridNetwork):
        outcome = network.segments[0].record_all(prepared.inputs[:4], 0, 1)
        weights += b"".join(events.tobytes() for events in outcome.events.values())
    row = {key: value for key, value in row.items() if key not in TIMES}
    return row, (folder.path / "metrics.jsonl").read_bytes(), weights


@pytest.mark.parametrize(
    "name", slow_but(["clapp", "clapp-sgd"], ["clapp", "backprop", "weight-mirror", "clapp-sgd", "spiking"])
)
def test_killed_at_any_file_operation_a_run_goes_on_to_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = trial(name, tmp_path)
    whole = finished(RunFolder.begin(tmp_path / "whole", asked))
    path, draw, deaths = tmp_path / "killed", random.Random(0), 0
    RunFolder.begin(path, asked)
    while True:
        left = draw.randrange(5, 20 if name == "spiking" else 60)

        def dying(number: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            os.fsync.__wrapped__(number)  # type: ignore[attr-defined]

        dying.__wrapped__ = os.fsync  # type: ignore[attr-defined]
        try:
            with monkeypatch.context() as patch:
                patch.setattr(atomic_io.os, "fsync", dying)
                outcome = finished(RunFolder(path))
            break
        except Killed:
            deaths += 1
    assert deaths > (0 if name == "spiking" else 1)
    assert outcome == whole
    assert len(list((path / "checkpoints").iterdir())) <= 2 * KEPT


def test_a_request_to_stop_in_the_last_batch_stops_before_what_follows(tmp_path: Path) -> None:
    asked = trial("clapp", tmp_path)
    whole = finished(RunFolder.begin(tmp_path / "whole", asked))
    folder = RunFolder.begin(tmp_path / "run", asked)
    prepared = prepare(asked)
    checkpointer = Checkpointer(folder, prepared.learner, 1e9, print)

    def ask(event: Event) -> None:
        checkpointer.stop.requested = isinstance(event, EpochEnd) and (event.stage, event.epoch) == (1, 2)

    with pytest.raises(KeyboardInterrupt):
        train_and_measure(asked, prepared, [ask], checkpointer)
    assert finished(RunFolder(tmp_path / "run")) == whole


def damaged_by_truncation(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def damaged_by_one_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [damaged_by_truncation, damaged_by_one_bit, Path.unlink])
@pytest.mark.parametrize("ending", ["json", "safetensors"])
def test_a_damaged_checkpoint_is_told_of_and_the_one_before_is_good(
    tmp_path: Path, damage: Callable[[Path], None], ending: str
) -> None:
    asked = trial("clapp", tmp_path)
    whole = finished(RunFolder.begin(tmp_path / "run", asked))
    newest = max((tmp_path / "run" / "checkpoints").glob(f"*.{ending}"))
    damage(newest)
    said: list[str] = []
    assert finished(RunFolder(tmp_path / "run"), say=said.append) == whole
    if not (damage is Path.unlink and ending == "json"):  # Without its manifest it is no checkpoint.
        assert len(said) == 1
        assert newest.stem in said[0]
        assert "resuming from the previous checkpoint" in said[0]


def test_where_all_checkpoints_are_damaged_a_run_begins_anew_and_keeps_its_new_ones(tmp_path: Path) -> None:
    whole = finished(RunFolder.begin(tmp_path / "run", trial("clapp", tmp_path)))
    for path in (tmp_path / "run" / "checkpoints").glob("*.safetensors"):
        damaged_by_one_bit(path)
    said: list[str] = []
    assert finished(RunFolder(tmp_path / "run"), say=said.append) == whole
    assert len(said) == KEPT + 1
    assert "training starts again" in said[-1]


def test_a_full_disk_gets_one_line_and_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = trial("clapp", tmp_path)
    whole = finished(RunFolder.begin(tmp_path / "whole", asked))
    folder, written = RunFolder.begin(tmp_path / "run", asked), 0

    def full(number: int) -> None:
        nonlocal written
        written += 1
        if written > 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(atomic_io.os, "fsync", full)
        with pytest.raises(UserError, match=r"No space left on device .* cortexsim train --resume"):
            finished(folder)
    assert not list((tmp_path / "run" / "checkpoints").glob("*.new"))
    said: list[str] = []
    assert finished(RunFolder(tmp_path / "run"), say=said.append) == whole
    assert said == []


def test_a_folder_that_cannot_be_written_to_gets_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.begin(tmp_path / "run", trial("clapp", tmp_path))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "run" / ".lock"))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(UserError, match=r"run/.lock: Read-only file system"):
        finished(folder)


def test_two_processes_cannot_work_on_one_run(tmp_path: Path) -> None:
    folder = RunFolder.begin(tmp_path / "run", trial("clapp", tmp_path))
    with (
        folder.locked(),
        pytest.raises(UserError, match=f"in use by another process, PID {os.getpid()} on .* cortexsim train --resume"),
        RunFolder(tmp_path / "run").locked(),
    ):
        pass


def test_a_run_is_not_mixed_with_another_nor_with_another_version(tmp_path: Path) -> None:
    RunFolder.begin(tmp_path / "run", trial("clapp", tmp_path))
    RunFolder.begin(tmp_path / "run", trial("clapp", tmp_path))
    with pytest.raises(UserError, match="holds another run"):
        RunFolder.begin(tmp_path / "run", trial("hebb", tmp_path))
    path = tmp_path / "run" / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"begun": "today"}))
    with pytest.raises(UserError, match=r"run\.json: damaged or edited"):
        RunFolder(tmp_path / "run")
    del record["sha256"]  # As if edited by hand.
    for change, complaint in (
        ({"versions": record["versions"] | {"cortexsim": "0.0.1"}}, r"pip install cortexsim==0.0.1"),
        ({"asked": "0"}, "has changed since"),
    ):
        path.write_text(json.dumps(record | change))
        with pytest.raises(UserError, match=complaint):
            finished(RunFolder(tmp_path / "run"))
    path.write_text(json.dumps(record | {"versions": record["versions"] | {"torch": "1.0"}}))
    assert RunFolder(tmp_path / "run").check()[0].startswith("started with torch 1.0")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trial": {"model": {"learner": "x", "name": "y"}}}', "\0"])
def test_a_folder_that_is_no_run_gets_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"run.json: No such file"):
        RunFolder(tmp_path)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UserError, match=r"run\.json: ") as told:
        RunFolder(tmp_path)
    assert "\n" not in str(told.value)


def test_a_rule_from_a_file_goes_with_the_run(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    source = Path(find_model("clapp")._path.parent.parent / "cortexsim" / "rules" / "hebb.py").read_text()
    (tmp_path / "mine" / "rule.py").write_text(source)
    (tmp_path / "mine.toml").write_text('learner = "local"\n[rule]\nname = "mine/rule.py"\n[training]\nepochs = 1\n')
    asked = Trial(read_model(tmp_path / "mine.toml"), Hierarchy(4, 2, 2), 8, 4, 0, 0)
    folder = RunFolder.begin(tmp_path / "run", asked)
    (tmp_path / "mine" / "rule.py").unlink()
    assert finished(RunFolder(folder.path))[0]["rule"] == "hebb"
    (folder.path / "rule.py").write_text(source.replace("activity_post", "drive_post"))
    with pytest.raises(UserError, match="has changed since"):
        finished(RunFolder(folder.path))


COMMAND = [sys.executable, "-m", "cortexsim", "train"]
SMALL = ["--depth", "3", "--features", "4", "--multiplicity", "2"]
RATE = [*SMALL, "--samples", "90"]
KILLS = {"clapp": RATE, "weight-mirror": RATE, "predictive-coding": RATE, "clapp-sgd": RATE, "gevb": RATE}
KILLS |= {name: [*SMALL, "--samples", "60"] for name in ("clapp-spiking", "clapp-psp", "clapp-mixed", "dfa-spiking")}
KILLS |= {"hebb-spiking": [*SMALL, "--samples", "60"]}


def results(path: Path) -> tuple[Row, bytes, dict[str, bytes]]:
    row = json.loads((path / "result.json").read_text())["rows"][0]
    weights = {name: values.tobytes() for name, values in np.load(path / "weights.npz").items()}
    return {k: v for k, v in row.items() if k not in TIMES}, (path / "metrics.jsonl").read_bytes(), weights


def epochs_of(path: Path) -> int:
    """How many epochs a run says it has done."""
    return len((path / "metrics.jsonl").read_bytes().splitlines()) if (path / "metrics.jsonl").exists() else 0


def test_ctrl_c_writes_a_checkpoint_and_says_how_to_go_on(tmp_path: Path) -> None:
    task = ["backprop", "--samples", "2000", "--depth", "4"]
    path = tmp_path / "run"
    running = subprocess.Popen(
        [*COMMAND, *task, "--out", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (path / "metrics.jsonl").exists() and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, complaint = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "with a checkpoint" in complaint
    assert "Traceback" not in complaint
    assert f"go on with: cortexsim train --resume {path}" in out
    assert len(list((path / "checkpoints").glob("*.json"))) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", KILLS)
def test_kill_9_at_random_moments_changes_nothing(name: str, seed: int, tmp_path: Path) -> None:
    """Twenty runs, rate and spiking, each killed some times; a checkpoint after every batch lets many die in one."""
    task = [name, *KILLS[name], "--seed", str(seed), "--checkpoint", "0"]
    whole, path = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*COMMAND, *task, "--out", str(whole)], check=True, capture_output=True)
    epochs, draw, deaths = epochs_of(whole), random.Random(f"{name} {seed}"), 0
    command = [*COMMAND, *task, "--out", str(path)]
    for _ in range(4):
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = epochs_of(path) + draw.randrange(epochs // 4)
        while epochs_of(path) < until and running.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.1 if until else 4))
        deaths += running.poll() is None
        running.kill()
        running.wait()
        if (path / "run.json").exists():
            command = [*COMMAND, "--resume", str(path), "--checkpoint", "0"]
    subprocess.run(command, check=True, capture_output=True)
    assert deaths
    assert results(path) == results(whole)
    (path / "report.html").unlink()  # As if killed before its last file.
    subprocess.run(command, check=True, capture_output=True)
    assert {entry.name for entry in path.iterdir()} == {entry.name for entry in whole.iterdir()}
    assert (path / "figure.svg").stat().st_size
