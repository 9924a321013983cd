import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from cortexsim import __version__, cli
from cortexsim.cli import DEFAULT_MODELS, default_models, default_sizes
from cortexsim.config.registry import find_experiment_file, find_model, read_model
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.rules import known_rules
from cortexsim.studies.comparison_experiment import ComparisonExperiment
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.training.measurement import prepare
from tests.pages import cells, files


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["cortexsim", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["compare", "--samples", "10x"], "--samples 10x: not a list of whole numbers"),
        (["compare", "--samples", "1"], "1 is too few"),
        (["compare", "--samples", "600", "--depth", "2"], "this grammar has 512 distinct samples"),
        (["compare", "--multiplicity", "9"], "multiplicity at most 8"),
        (["compare", "--model", "clap"], "did you mean 'clapp'"),
        (["compare", "--model", "clapp", "--model", "clapp"], "given more than once"),
        (["compare", "--device", "cud"], "did you mean 'cuda'"),
        (["compare", "--seeds", "0"], "--seeds"),
        (["compare", "--out", "/dev/null/here"], "--out /dev/null/here: Not a directory"),
        (["compare", "--sample", "5"], "No such option"),
        (
            ["sweep", "clapp", "--grid", "training.epochs=1", "--grid", "training.epochs=2"],
            "training.epochs: given twice",
        ),
        (["sweep", "clapp", "--set", "training.eta=1", "--set", "training.eta=2"], "--set training.eta: given twice"),
        (["comparr"], "No such command"),
        (["show", "none.toml"], "none.toml: No such file"),
        (["show"], "Missing argument"),
        (["search", "none.toml"], "none.toml"),
        (["experiment", "plain_sgd", "--quick"], "--quick: experiment 'plain_sgd' has no quick form"),
        (["train", "clapp", "--samples", "600", "--depth", "2"], "which leaves 0 to test on (at least 32, 4 a class"),
        (["train", "clapp", "--samples", "511", "--depth", "2"], "leaves 1 to test on"),
        (["compare", "--samples", "64,481", "--depth", "2"], "leaves 31 to test on"),
        (["sweep", "clapp", "--samples", "500", "--set", "task.depth=2"], "ask for 480 or fewer"),
        (["train", "clapp", "--out", ""], "--out '': name a folder"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert run(monkeypatch, *arguments) == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.err.startswith("cortexsim: ")
    assert printed.err.count("\n") == 1


def test_without_a_second_synonym_there_is_no_second_view(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.toml").write_text('learner = "local"\n[rule]\nname = "clapp"\ncontext = "synonym"\n')
    asked = Trial(read_model(tmp_path / "mine.toml"), Hierarchy(depth=2, multiplicity=1), 4, 4, 0, 0)
    with pytest.raises(UserError, match=r"^hierarchy: multiplicity = 1 leaves no synonym to exchange"):
        prepare(asked)


def test_it_is_said_which_file_is_read_and_whose_code_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "show", "hebb") == 0
    assert capsys.readouterr().out.startswith(f"Model hebb is {find_model('hebb')._path}\n")
    rule = (Path(cli.__file__).parent / "rules" / "hebb.py").read_text()
    (tmp_path / "mine.py").write_text(rule)
    text = (find_model("hebb")._path).read_text().replace('name = "hebb"', 'name = "mine.py"')
    (tmp_path / "mine.toml").write_text(text.replace("epochs =", "epochs = 1 #"))
    own, out = str(tmp_path / "mine.toml"), str(tmp_path / "out")
    assert run(monkeypatch, "show", own) == 0
    assert capsys.readouterr().out.startswith(f"Runs the code of {tmp_path / 'mine.py'}\n")
    assert run(monkeypatch, "train", own, *TINY, "--out", out) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Runs the code of {tmp_path / 'mine.py'}\n")
    assert re.search(r"\nTook \d+ s on \d+ cores? \(\d+ s of CPU\)\.\n", printed)
    assert run(monkeypatch, "train", "--resume", out) == 0
    assert f"Runs the code of {tmp_path / 'out' / 'mine.py'}\n" in capsys.readouterr().out


def test_models_and_show_tell_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "models") == 0
    assert run(monkeypatch, "show", "clapp") == 0
    printed = capsys.readouterr().out
    for words in (
        "1[y u < 1]",
        "Illing",
        "surprise_all * dendrite_post",
        "derivative_post: derivative",
        "margin = 1",
        "Context sibling: every other patch",
    ):
        assert words in printed


