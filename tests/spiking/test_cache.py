"""What the cache of compiled programs promises: whatever happens to its files, no result changes."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.rules import known_rules
from cortexsim.spiking import Outcome, State, cache, compiling, program
from tests.spiking.test_program import SETTINGS, begun, equal, small, stream
from tests.test_processes import until

Result = tuple[Outcome, State]


def result() -> Result:
    """Run through a few fixations with a program that is opened, or compiled, now."""
    stack = small(SETTINGS, known_rules()["clapp"])
    return stack.run(stream(), begun(stack), seed=5)


def same(one: Result, other: Result) -> bool:
    activity = np.array_equal(one[0].activity["layer1"], other[0].activity["layer1"])
    return activity and one[0].spikes == other[0].spikes and equal(one[1], other[1])


@pytest.fixture(scope="module")
def sound() -> tuple[Path, Result]:
    """An entry as it was compiled, and what its program answers."""
    stack = small(SETTINGS, known_rules()["clapp"])
    answer = stack.run(stream(), begun(stack), seed=5)
    assert isinstance(stack.engine, program.Program)
    return stack.engine.folder, answer


@pytest.fixture
def entry(sound: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same entry in a cache of its own, where compiling means to copy it again."""
    monkeypatch.setenv("CORTEXSIM_CACHE", str(tmp_path / "cache"))
    cache.cache_folder()

    def copied(folder: Path, description: object = None) -> None:
        shutil.copytree(sound[0], folder)

    monkeypatch.setattr(program, "compile_into", copied)
    copied(tmp_path / "cache" / sound[0].name)
    return tmp_path / "cache" / sound[0].name


def flipped(path: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(bytes(data))


def cut(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: draw.randrange(path.stat().st_size)])


def emptied(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"")


def removed(path: Path, draw: random.Random) -> None:
    path.unlink()


def swapped(path: Path, draw: random.Random) -> None:
    others = [other for other in sorted(path.parents[1].rglob("*")) if other.is_file() and other != path]
    other = draw.choice([one for one in others if one.read_bytes() != path.read_bytes()])
    data, mode = path.read_bytes(), path.stat().st_mode
    path.write_bytes(other.read_bytes())
    other.write_bytes(data)
    path.chmod(mode)


DAMAGES = (flipped, cut, emptied, removed, swapped)


