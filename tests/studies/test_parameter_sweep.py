"""What a sweep promises: the same rows however it is spread, and nothing lost where a point or a worker is."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cortexsim import cli
from cortexsim.config.overrides import parse_assignment
from cortexsim.config.trial import Row
from cortexsim.errors import UserError
from cortexsim.execution import local
from cortexsim.studies import engine
from cortexsim.studies.engine import Engine
from cortexsim.studies.parameter_sweep import ParameterSweep, read_plan, run_sweep
from tests.studies import dying
from tests.studies.test_comparison import TIMES

SMALL = ("task.features=4", "task.multiplicity=2", "task.depth=2", "training.epochs=2")


def plan(*grid: str, seeds: int = 2, **options: Any) -> ParameterSweep:
    return ParameterSweep("clapp", SMALL, grid or ("network.cells=4,6",), seeds=seeds, samples=8, **options)


def swept(asked: ParameterSweep, out: Path, count: int = 1, cluster: str | None = None) -> list[Row]:
    rows = run_sweep(asked, Engine(out, Console(quiet=True), count, cluster))
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


def test_values_are_read_as_in_toml_or_as_bare_words() -> None:
    assert parse_assignment("--set", "training.eta=0.001,3") == ("training.eta", [0.001, 3])
    assert parse_assignment("--set", 'a = ["x","y"],"z"') == ("a", [["x", "y"], "z"])
    assert parse_assignment("--set", "training.optimizer=sgd, adamw") == ("training.optimizer", ["sgd", "adamw"])
    assert parse_assignment("--set", "a=true,60 ms,2") == ("a", [True, "60 ms", 2])


def test_set_takes_values_side_by_side_and_grid_each_with_each() -> None:
    asked = ParameterSweep("clapp", ("training.eta=1,2", "training.batch=8"), ("network.cells=4,6", "task.depth=2,3"))
    values = [tuple(point.values()) for point in asked.values()]
    assert values == [(eta, 8, cells, depth) for eta in (1, 2) for cells in (4, 6) for depth in (2, 3)]


def test_rows_do_not_depend_on_workers_and_what_is_done_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = swept(plan(), tmp_path / "one")
    assert [row["point"]["network.cells"] for row in rows] == [4, 4, 6, 6]
    assert len({row["accuracy"] for row in rows} | {row["seed"] for row in rows}) > 2
    assert swept(plan(), tmp_path / "two", 2) == rows
    shutil.rmtree(tmp_path / "two" / "points" / rows[-1]["key"])
    computed: list[str] = []

    def counted(name: str, *rest: Any) -> Row:
        computed.append(name)
        return run_point(name, *rest)

    run_point = engine.run_point
    monkeypatch.setattr(engine, "run_point", counted)
    assert swept(read_plan(tmp_path / "two"), tmp_path / "two") == rows
    assert computed == [rows[-1]["key"]]


def test_a_point_that_fails_is_recorded_and_does_not_stop_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(folder: Any, *rest: Any) -> Row:
        if folder.trial.model.network.cells == 4 and folder.trial.seed == 1:
            raise ZeroDivisionError("on purpose")
        return run_with_checkpoints(folder, *rest)

    run_with_checkpoints = engine.run_with_checkpoints
    monkeypatch.setattr(engine, "run_with_checkpoints", fails)
    task = ["sweep", "clapp", "--samples", "8", "--seeds", "2", "--grid", "network.cells=4,6", "--workers", "1"]
    for text in SMALL:
        task += ["--set", text]
    monkeypatch.setattr(sys, "argv", ["cortexsim", *task, "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    said = capsys.readouterr().out
    assert "4/4 runs" in said
    assert said.count("ZeroDivisionError: on purpose") >= 1
    rows = json.loads((tmp_path / "result.json").read_text())["rows"]
    assert ["error" in row for row in rows] == [False, True, False, False]
    assert "on purpose" in json.loads((tmp_path / "points" / rows[1]["key"] / "error.json").read_text())["traceback"]
    monkeypatch.setattr(engine, "run_with_checkpoints", run_with_checkpoints)
    assert all("error" not in row for row in swept(plan(), tmp_path))
    assert not list(tmp_path.rglob("error.json"))


OWN_RULE = """from cortexsim.rules import Rule, ThreeFactor
RULE = Rule("mine", "", "", ThreeFactor(post="activity_post - mean_post", third="1"))
"""


def test_rows_of_a_file_that_has_changed_since_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, rule = tmp_path / "mine.toml", tmp_path / "mine.py"
    model.write_text('learner = "local"\n[rule]\nname = "mine.py"\n')
    rule.write_text(OWN_RULE)
    asked = replace(plan("network.cells=4,6", seeds=1), model=str(model))
    rows = swept(asked, tmp_path / "out")
    assert swept(asked, tmp_path / "out") == rows
    for path, old, new in ((rule, 'third="1"', 'third="-1"'), (model, "[rule]", "[readout]\nepochs = 3\n[rule]")):
        before = path.read_text()
        path.write_text(before.replace(old, new))
        with pytest.raises(UserError, match="a file of its model, rule, cell or task has changed"):
            swept(asked, tmp_path / "out")
        path.write_text(before)

    def edited(folder: Any, *rest: Any) -> Row:  # While the first point is trained.
        rule.write_text(OWN_RULE.replace('third="1"', 'third="-1"'))
        return run_with_checkpoints(folder, *rest)

    run_with_checkpoints = engine.run_with_checkpoints
    monkeypatch.setattr(engine, "run_with_checkpoints", edited)
    done, failed = sorted(swept(asked, tmp_path / "other"), key=lambda row: "error" in row)
    assert done in rows
    assert "has changed since the command was started" in failed["error"]


def test_a_worker_that_is_killed_is_told_of_and_its_work_done_again(tmp_path: Path) -> None:
    said: list[str] = []
    rows = list(local.spread(dying.once, {name: (name, tmp_path) for name in "abcd"}, 2, notify=said.append))
    assert sorted(row["key"] for row in rows) == list("abcd")
    assert len(said) == 1
    assert "a worker was killed" in said[0]
    with pytest.raises(UserError, match="3 times in a row; what is done is kept"):
        list(local.spread(dying.always, {"a": ("a",), "b": ("b",)}, 2, notify=said.append))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A real scheduler and two workers, on loopback."""
    pytest.importorskip("distributed")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    begun = [
        subprocess.Popen(
            [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], cwd=tmp_path, **quiet
        )
    ]
    flags = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path), "--host", "127.0.0.1"]
    begun += [subprocess.Popen([*dask, "worker", address, *flags], cwd=tmp_path, **quiet) for _ in range(2)]
    yield address, begun
    for process in reversed(begun):
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(20)