def test_the_table_of_rules_says_what_each_needs_and_breaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "models", "--rules") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Models" not in shown
    assert all(name in shown for name in known_rules())
    assert "transported signs" in shown
    assert run(monkeypatch, "show", "dkp") == 0
    shown = capsys.readouterr().out
    assert (
        "Error path: direct; feedback weights: random; masks: own (slope of the cell alone, none on the way)" in shown
    )
    assert "feedback" in shown


def test_compare_and_train_end_to_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    small = ["--depth", "2", "--features", "4", "--multiplicity", "2"]
    task = ["--samples", "8,16", *small, "--seeds", "1", "--workers", "1"]
    monkeypatch.setattr("cortexsim.spiking.compiling.shutil.which", lambda name: None)  # Without a compiler.
    assert run(monkeypatch, "compare", *task, "--out", str(tmp_path / "compare")) == 0
    printed = capsys.readouterr().out
    for words in (
        "samples needed*",
        "chance is 0.250",
        "clapp",
        "untrained",
        "8/8 runs",
        "Without clapp-sparse: layers in Brian2 need",
    ):
        assert words in printed
    assert len(json.loads((tmp_path / "compare" / "result.json").read_text())["rows"]) == 8
    monkeypatch.undo()  # With a compiler again: a comparison goes on with what it was begun with.
    assert run(monkeypatch, "compare", "--resume", str(tmp_path / "compare")) == 0
    assert "8/8 runs" not in capsys.readouterr().out
    assert len(json.loads((tmp_path / "compare" / "result.json").read_text())["rows"]) == 8
    assert run(monkeypatch, "train", "clapp", *small, "--samples", "16", "--out", str(tmp_path / "train")) == 0
    assert "Synonymic sensitivity" in capsys.readouterr().out
    row = json.loads((tmp_path / "train" / "result.json").read_text())["rows"][0]
    assert len(row["readout_linear"]) == len(row["readout_two-layer"]) == 2


def test_a_spiking_network_is_compared_by_default_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortexsim.spiking.compiling.shutil.which", lambda name: f"/somewhere/{name}")
    console = Console(quiet=True)
    assert "clapp-sparse" in default_models(console, "cpp") == list(DEFAULT_MODELS)
    assert default_models(console, "numpy") == [name for name in DEFAULT_MODELS if name != "clapp-sparse"]


def test_what_is_compared_by_default_is_the_experiment_at_a_glance() -> None:
    (glance,) = ComparisonExperiment.open(find_experiment_file("at_a_glance")).comparisons.values()
    assert [model.name for model in glance.models] == list(DEFAULT_MODELS)
    assert default_sizes(list(DEFAULT_MODELS), Hierarchy(depth=3)) == (glance.samples, glance.sizes)
    without = [name for name in DEFAULT_MODELS if name != "clapp-sparse"]
    samples, sizes = default_sizes(without, Hierarchy(depth=3))
    assert (samples, set(sizes)) == (glance.samples, set(without))
    for names, task in ((list(DEFAULT_MODELS), Hierarchy(depth=4)), (["clapp", "dfa"], Hierarchy(depth=3))):
        assert default_sizes(names, task) == ((), {})


def test_ones_own_task_is_one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The example of the documentation, run as it stands there, and gone on with."""
    (tmp_path / "my_task.py").write_text(files("howto/own_task.md")["my_task.py"])
    monkeypatch.chdir(tmp_path)
    assert (
        run(monkeypatch, "train", "untrained", "--task", "my_task.py,noise=0.2", "--samples", "64", "--out", "out") == 0
    )
    row = json.loads((tmp_path / "out" / "result.json").read_text())
    assert row["configuration"]["task"] == {"name": "my_task.py", "size": 8, "noise": 0.2}
    assert row["rows"][0]["accuracy"] > 0.6
    (tmp_path / "my_task.py").unlink()  # The run has a copy.
    assert run(monkeypatch, "train", "--resume", "out") == 0


@pytest.mark.parametrize("file", ["flowers.csv", "flowers.npz"])
def test_a_file_of_the_users_is_learned_from_by_one_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str
) -> None:
    draw = np.random.default_rng(0)
    labels = draw.integers(3, size=90)
    values = draw.normal(0, 0.1, (90, 8)) + np.eye(8)[2 * labels]
    monkeypatch.chdir(tmp_path)
    if file.endswith(".csv"):
        rows = [",".join(["species", *(f"x{k}" for k in range(8))])]
        rows += [",".join(["abc"[label], *map(str, row)]) for label, row in zip(labels, values, strict=True)]
        Path(file).write_text("\n".join(rows))
        asked = f"{file},label=species"
    else:
        np.savez(file, X=values, y=labels)
        asked = file
    assert run(monkeypatch, "train", "untrained", "--task", asked, "--samples", "60", "--out", "out") == 0
    (row,) = json.loads(Path("out/result.json").read_text())["rows"]
    assert row["accuracy"] > 0.8
    assert row["chance"] == np.bincount(labels).max() / 90


def test_a_page_shows_a_model_with_layers_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(files("howto/own_task.md")["mine.toml"])
    assert run(monkeypatch, "show", str(tmp_path / "mine.toml")) == 0


def test_ones_own_rule_is_one_file_and_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The example of the documentation, run as it stands there."""
    written = files("howto/own_rule.md")
    (tmp_path / "my_rule.py").write_text(written["my_rule.py"])
    (tmp_path / "my_model.toml").write_text(written["my_model.toml"].replace("epochs = 40", "epochs = 1"))
    task = [
        "--samples",
        "16",
        "--depth",
        "2",
        "--features",
        "4",
        "--multiplicity",
        "2",
        "--seeds",
        "1",
        "--workers",
        "1",
    ]
    mine = ["--model", str(tmp_path / "my_model.toml"), "--model", "untrained"]
    assert run(monkeypatch, "compare", *mine, *task, "--out", str(tmp_path / "out")) == 0
    assert json.loads((tmp_path / "out" / "result.json").read_text())["rows"][0]["rule"] == "my_rule"


