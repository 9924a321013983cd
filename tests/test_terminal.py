"""What a terminal shows: help with examples, names that a shell completes, and as much as was asked for."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cortexsim import cli, completion
from cortexsim.examples import EXAMPLES
from cortexsim.tasks import TASKS
from tests.test_cli import TINY, run

COMMANDS = (
    *("cards", "compare", "experiment", "export", "fit", "models", "protocol", "raster", "report", "runs", "search"),
    *("show", "sweep", "threshold", "train"),
)


def test_every_command_shows_examples_that_it_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tuple(sorted(EXAMPLES)) == COMMANDS
    program = typer.main.get_command(cli.app)
    assert tuple(sorted(program.commands)) == COMMANDS  # type: ignore[attr-defined]
    for name, lines in EXAMPLES.items():
        command = program.commands[name]  # type: ignore[attr-defined]
        assert lines.strip().splitlines()[0].strip() in command.epilog
        for line in lines.strip().splitlines():
            first, asked, *words = shlex.split(line)
            assert (first, asked) == ("cortexsim", name)
            with command.make_context(name, words):
                pass  # An option that there is not ends in an error.


def test_help_fits_a_terminal_and_keeps_examples_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(monkeypatch, "export", "--help") == 0
    found = capsys.readouterr().out
    assert all(len(line) <= 80 for line in found.splitlines())
    assert "\n    cortexsim export runs/first --npz first.npz\n" in found
    assert "-q, --quiet" in found


def test_shells_complete_names() -> None:
    assert "clapp-spiking" in completion.models("clapp")
    assert all(name.startswith("clapp") for name in completion.models("clapp"))
    assert completion.experiments("at_") == ["at_a_glance"]
    assert list(completion.tasks("")) == sorted(TASKS)
    assert (completion.recordable("w"), completion.synapses("a")) == (["weights"], ["all"])
    words = {"_CORTEXSIM_COMPLETE": "complete_bash", "COMP_WORDS": "cortexsim show clapp-spi", "COMP_CWORD": "2"}
    code = "import sys; sys.argv = ['cortexsim']; from cortexsim.cli import main; main()"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **words}, timeout=300
    )
    assert found.stdout.split() == ["clapp-spiking"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_standard_output_that_is_full_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cortexsim", "train", "untrained", *TINY, "--out", str(tmp_path / "out")]
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
    assert found.returncode == 2
    (line,) = found.stderr.splitlines()
    assert line.startswith("cortexsim: standard output, or the temporary folder ")
    assert line.endswith(f"resume with cortexsim train --resume {tmp_path / 'out'})")


def test_quiet_and_verbose(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(monkeypatch, "train", "untrained", *TINY, "--out", str(tmp_path / "a"), "--quiet") == 0
    quiet = capsys.readouterr()
    assert quiet.err == ""
    assert "Test accuracy" in quiet.out
    assert "Written: " in quiet.out
    assert not any(line.startswith(("Took", "Model", "stage")) for line in quiet.out.splitlines())
    assert run(monkeypatch, "show", "clapp", "-q", "-v") == 2
    assert capsys.readouterr().err == "cortexsim: --quiet: not with --verbose (leave one of them out)\n"
    assert run(monkeypatch, "show", "clap", "--verbose") == 2
    where = capsys.readouterr().err
    assert "Traceback" in where
    assert where.splitlines()[-1].startswith("cortexsim: model 'clap' is not known")
