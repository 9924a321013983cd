"""Bad input never ends in a traceback: exit code 2, one line, and in it the name of what is wrong."""

import random
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import pytest

from cortexsim import cli
from cortexsim.config.trial import Row, Trial
from tests.fuzz import broken_toml, broken_words

PACKAGE = Path(cli.__file__).parent.parent
PATIENCE = 20  # Seconds; nothing that is asked here takes one.
FILES = [
    *[("show", path) for path in sorted((PACKAGE / "models").glob("*.toml"))],
    *[("experiment", path) for path in sorted((PACKAGE / "experiments").glob("*/comparisons.toml"))],
    *[("experiment", path) for path in sorted((PACKAGE / "experiments").glob("*/thresholds.toml"))],
    *[("search", path) for path in sorted((PACKAGE / "experiments").glob("*/search*.toml"))],
    *[("search", path) for path in sorted((PACKAGE / "experiments").glob("tuning/*.toml"))],
]
TASK = ["--depth", "2", "--features", "4", "--multiplicity", "2", "--tuple-size", "2", "--classes", "4"]
LINES = [
    ["compare", "--model", "untrained", "--samples", "8,16", "--seeds", "1", "--grammar-seed", "0", *TASK],
    ["train", "untrained", "--samples", "8", "--seed", "0", "--device", "cpu", "--target", "cpp", *TASK],
    ["train", "untrained", "--samples", "8", "--task", "rhm,features=4,multiplicity=2,depth=2", "--classes", "3"],
    ["train", "clapp", "--samples", "8", "--record", "weights", "--every", "4", "--synapses", "9", *TASK],
    ["compare", "--model", "untrained", "--task", "digits", "--samples", "8,16", "--seeds", "1"],
    ["show", "clapp"],
    ["models", "--rules"],
    ["raster", "clapp", "--samples", "8", "--fixations", "2", "--depth", "2"],
    ["experiment", "sample_complexity", "--quick", "--workers", "1"],
    ["experiment", "plain_sgd", "--from-rows", "--out", "out"],
    ["threshold", "clapp", "--grammars", "2", "--seeds", "1", "--cap", "64", "--alone", *TASK],
    ["threshold", "--resume", "nowhere", "--workers", "2"],
    ["search", "none.toml", "--workers", "1"],
    ["train", "--resume", "nowhere", "--checkpoint", "3"],
    [
        "sweep",
        "clapp",
        "--set",
        "training.eta=0.1,0.2",
        "--grid",
        "task.depth=2,3",
        "--seeds",
        "2",
        "--samples",
        "8",
    ],
    ["sweep", "clapp", "--grid", "network.cells=4,8", "--workers", "1", "--target", "numpy", "--out", "out"],
    ["sweep", "--resume", "nowhere", "--workers", "2"],
    ["compare", "--resume", "nowhere", "--workers", "2"],
    ["experiment", "--resume", "nowhere"],
    ["runs", "nowhere"],
    ["report", "nowhere", "here", "--out", "page.html"],
]
WHOLE = [words for words in LINES if "--task" in words or (words[0] == "experiment" and words[1] != "--resume")]


def outcome(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]) -> tuple[int, str]:
    """Run a command line and answer with exit code and complaint; it is known by what it says to stderr."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"still at it after {PATIENCE} s")

    monkeypatch.setattr(sys, "argv", ["cortexsim", *words])
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE)
    try:
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return int(stopped.value.code or 0), capsys.readouterr().err


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is valid pass, without the work it asks for."""
    from cortexsim.execution import scheduler
    from cortexsim.studies import comparison, comparison_experiment, raster, samples_needed, single_run, thresholds

    def done(work: object, items: Mapping[str, tuple[object, ...]], *_: object) -> list[Row]:
        trials = {key: next(part for part in item if isinstance(part, Trial)) for key, item in items.items()}
        row = {"learner": "x", "accuracy": 0.5, "seconds": 0.0, "decoding": [0.5]}
        return [{**row, "key": key, "samples": trial.samples} for key, trial in trials.items()]

    monkeypatch.setattr(scheduler, "spread", done)
    monkeypatch.setattr(raster, "draw", lambda *_, **__: None)
    monkeypatch.setattr(comparison_experiment, "run_experiment", lambda *_, **__: None)
    monkeypatch.setattr(thresholds, "run_sweeps", lambda *_, **__: [])
    monkeypatch.setattr(samples_needed, "find", lambda *_, **__: "nothing")
    monkeypatch.setattr(comparison, "compare", lambda *_, **__: None)
    monkeypatch.setattr(single_run, "train_one", lambda *_, **__: None)


def check_toml(number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: Path) -> None:
    draw = random.Random(number)
    command, source = draw.choice(FILES)
    broken = broken_toml(source.read_text(), draw)
    name = source.name if command == "experiment" else "mine.toml"
    folder = path / source.parent.name
    folder.mkdir()
    (folder / name).write_bytes(broken.text)
    # Models and rules of other experiments may be named too.
    beside = [] if command == "show" else [other for other in source.parent.parent.iterdir() if other != source.parent]
    for other in [other for other in source.parent.iterdir() if other.name != name]:
        (folder / other.name).symlink_to(other)
    for other in beside:
        (path / other.name).symlink_to(other)
    asked = f"{folder}/" if command == "experiment" else str(folder / name)
    words = [command, asked] + ([] if command == "show" else ["--out", str(path / "out")])
    code, said = outcome(monkeypatch, capsys, words)
    about = f"{source.name}: {broken.change}: {said}"
    assert code in (0, 2), about
    if code == 2:
        assert re.fullmatch(r"cortexsim: [^\n]+\n", said), about
        assert (broken.named or "") in said or broken.change.partition(" = ")[2].strip('"') in said, about
        assert name in said or folder.name in said, about


def check_line(number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: Path) -> None:
    draw = random.Random(number)
    words = broken_words(draw.choice(LINES), draw)
    monkeypatch.chdir(path)
    code, said = outcome(monkeypatch, capsys, words)
    assert code in (0, 2), f"{words}: {said}"
    if code == 2:
        assert re.fullmatch(r"cortexsim: [^\n]+\n", said), f"{words}: {said}"
        assert names(words, said), f"{words}: {said}"


def names(words: list[str], said: str) -> bool:
    """Whether a complaint names one of the words, or what is missing."""
    given = [repr(words[0]), *words, *(word.partition("=")[0] for word in words)]
    given += [word[:2] for word in words if word.startswith("-")]
    given += [text for text in ("()", " .:") if "" in words]  # One argument too many, or the folder that it names.
    return any(part in said for part in given if part) or "Missing" in said


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("words", WHOLE)
def test_a_command_line_that_is_broken_was_whole(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(monkeypatch, capsys, words) == (0, "")


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(("command", "source"), FILES, ids=lambda value: str(value).removeprefix(f"{PACKAGE}/"))
def test_a_file_that_is_broken_was_whole(
    command: str, source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = f"{source.parent}/" if command == "experiment" else str(source)
    words = [command, asked] + ([] if command == "show" else ["--out", str(tmp_path / "out")])
    assert outcome(monkeypatch, capsys, words) == (0, "")


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("number", range(100))
def test_a_broken_file_gets_one_line(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    check_toml(number, monkeypatch, capsys, tmp_path)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("number", range(100))
def test_a_broken_command_line_gets_one_line(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    check_line(number, monkeypatch, capsys, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("number", range(100, 700))
def test_more_broken_files(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    check_toml(number, monkeypatch, capsys, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("number", range(100, 500))
def test_more_broken_command_lines(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    check_line(number, monkeypatch, capsys, tmp_path)