def test_the_parts_and_the_estimator_are_used_from_python() -> None:
    blocks = cells("howto/python.md")
    found: dict = {}
    exec(next(block for block in blocks if "code_geometry" in block), found)
    assert found["samples"].levels[1].shape == (1000, 4)
    exec(next(block for block in blocks if "Encoder" in block), found)
    assert found["encoder"].transform(found["one_hot"]).shape == (1000, 128)


def test_the_command_is_installed() -> None:
    found = subprocess.run([sys.executable, "-m", "cortexsim", "--help"], capture_output=True, text=True, check=True)
    assert "compare" in found.stdout


def cortexsim(*words: str, **surroundings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cortexsim", *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **surroundings}, timeout=300)


def test_help_and_version_are_said_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for words in ([], ["--help"], ["-h"], ["train", "-h"], ["--version"]):
        assert run(monkeypatch, *words) == 0
        said.append(capsys.readouterr())
    assert not any(each.err for each in said)
    alone, asked, short, train, version = (each.out for each in said)
    assert alone == asked == short
    assert alone.count("\n") > 15
    assert "--samples" in train
    assert version == f"cortexsim {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["compare", "--help"], ["train", "--help"]])
def test_help_loads_no_engine(words: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['cortexsim', *{words}]; from cortexsim import cli\n"
        "try: cli.main()\nexcept SystemExit: print({'torch', 'brian2', 'matplotlib'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.endswith("\nset()\n")


TINY = ["--depth", "2", "--features", "4", "--multiplicity", "2", "--samples", "8"]


def test_an_output_that_is_closed_is_said_on_the_other_one(tmp_path: Path) -> None:
    """As `cortexsim train ... | head -1` does."""
    command = [sys.executable, "-m", "cortexsim", "train", "untrained", *TINY, "--out", str(tmp_path / "out")]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        found = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, timeout=300)
    assert found.returncode == 1
    how = f"cortexsim train --resume {tmp_path / 'out'}"
    assert found.stderr == f"cortexsim: the output was closed. What is done is kept; go on with: {how}\n"


@pytest.mark.parametrize(
    "surroundings",
    [{"PYTHONIOENCODING": "ascii"}, pytest.param({"LC_ALL": "C", "PYTHONUTF8": "0"}, marks=pytest.mark.slow)],
)
def test_an_output_without_the_letters_is_no_error(tmp_path: Path, surroundings: dict[str, str]) -> None:
    words = ["compare", "--model", "untrained", *TINY, "--seeds", "2", "--workers", "1", "--out", str(tmp_path)]
    found = cortexsim(*words, **surroundings)
    assert (found.returncode, found.stderr) == (0, "")
    assert "?" in found.stdout


def test_a_name_that_is_no_text_is_refused_before_training(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.toml"
    try:
        with open(path, "w") as file:
            file.write('learner = "untrained"\n')
    except OSError:
        pytest.skip("this file system has no such names")
    found = cortexsim("train", os.fsdecode(path), *TINY, "--out", str(tmp_path / "out"))
    assert found.returncode == 2
    assert "the file name is not valid UTF-8 (rename the file)" in found.stderr
    assert found.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
