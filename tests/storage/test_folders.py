"""What folders promise: nobody overwrites anybody, and whoever is ended leaves nobody behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cortexsim import cli
from cortexsim.config.registry import read_model
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.storage import folders
from cortexsim.storage.folders import check_output_folder, locked, new_folder
from cortexsim.storage.run_directory import RunFolder
from cortexsim.tasks.rhm import Hierarchy
from tests.quick import slow_but
from tests.test_processes import alive, linux, until

SMALL = ["--depth", "2", "--features", "4", "--multiplicity", "2", "--samples", "8"]
BRIEF = 'learner = "backprop"\n[training]\nepochs = 2\n'
LONG = 'learner = "backprop"\n[training]\nepochs = 1000000\nbatch = 8\n'
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a model that is trained in a moment, and one that never is."""
    monkeypatch.chdir(tmp_path)
    for name in ("brief", "other"):
        Path(f"{name}.toml").write_text(BRIEF)
    Path("long.toml").write_text(LONG)
    return tmp_path


def ran(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["cortexsim", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def refused(monkeypatch: pytest.MonkeyPatch, capsys: Captured, complaint: str, *words: object) -> None:
    """See that a command line gets one line, and changes no file."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and path.name != ".lock"}
    assert ran(monkeypatch, *words) == 2
    said = capsys.readouterr().err
    assert said.startswith("cortexsim: ")
    assert said.count("\n") == 1
    assert complaint in said
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and path.name != ".lock"} == before


def test_a_comparison_is_not_replaced_by_another(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    task = ["compare", "--model", "brief.toml", *SMALL, "--seeds", "1", "--out", "x"]
    assert ran(monkeypatch, *task) == 0
    before = Path("x/result.json").read_bytes()
    assert ran(monkeypatch, *task) == 0
    assert Path("x/result.json").read_bytes() == before
    assert "Accuracy on 24 test samples" in capsys.readouterr().out
    refused(monkeypatch, capsys, "--out x: was started with seeds = 1, not 2", *task, "--seeds", "2")
    refused(monkeypatch, capsys, "--out x: was started with other models", *task, "--model", "other.toml")
    refused(
        monkeypatch,
        capsys,
        "--out x: holds the results of another command",
        "train",
        "brief.toml",
        *SMALL,
        "--out",
        "x",
    )
    Path("brief.toml").write_text(BRIEF.replace("2", "3"))
    refused(monkeypatch, capsys, "models.1.training.epochs = 2, not 3", "compare", "--resume", "x")
    Path("brief.toml").write_text(f'description = "the same"\n{BRIEF}')
    assert ran(monkeypatch, "compare", "--resume", "x") == 0


def test_a_sweep_and_a_search_are_not_replaced_by_others(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    sets = [word for name, size in (("features", 4), ("multiplicity", 2), ("depth", 2))
            for word in ("--set", f"task.{name}={size}")]  # fmt: skip
    task = ["sweep", "brief.toml", *sets, "--samples", "8", "--workers", "1", "--out", "s"]
    assert ran(monkeypatch, *task) == ran(monkeypatch, *task) == 0
    refused(monkeypatch, capsys, "--out s: holds a sweep with --seeds 1, not 2", *task, "--seeds", "2")
    refused(monkeypatch, capsys, "--out s: holds a sweep (", "train", "brief.toml", *SMALL, "--out", "s")
    plan = 'models = ["brief.toml"]\nsamples = [8]\ntest_samples = 16\ngrammar_seeds = [0]\n'
    plan += "[task]\nfeatures = 4\nmultiplicity = 2\ndepth = 2\n"
    Path("plan.toml").write_text(plan)
    assert ran(monkeypatch, "search", "plan.toml", "--out", "f") == 0
    assert ran(monkeypatch, "search", "plan.toml", "--out", "f") == 0
    Path("plan.toml").write_text(plan.replace("[8]", "[12]"))
    refused(monkeypatch, capsys, "was started with samples.1 = 8, not 12", "search", "plan.toml", "--out", "f")
    capsys.readouterr()


def test_folders_of_other_things_are_left_alone(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    Path("runs/one").mkdir(parents=True)
    for folder in (".", "runs", str(here)):
        for command in (["train", "brief.toml"], ["compare", "--model", "brief.toml"]):
            refused(monkeypatch, capsys, "contains other files", *command, *SMALL, "--out", folder)
    refused(monkeypatch, capsys, "--out brief.toml: Not a directory", "train", "brief.toml", "--out", "brief.toml")
    assert not list(here.rglob(".lock"))


def test_a_report_replaces_none_but_a_report(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    RunFolder.begin(Path("run"), Trial(read_model(Path("brief.toml")), Hierarchy(4, 2, 2), 8, 16, 0, 0))
    assert ran(monkeypatch, "report", "run") == ran(monkeypatch, "report", "run") == 0
    Path("notes.txt").write_text("mine")
    refused(monkeypatch, capsys, "--out notes.txt: is there", "report", "run", "--out", "notes.txt")
    refused(monkeypatch, capsys, "--out run: Is a directory", "report", "run", "--out", "run")


def test_of_folders_made_in_one_second_each_is_new(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders.time, "strftime", lambda form: form.partition("%")[0] + "now")
    assert [new_folder("x").name for _ in range(3)] == ["x-now", "x-now-2", "x-now-3"]


def test_a_folder_is_held_before_anything_is_written(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    with locked(Path("x"), "how"):
        check_output_folder(Path("x"), folders.COMMAND)
        complaint = f"x: in use by another process, PID {os.getpid()} on "
        for command in (["train", "brief.toml"], ["compare", "--model", "brief.toml"]):
            refused(monkeypatch, capsys, complaint, *command, *SMALL, "--out", "x")
        assert [path.name for path in Path("x").iterdir()] == [".lock"]
    with (
        locked(Path("x"), "how"),
        pytest.raises(UserError, match="then resume with this"),
        locked(Path("x"), "this", 0.2),
    ):
        pass


def test_a_name_full_of_mathematics_costs_no_result(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["$\\bad{$.toml", "_x.toml"]
    for name in names:
        Path(name).write_text(BRIEF)
    models = [word for name in names for word in ("--model", name)]
    task = [*SMALL, "--seeds", "1", "--workers", "1"]
    assert ran(monkeypatch, "compare", *models, *task, "--out", "x") == 0
    drawn = Path("x/figure.svg").read_text()
    assert "$\\bad{$ -->" in drawn
    assert "_x -->" in drawn


def test_a_figure_that_fails_costs_no_result(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cortexsim.studies import comparison

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(comparison.plots, "comparison", fails)
    monkeypatch.setattr(
        sys, "argv", ["cortexsim", "compare", "--model", "brief.toml", *SMALL, "--seeds", "1", "--out", "x"]
    )
    with pytest.raises(ZeroDivisionError):
        cli.main()
    assert len(json.loads(Path("x/result.json").read_text())["rows"]) == 1


def children(number: int) -> set[int]:
    """All processes below one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, above = set(), {number}
    while above:
        above = {child for child, parent in parents.items() if parent in above}
        found |= above
    return found


KILLS = [("compare", "SIGINT"), ("sweep", "SIGTERM"), ("compare", "SIGKILL")]
MORE = [(command, name) for command in ("compare", "sweep") for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")]


def killed(command: str, name: str) -> None:
    """Start a command with two workers, end it while both are at work, and see that nobody is left."""
    task = {
        "compare": ["--model", "long.toml", *SMALL],
        "sweep": ["long.toml", "--seeds", "3", "--samples", "8", "--set", "task.depth=2"],
    }[command]
    with subprocess.Popen(
        [sys.executable, "-m", "cortexsim", command, *task, "--workers", "2", "--out", command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,  # The signal is for the parent alone.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # Which tests under nohup would ignore.
    ) as running:  # fmt: skip
        try:
            assert until(
                lambda: len(list(Path(command).rglob("metrics.jsonl"))) == 2 or running.poll() is not None, 120
            )
            below = children(running.pid)
            assert len(below) >= 2
            running.send_signal(signal.Signals[name])
            said, complaint = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == (-signal.SIGKILL if name == "SIGKILL" else 130), complaint
    assert name == "SIGKILL" or complaint == ""
    assert name == "SIGKILL" or f"cortexsim {command} --resume {command}" in said
    assert until(lambda: not any(map(alive, below)), 5)


@linux
@pytest.mark.parametrize(("command", "name"), slow_but(KILLS[:1], KILLS))
def test_who_is_ended_leaves_nobody_behind(command: str, name: str, here: Path) -> None:
    killed(command, name)


@linux
@pytest.mark.exhaustive
@pytest.mark.parametrize("time", range(3))
@pytest.mark.parametrize(("command", "name"), MORE)
def test_whoever_is_ended_leaves_nobody_behind(command: str, name: str, time: int, here: Path) -> None:
    killed(command, name)


def test_a_run_is_not_taken_for_one_on_others(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    task = ["train", "brief.toml", "--task", "rows.csv", "--samples", "10", "--out", "x"]
    rows = [f"{number},{number % 7},{number % 5},{number % 3},{'ab'[number % 2]}" for number in range(40)]
    Path("rows.csv").write_text("\n".join(["p,q,r,s,kind", *rows]))
    assert ran(monkeypatch, *task) == 0
    assert ran(monkeypatch, *task) == 0
    assert "finished before" in capsys.readouterr().out
    Path("rows.csv").write_text("\n".join(["p,q,r,s,kind", *rows[1:], "9,9,9,9,a"]))
    refused(monkeypatch, capsys, "--out x: the files of task 'arrays' have changed since this run was started", *task)