@pytest.mark.slow
def test_a_cluster_gives_the_same_rows(cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path) -> None:
    assert swept(plan(), tmp_path / "cluster", 2, cluster[0]) == swept(plan(), tmp_path / "here")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["worker killed", "scheduler away", "scheduler killed and back"])
def test_a_cluster_may_lose_a_worker_or_its_scheduler_for_ten_seconds(
    what: str, cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, begun = cluster
    asked = plan("network.cells=4,6,8,10", "training.eta=0.001,0.002", seeds=6)
    whole = swept(asked, tmp_path / "here", 2)
    command = [sys.executable, "-m", "cortexsim", "sweep", "clapp", "--samples", "8", "--seeds", "6"]
    command += [word for text in SMALL for word in ("--set", text)]
    command += [word for text in asked.grid for word in ("--grid", text)]
    out = tmp_path / "cluster"
    running = subprocess.Popen(
        [*command, "--cluster", address, "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(list(out.glob("points/*/result.json"))) < 3 and running.poll() is None:
        time.sleep(0.05)
    assert running.poll() is None
    if what == "worker killed":
        begun[1].kill()
    elif what == "scheduler away":
        begun[0].send_signal(signal.SIGSTOP)
        time.sleep(10)
        begun[0].send_signal(signal.SIGCONT)
    else:
        begun[0].kill()
        begun[0].wait()
        time.sleep(10)
        port = address.rpartition(":")[2]
        again = [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
        begun[0] = subprocess.Popen(again, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        flags = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path), "--host", "127.0.0.1"]
        worker = [sys.executable, "-m", "dask", "worker", address, *flags]
        begun.append(subprocess.Popen(worker, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    said, complaint = running.communicate(timeout=300)
    print(said, complaint)
    told = {"worker killed": "1 of 2 workers gone", "scheduler away": "the scheduler does not answer; waiting"}
    assert said.count(f"--cluster {address}: {told.get(what, 'the scheduler is gone')}") == 1
    assert running.returncode == 0
    assert "Traceback" not in complaint
    rows = json.loads((out / "result.json").read_text())["rows"]
    assert [{key: value for key, value in row.items() if key not in TIMES} for row in rows] == whole
