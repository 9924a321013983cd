"""What records promise: damaged or edited ones are told of in one line, and take down nothing but themselves."""

import hashlib
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from rich.console import Console

from cortexsim import cli
from cortexsim.errors import UserError
from cortexsim.learners import EpochEnd, Event, load_exactly
from cortexsim.report import run_pages
from cortexsim.storage.ledger import Ledger
from cortexsim.storage.records import DIGEST, digest
from cortexsim.storage.run_directory import RunFolder
from cortexsim.studies import single_run
from cortexsim.studies.single_run import train_one
from cortexsim.training.checkpointing import run_with_checkpoints
from cortexsim.training.measurement import prepare
from tests.studies.test_comparison import TIMES
from tests.training.test_survival import Killed, trial

Captured = pytest.CaptureFixture[str]
RECORDS = ("run.json", "result.json", "metrics.jsonl")


class Drawn:
    """Stands for a figure, and holds what would be drawn."""

    def __init__(self, *shown: Any) -> None:
        self.shown = shown

    def savefig(self, file: Any, format: str) -> None:
        file.write(f"<svg>{json.dumps(self.shown)}</svg>")


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Leave out what takes seconds and has nothing to do with records: readouts of every layer, and a figure's ink."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(single_run, "layer_accuracy", lambda *_: 0.5)
        patch.setattr(run_pages.history, "runs", Drawn)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, and one that was killed in its last epoch."""
    path = tmp_path_factory.mktemp("runs")
    finished = RunFolder.begin(path / "finished", trial("weight-mirror", path))
    train_one(finished, Console(quiet=True), 0.0)

    def dying(event: Event) -> None:
        if isinstance(event, EpochEnd) and event.epoch == 1:
            raise Killed

    unfinished = RunFolder.begin(path / "unfinished", trial("weight-mirror", path))
    with pytest.raises(Killed):
        run_with_checkpoints(unfinished, prepare(unfinished.trial), 0.0, callbacks=[dying])
    return path


def ran(monkeypatch: pytest.MonkeyPatch, capsys: Captured, *words: object) -> tuple[int, list[str]]:
    """Run a command line: its exit code, and all that it said; what it complains of is one line."""
    monkeypatch.setattr(sys, "argv", ["cortexsim", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr()
    code = int(stopped.value.code or 0)
    assert code in (0, 2), said
    assert said.err.count("\n") == (code == 2), said.err
    return code, [line.rstrip() for line in (said.out + said.err).splitlines()]


def weights(path: Path) -> dict[str, bytes]:
    return {name: values.tobytes() for name, values in np.load(path / "weights.npz").items()}


def outcome(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    row = json.loads((path / "result.json").read_text())["rows"][0]
    return {key: value for key, value in row.items() if key not in TIMES}, weights(path)


def damaged(path: Path, number: int) -> tuple[str, Path]:
    """Damage one file of two runs, or swap two; answer with how, and which."""
    draw = random.Random(number)
    files = [file for run in sorted(path.iterdir()) for file in sorted(run.rglob("*"))
             if file.name in RECORDS or file.parent.name == "checkpoints"]  # fmt: skip
    file, other = draw.sample(files, 2)
    data = bytearray(file.read_bytes())
    kind = ("flipped", "truncated", "emptied", "removed", "swapped")[number % 5]
    if kind == "flipped":
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    if kind == "truncated":
        del data[draw.randrange(1, len(data)) :]
    if kind == "emptied":
        data.clear()
    if kind == "swapped":
        data[:], _ = other.read_bytes(), other.write_bytes(bytes(data))
    file.write_bytes(bytes(data))
    if kind == "removed":
        file.unlink()
    return kind, file


def named(line: str) -> str:
    """Name of the run that a line of a table is about."""
    return Path((line.split() or [""])[0]).name


def check(number: int, whole: Path, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> str:
    """Damage, list, report, go on: each gives the same as without the damage, or one line that says what is wrong."""
    monkeypatch.chdir(path)
    shutil.copytree(whole, "runs", ignore=shutil.ignore_patterns(".lock"))
    listed, shown = ran(monkeypatch, capsys, "runs")[1], ran(monkeypatch, capsys, "report", "runs")[1]
    page = Path("report.html").read_text()
    kind, file = damaged(Path("runs"), number)
    gone = kind == "removed" and file.name == "result.json"  # The run is unfinished then, as it says.
    about = f"{number}: {kind} {file}"
    _, now = ran(monkeypatch, capsys, "runs")
    complaints = [line for line in now if line.startswith("runs/")]
    assert now == listed or complaints or gone, (about, now)
    whole_rows = {
        name for name in ("finished", "unfinished") if not any(f"runs/{name}/" in line for line in complaints)
    }
    assert kind == "swapped" or len(whole_rows) >= 1, (about, now)
    assert all(any(named(line) == name for line in now) for name in whole_rows), (about, now)
    code, now = ran(monkeypatch, capsys, "report", "runs")
    complaints = [line for line in now if "runs/" in line]
    assert code == 2 or complaints or gone or (now, Path("report.html").read_text()) == (shown, page), (about, now)
    for name in ("finished", "unfinished") if kind == "swapped" else [file.parts[1]]:
        code, now = ran(monkeypatch, capsys, "train", "--resume", f"runs/{name}")
        assert code == 2 or outcome(Path("runs") / name) == outcome(whole / "finished"), (about, now)
    return about


@pytest.mark.parametrize("ten", range(4))
@pytest.mark.slow
def test_what_is_damaged_is_told_of_and_changes_no_result(
    ten: int, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    for number in range(10 * ten, 10 * ten + 10):
        (tmp_path / str(number)).mkdir()
        check(number, whole, tmp_path / str(number), monkeypatch, capsys)


@pytest.mark.exhaustive
@pytest.mark.parametrize("ten", range(4, 34))
def test_whatever_is_damaged_is_told_of_and_changes_no_result(
    ten: int, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    for number in range(10 * ten, 10 * ten + 10):
        (tmp_path / str(number)).mkdir()
        check(number, whole, tmp_path / str(number), monkeypatch, capsys)


def forged(manifest: Path, change: Callable[[dict[str, Any], dict[str, torch.Tensor]], Any]) -> None:
    """Change what a checkpoint holds, and make its checksums right again."""
    body = json.loads(manifest.read_text())
    del body[DIGEST]
    tensors = safetensors.torch.load_file(manifest.with_suffix(".safetensors"))
    data = change(body, tensors)
    data = data if isinstance(data, bytes) else safetensors.torch.save(tensors)
    body["tensors"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest.with_suffix(".safetensors").write_bytes(data)
    manifest.write_text(json.dumps({**body, DIGEST: digest(body)}))


def weight(tensors: dict[str, torch.Tensor], ending: str = "feedforward") -> str:
    return next(name for name in sorted(tensors) if name.endswith(ending))


FORGERIES: dict[str, Callable[[dict[str, Any], dict[str, torch.Tensor]], Any]] = {
    "one element, which would be broadcast": lambda body, t: t.update({weight(t): torch.zeros(1)}),
    "whole numbers, which would be cast": lambda body, t: t.update({weight(t): t[weight(t)].long()}),
    "double precision": lambda body, t: t.update({weight(t): t[weight(t)].double()}),
    "another shape": lambda body, t: t.update({weight(t): t[weight(t)][..., :1].contiguous()}),
    "a tensor lost": lambda body, t: t.pop(weight(t)),
    "a tensor more": lambda body, t: t.update({"more": torch.zeros(3)}),
    "moments of another shape": lambda body, t: t.update({weight(t, "exp_avg"): torch.zeros(1)}),
    "moments of nothing": lambda body, t: t.update({"optimizer.nothing.exp_avg": torch.zeros(1)}),
    "steps that are many": lambda body, t: t.update({weight(t, "step"): torch.zeros(2)}),
    "magnitudes of another shape": lambda body, t: t.update({"magnitudes0": torch.zeros(1)}),
    "no tensors at all": lambda body, t: b"garbage",
    "a long header": lambda body, t: b"\xff" * 64,
    "a batch beyond the epoch": lambda body, t: body["cursor"].update(batch=6),
    "a batch that is no number": lambda body, t: body["cursor"].update(batch="1"),
    "a stage too many": lambda body, t: body["cursor"].update(stage=7),
    "no cursor": lambda body, t: body.pop("cursor"),
    "plain values that are none": lambda body, t: body.update(plain=[]),
    "a flag that is a word": lambda body, t: body["plain"].update({"layer1.has_input": "yes"}),
    "a flag lost": lambda body, t: body["plain"].pop("layer1.has_input"),
    "a stream of another kind": lambda body, t: body["plain"]["stream.noise"].update(bit_generator="MT19937"),
    "a stream of words": lambda body, t: body["plain"].update({"stream.noise": "x"}),
    "a stream without a state": lambda body, t: body["plain"]["stream.noise"].pop("state"),
    "seconds before the beginning": lambda body, t: body.update(seconds=-1.0),
    "nothing followed": lambda body, t: body.update(followed=None),
    "another epoch followed": lambda body, t: body["followed"]["epoch"].append(9),
    "a format to come": lambda body, t: body.update(format=9),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_checkpoint_is_never_loaded(
    what: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    shutil.copytree(whole / "unfinished", tmp_path / "run")
    manifest = max((tmp_path / "run" / "checkpoints").glob("*.json"))
    if "batch beyond" in what:  # Its name has to fit.
        forged(manifest, FORGERIES[what])
        for path in (manifest, manifest.with_suffix(".safetensors")):
            manifest = path.rename(path.with_stem("000000-000001-000006"))
    elif "stage too" in what:
        forged(manifest, FORGERIES[what])
        for path in (manifest, manifest.with_suffix(".safetensors")):
            path.rename(path.with_stem(path.stem.replace("000000-", "000007-", 1)))
    else:
        forged(manifest, FORGERIES[what])
    code, said = ran(monkeypatch, capsys, "train", "--resume", tmp_path / "run")
    assert code == 2, said
    assert "/checkpoints/0000" in said[-1]


@pytest.mark.parametrize("values", [{"shown": [1.5]}, {"shown": "x"}, {"segment1.more": 0}, {"lost": 1}])
def test_a_forged_state_of_spiking_layers_is_never_loaded(values: dict[str, Any], tmp_path: Path) -> None:
    prepared = prepare(trial("spiking", tmp_path))
    state = prepared.learner.state()
    load_exactly(prepared.learner, state)
    with pytest.raises(UserError, match="does not fit"):
        load_exactly(prepared.learner, state | values)
    stack = prepared.learner.network.segments[0].stack(0).initial_state()
    name = next(iter(stack))
    good = {f"segment1.{name}": torch.from_numpy(stack[name])}
    load_exactly(prepared.learner, state | good)
    for bad in (torch.zeros(1, dtype=torch.float64), torch.from_numpy(stack[name]).float()):
        with pytest.raises(UserError, match="does not fit"):
            load_exactly(prepared.learner, state | {f"segment1.{name}": bad})


EDITED: dict[str, list[tuple[str, Any]]] = {
    "run.json": [
        ("trial", {}), ("trial.samples", "40"), ("trial.samples", 0), ("trial.seed", -1), ("trial.model", "clapp"),
        ("trial.model.name", 3), ("trial.model.learner", "none"), ("trial.task.depth", 2.5), ("asked", 3),
        ("trial.task.multiplicity", 99), ("trial.more", 1), ("versions", None), ("versions.torch", None),
        ("trial.target", "x"), ("begun", 3), ("trial.model.training.epochs", "x"),
    ],
    "result.json": [
        ("rows", []), ("rows", None), ("rows", {}), ("rows.0", {}), ("rows.0.accuracy", "high"), ("rows.0.accuracy", 7),
        ("rows.0.decoding", [None]), ("asked", "another"), ("rows.0.samples", 40.5), ("metrics", "another"),
        ("rows.0.diverged", 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "key", "value"), [(n, k, v) for n, several in EDITED.items() for k, v in several])
def test_an_edited_record_is_named_and_the_others_are_read(
    name: str, key: str, value: Any, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    shutil.copytree(whole, tmp_path / "runs")
    path = tmp_path / "runs" / "finished" / name
    values = json.loads(path.read_text())
    del values[DIGEST]
    *above, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    place = values
    for part in above:
        place = place[part]
    place[last] = value
    path.write_text(json.dumps(values))
    code, said = ran(monkeypatch, capsys, "runs", tmp_path / "runs")
    assert code == 0
    assert sum(str(path.parent) in line for line in said) == 1
    assert any(named(line) == "unfinished" for line in said)
    code, said = ran(monkeypatch, capsys, "report", tmp_path / "runs", "--out", tmp_path / "page.html")
    assert code == 0
    assert sum(str(path.parent) in line for line in said) == 1
    assert "of 1 runs" in said[-1]


def test_a_damaged_line_of_metrics_is_dropped_and_the_run_goes_on(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    shutil.copytree(whole / "unfinished", tmp_path / "run")
    path = tmp_path / "run" / "metrics.jsonl"
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    code, said = ran(monkeypatch, capsys, "train", "--resume", tmp_path / "run")
    assert code == 0
    assert sum("metrics.jsonl: 1 lines are damaged or missing" in line for line in said) == 1
    assert outcome(tmp_path / "run") == outcome(whole / "finished")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("command.json", "{"), ("command.json", "[]"), ("command.json", '{"command": "compare", "values": []}'),
        ("command.json", '{"command": "compare", "values": {"samples": 3}}'), ("command.json", '{"command": 1}'),
        ("command.json", '{"command": "compare", "values": {"model": ["clapp"], "seeds": "3"}}'),
        ("command.json", '{"command": "compare", "values": {"model": ["clapp"], "seeds": -1}}'),
        ("command.json", '{"command": "compare", "values": {"model": ["clapp"], "more": 1}}'),
        ("command.json", '{"command": "compare", "values": {"model": "clapp"}}'),
        ("command.json", '{"command": "compare", "values": {"model": ["clapp"], "depth": "x"}}'),
        ("sweep.json", "{}"), ("sweep.json", '{"model": "clapp"}'), ("sweep.json", "\x00"),
        ("sweep.json", '{"model": "clapp", "together": [], "grid": [], "seeds": "3", "samples": null,'
                       ' "grammar_seed": 0, "device": "cpu", "target": "cpp"}'),
        ("sweep.json", '{"model": "clapp", "together": [3], "grid": [], "seeds": 3, "samples": null,'
                       ' "grammar_seed": 0, "device": "cpu", "target": "cpp"}'),
        ("sweep.json", '{"model": "clapp", "together": [], "grid": [], "seeds": 3, "samples": 8,'
                       ' "grammar_seed": -1, "device": "cpu", "target": "cpp"}'),
        ("sweep.json", '{"model": "clapp", "together": [], "grid": [], "seeds": 3, "samples": 8,'
                       ' "grammar_seed": 0, "device": "cpu", "target": "none"}'),
    ],
)  # fmt: skip
def test_an_edited_plan_gets_one_line(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (tmp_path / name).write_text(text)
    command = "compare" if name == "command.json" else "sweep"
    code, said = ran(monkeypatch, capsys, command, "--resume", tmp_path)
    assert code == 2
    assert f"{tmp_path / name}: " in said[-1]


@pytest.mark.parametrize("change", [("32", "33"), ('"accuracy": 0', '"accuracy": "0'), ("{", ""), ("32", "thirty-two")])
def test_an_edited_row_gets_one_line(change: tuple[str, str], whole: Path, tmp_path: Path) -> None:
    row = json.loads((whole / "finished" / "result.json").read_text())["rows"][0] | {"labels": 32}
    Ledger(tmp_path / "rows.jsonl").add(row)
    assert list(Ledger(tmp_path / "rows.jsonl").rows.values()) == [row]
    (tmp_path / "rows.jsonl").write_text((tmp_path / "rows.jsonl").read_text().replace(*change, 1))
    with pytest.raises(UserError, match=r"rows\.jsonl: line 1 is damaged or edited"):
        Ledger(tmp_path / "rows.jsonl")