@pytest.mark.parametrize("count", [40, pytest.param(300, marks=pytest.mark.exhaustive)])
@pytest.mark.slow
def test_no_damage_to_an_entry_changes_a_result(
    entry: Path, sound: tuple[Path, Result], count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(0)
    for number in range(count):
        path = draw.choice(sorted(path for path in entry.rglob("*") if path.is_file()))
        damage = DAMAGES[number % len(DAMAGES)]
        damage(path, draw)
        assert same(result(), sound[1]), (damage.__name__, path)
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, (damage.__name__, path, lines)
        assert "compiling it again" in lines[0]


def test_an_entry_damaged_between_two_runs_of_a_program_is_mended(entry: Path, sound: tuple[Path, Result]) -> None:
    stack = small(SETTINGS, known_rules()["clapp"])
    assert same(stack.run(stream(), begun(stack), seed=5), sound[1])
    for path in (entry / "static_arrays").iterdir():
        path.write_bytes(b"")
    assert same(stack.run(stream(), begun(stack), seed=5), sound[1])


def test_a_sound_program_is_neither_compiled_nor_told_of(entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = cache.signature(entry)
    result()
    assert cache.signature(entry) == before
    assert capsys.readouterr().err == ""


def test_with_too_few_file_descriptors_a_run_ends_in_one_line(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = small(SETTINGS, known_rules()["clapp"])
    _ = stack.engine
    run = subprocess.run

    def limited(command: list[str], **options: Any) -> Any:
        return run(["sh", "-c", 'ulimit -n 9; exec "$@"', "sh", *command], **options)

    monkeypatch.setattr(program.subprocess, "run", limited)
    with pytest.raises(UserError, match=r"main: failed \(exit code 0: Error opening static array"):
        stack.run(stream(), begun(stack), seed=5)


def test_an_output_that_is_cut_is_not_taken_for_one(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = small(SETTINGS, known_rules()["clapp"])
    read = np.fromfile
    monkeypatch.setattr(program.np, "fromfile", lambda path, kind: read(path, kind)[:-1])
    with pytest.raises(UserError, match=r"no room for the files of a spiking run .*MiB are free: TMPDIR"):
        stack.run(stream(), begun(stack), seed=5)


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_cache_that_others_can_write_is_refused(entry: Path, mode: int) -> None:
    entry.parent.chmod(mode)
    with pytest.raises(UserError, match=r"other users can write there.*chmod 700"):
        result()


def test_an_entry_that_others_can_write_is_compiled_again(
    entry: Path, sound: tuple[Path, Result], capsys: pytest.CaptureFixture[str]
) -> None:
    (entry / "main").chmod(0o777)
    assert same(result(), sound[1])
    assert "others could have written main; compiling it again" in capsys.readouterr().err
    assert (entry / "main").stat().st_mode & 0o022 == 0


def test_what_belongs_to_another_user_is_not_run(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.os, "getuid", lambda: entry.stat().st_uid + 1)
    with pytest.raises(UserError, match="belongs to another user"):
        cache.cache_folder()
    with pytest.raises(cache.Damaged, match="others could have written"):
        cache.opened(entry, entry.name)


def test_the_cache_is_made_for_the_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORTEXSIM_CACHE", str(tmp_path / "deep" / "cache"))
    before = os.umask(0)
    try:
        assert cache.cache_folder().stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def test_a_cache_may_be_named_from_where_one_stands(
    entry: Path, sound: tuple[Path, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(entry.parents[1])
    monkeypatch.setenv("CORTEXSIM_CACHE", "cache")
    assert same(result(), sound[1])


def test_half_compiled_entries_of_processes_that_are_gone_are_removed_and_no_others(tmp_path: Path) -> None:
    for name in ("gone", "busy"):
        (tmp_path / f"{name}.compiling").mkdir()
    with cache.locked(tmp_path / "busy"):
        cache.clean(tmp_path)
    assert {path.name for path in tmp_path.glob("*.compiling")} == {"busy.compiling"}


def test_a_compiler_that_makes_nothing_leaves_no_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CORTEXSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CXX", "/bin/true")
    compiling.build_environment_digest.cache_clear()
    with pytest.raises(UserError, match=r"compiling a network with \S+ failed .*: see .*\.log"):
        result()
    compiling.build_environment_digest.cache_clear()
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".lock", ".log"}
    assert capsys.readouterr().err.startswith("compiling a network of ")  # Before the wait, not after it.


MODEL = """
learner = "local"
rule = { name = "clapp" }
network = { substrate = "spiking", cells = 6 }
training = { epochs = EPOCHS }
"""


def alive(word: str) -> list[str]:
    """List the commands of the processes with a word in their command line or their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (path / "cmdline").read_bytes(), (path / "environ").read_bytes()
        except OSError:
            continue
        if word.encode() in command + environment and int(path.name) != os.getpid():
            found.append(command.split(b"\0")[0].decode())
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="asks Linux which processes there are")
@pytest.mark.parametrize(
    ("when", "how"),
    [
        ("compiling", signal.SIGKILL),
        pytest.param("compiling", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("running", signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_a_process_that_is_killed_leaves_neither_compiler_nor_program(
    when: str, how: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "model.toml").write_text(MODEL.replace("EPOCHS", "2000"))
    place = tmp_path / "cache"
    words = ["train", str(tmp_path / "model.toml"), "--depth", "2", "--samples", "400", "--out", str(tmp_path / "out")]
    running = subprocess.Popen(
        [sys.executable, "-m", "cortexsim", *words], env={**os.environ, "CORTEXSIM_CACHE": str(place)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if when == "compiling":
        assert until(lambda: bool(list(place.glob("*.compiling/code_objects/*.o"))), 60.0)
    else:
        assert until(lambda: any(command.endswith("/main") for command in alive(str(place))), 60.0)
    running.send_signal(how)
    running.wait()
    assert until(lambda: not alive(str(place)), 5.0), alive(str(place))
    assert not list(place.glob("*.compiling"))
