"""What commands over many runs promise: stopped at any moment, they go on by their folder to the same rows."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cortexsim.config.trial import Row
from tests.studies.test_comparison import TIMES

COMMAND = [sys.executable, "-m", "cortexsim"]
SIZES = ["--depth", "3", "--features", "4", "--multiplicity", "2", "--samples", "90"]
PLAN = """
description = "Two learners"
models = ["clapp", "backprop"]
[[comparison]]
name = "small"
samples = [90]
seeds = 1
task = { depth = 3, features = 4, multiplicity = 2 }
"""


def rows(path: Path) -> list[Row]:
    found = json.loads((path / "result.json").read_text())["rows"]
    return [{key: value for key, value in row.items() if key not in TIMES} for row in found]


def stopped(words: list[str], how: signal.Signals, begun: str, out: Path) -> tuple[int, str, str]:
    """Run a command, stop it and its workers as soon as there is such a file, and answer with what it said."""
    running = subprocess.Popen(
        [*COMMAND, *words, "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while not list(out.glob(begun)) and running.poll() is None:
        time.sleep(0.02)
    os.killpg(running.pid, how)
    said, complaint = running.communicate(timeout=60)
    return running.returncode, said, complaint


STOPS = [
    pytest.param("1", signal.SIGINT, id="interrupted"),
    pytest.param("2", signal.SIGINT, id="interrupted with its workers"),
    pytest.param("1", signal.SIGKILL, id="killed"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "how"), STOPS)
@pytest.mark.parametrize("command", ["compare", "experiment", "sweep"])
def test_a_command_that_was_stopped_goes_on_to_the_same_rows(
    command: str, workers: str, how: signal.Signals, tmp_path: Path
) -> None:
    if command == "experiment":
        (tmp_path / "claim").mkdir()
        (tmp_path / "claim" / "comparisons.toml").write_text(PLAN)
        words = [command, f"{tmp_path}/claim/"]
    elif command == "compare":
        words = [command, "--model", "clapp", "--model", "backprop", *SIZES, "--seeds", "1"]
    else:
        sizes = [f"task.{key}={value}" for key, value in (("depth", 3), ("features", 4), ("multiplicity", 2))]
        words = [command, "clapp", "--samples", "90", "--grid", "network.cells=32,64"]
        words += [word for size in sizes for word in ("--set", size)]
    whole, out = tmp_path / "whole", tmp_path / "stopped"
    subprocess.run([*COMMAND, *words, "--out", str(whole), "--workers", "1"], check=True, capture_output=True)
    code, said, complaint = stopped([*words, "--workers", workers], how, "**/metrics.jsonl", out)
    if how is signal.SIGINT:
        assert code == 130
        assert f"go on with: cortexsim {command} --resume {out}" in said
        assert "Traceback" not in complaint
        assert "with a checkpoint" in complaint
    assert not (out / "result.json").exists()
    again = subprocess.run([*COMMAND, command, "--resume", str(out)], capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    assert rows(out) == rows(whole)
    assert not list(out.rglob("unfinished"))


FULL = """
mount -t tmpfs -o size=600k none {disk} || exit 77
{train} --out {disk}/run; echo "full: $?"
mount -o remount,size=50m {disk}
{train} --resume {disk}/run || exit 1
mount -o remount,ro {disk}
{train} --resume {disk}/run; echo "read-only, finished: $?"
{train} --out {disk}/other; echo "read-only: $?"
cp {disk}/run/weights.npz {disk}/run/metrics.jsonl {kept}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="no way to mount a small disk here")
def test_a_disk_that_is_full_and_then_read_only_costs_nothing_but_time(tmp_path: Path) -> None:
    """The disk is a real one, of 600 kB: two checkpoints and a half."""
    task = [*COMMAND, "train", "clapp", *SIZES, "--checkpoint", "0"]
    subprocess.run([*task, "--out", str(tmp_path / "whole")], check=True, capture_output=True)
    (tmp_path / "disk").mkdir()
    (tmp_path / "kept").mkdir()
    script = FULL.replace("{train} --resume", f"{' '.join(COMMAND)} train --checkpoint 0 --resume")
    script = script.replace("{train}", " ".join(task)).format(disk=tmp_path / "disk", kept=tmp_path / "kept")
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 77 or done.stderr.startswith("unshare"):
        pytest.skip("no right to mount a small disk here")
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    for line in ("full: 2", "read-only, finished: 0", "read-only: 2"):
        assert line in done.stdout.splitlines()
    assert "finished before" in done.stdout
    complaints = done.stderr.splitlines()
    assert len(complaints) == 2
    assert "No space left on device (finished work is kept: fix this and resume with" in complaints[0]
    assert "Read-only file system" in complaints[1]
    for name in ("weights.npz", "metrics.jsonl"):
        assert (tmp_path / "kept" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
