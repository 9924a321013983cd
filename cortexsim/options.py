"""Options of the command line, and the reading of their values."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from inspect import Parameter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer
from rich.console import Console

from cortexsim import completion
from cortexsim.errors import OutputClosed, UserError
from cortexsim.verbosity import quiet

if TYPE_CHECKING:
    from cortexsim.tasks import Task

REPORTED_GRAMMAR = 10  # Grammars 10 to 99 are held out from all tuning: experiments/tuning.

ModelName = Annotated[
    str | None, typer.Argument(help="Name of a model, or path of a .toml file.", autocompletion=completion.models)
]
TaskName = Annotated[
    str | None,
    typer.Option(
        help="The task: rhm, digits, ..., or a .csv, .npy, .npz or .py file; after commas its fields, key=value.",
        autocompletion=completion.tasks,
    ),
]
Features = Annotated[int | None, typer.Option(help="v, symbols per level.")]
Multiplicity = Annotated[int | None, typer.Option(help="m, synonyms per symbol.")]
Depth = Annotated[int | None, typer.Option(help="L, levels.")]
TupleSize = Annotated[int | None, typer.Option(help="s, symbols in a tuple.")]
Classes = Annotated[int | None, typer.Option(help="n_c, labels; v unless given.")]
GrammarSeed = Annotated[int, typer.Option(min=0, help="Seed of the first grammar; repetition k adds k.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, mps, or auto.")]
Target = Annotated[
    str, typer.Option(help="How layers in Brian2 run: cpp (compiled once), or, slowly, numpy or cython.")
]
Workers = Annotated[int, typer.Option(min=0, help="Processes side by side; 0 takes one per core.")]
Resume = Annotated[
    Path | None,
    typer.Option(
        help="Folder of an interrupted run, which resumes to the same result.", autocompletion=completion.runs
    ),
]
Record = Annotated[
    str | None,
    typer.Option(
        help="What to record while it learns: weights, of single synapses.",
        metavar="WHAT",
        autocompletion=completion.recordable,
    ),
]
Every = Annotated[
    int | None,
    typer.Option(min=1, help="Fixations, that is, samples shown, between two records; an epoch unless given."),
]
RecordedSynapses = Annotated[
    str | None,
    typer.Option(
        "--synapses",
        help="How many of each layer's feedforward and context weights, drawn at random, or all; 64 unless given.",
        metavar="N",
        autocompletion=completion.synapses,
    ),
]
Checkpoint = Annotated[float, typer.Option(min=0, help="Seconds between checkpoints; 0 writes one after every batch.")]


def _folder(text: str) -> Path:
    if not text.strip():
        raise UserError("--out '': name a folder (or leave it out, for a new one in runs/)")
    return Path(text)


Out = Annotated[
    Path | None,
    typer.Option(help="Folder for results; unfinished results in it are resumed.", parser=_folder, metavar="PATH"),
]


TASK_FILES = (".csv", ".npy", ".npz", ".py")  # Endings of files that `--task` takes.
SIZES = ("depth", "multiplicity", "features", "tuple_size", "classes")  # Options of the hierarchy.
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results alone, and no progress.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print every run and epoch, and where errors arise.")]
OF_ALL_COMMANDS = {
    name: Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=kind)
    for name, kind in (("quiet", Quiet), ("verbose", Verbose))
}
NOT_ASKED = ("context", "workers", "out", "resume", "from_rows", *OF_ALL_COMMANDS)
"""Arguments that a result does not depend on."""


class Interruptible:
    """Print how to resume when a command is interrupted or its output closed, and how long it took when it ends.

    Args:
        console: where it is printed.
        how: the command that resumes.
    """

    def __init__(self, console: Console, how: str) -> None:
        self.console, self.how = console, how

    def __enter__(self) -> None:
        self.start, self.cpu = time.perf_counter(), sum(os.times()[:4])

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt:
            self.console.print(f"Interrupted. What is done is kept; go on with: {self.how}", soft_wrap=True)
        if kind is OutputClosed:
            print(f"cortexsim: the output was closed. What is done is kept; go on with: {self.how}", file=sys.stderr)
        if kind is None:
            from cortexsim.execution.local import end_workers

            end_workers()  # Their processor time is known only then.
            if quiet():
                return
            seconds, cpu = time.perf_counter() - self.start, sum(os.times()[:4]) - self.cpu
            cores = os.cpu_count() or 1
            self.console.print(f"Took {seconds:.0f} s on {cores} core{'s'[: cores > 1]} ({cpu:.0f} s of CPU).")


@contextmanager
def working(out: Path | None, name: str, record: str, console: Console, how: str) -> Iterator[Path]:
    """Lock the folder of a command, make it if it does not exist, and yield it.

    Args:
        out: the folder that was asked for; a new one in ``runs/`` unless given.
        name: beginning of a new folder's name.
        record: name of the file in which the command records its options.
        console: where the command that resumes is printed at Ctrl-C.
        how: the command that resumes, without the folder.

    Raises:
        UserError: where the folder holds something else, or another process works in it.
    """
    from cortexsim.storage.folders import check_output_folder, locked, new_folder

    if out is not None:
        check_output_folder(out, record)
    folder = out or new_folder(name)
    with Interruptible(console, f"{how} {folder}"), locked(folder, f"{how} {folder}"):
        yield folder


def only(context: typer.Context, *allowed: str) -> None:
    """Check that no other options were given.

    Args:
        context: of the command.
        allowed: names of the options that may be given.

    Raises:
        UserError: naming the first other option.
    """
    for name, value in context.params.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and name not in (*allowed, *OF_ALL_COMMANDS):
            option = f"MODEL {value}" if name == "model" else f"--{name.replace('_', '-')}"
            raise UserError(f"{option}: --{allowed[0]} goes on with the run's own settings (leave it out)")


def options_of(context: typer.Context, command: Callable[..., None], *later: str) -> SimpleNamespace:
    """Collect the arguments of a command that its result depends on: as given, or as recorded in ``--resume FOLDER``.

    Args:
        context: of the command.
        command: its function, whose parameters are the options.
        later: names of options that may be given beside ``--resume``.

    Raises:
        UserError: where others are given beside it, or the folder is not one of this command.
    """
    folder = context.params["resume"]
    if folder is None:
        return SimpleNamespace(**asked(context.params))
    only(context, "resume", *later)
    return SimpleNamespace(**asked_before(folder, command))


def asked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Select the arguments of a command that its result depends on; paths are made absolute."""
    found = {key: value for key, value in given.items() if key not in NOT_ASKED}
    for key in ("model", "name"):
        if isinstance(found.get(key), list):
            found[key] = [absolute(name) for name in found[key]]
        elif found.get(key):
            found[key] = absolute(found[key])
    if found.get("task"):
        name, comma, fields = found["task"].partition(",")
        path = Path(name.strip())
        found["task"] = f"{path.resolve() if path.suffix in TASK_FILES else name}{comma}{fields}"
    return found


def asked_before(folder: Path, command: Callable[..., None]) -> dict[str, Any]:
    """Read the arguments that `asked` selected from a command's folder, and validate them against its options.

    Raises:
        UserError: one line naming the file, and what is wrong.
    """
    from pydantic import ConfigDict, Field, create_model

    from cortexsim.storage.folders import COMMAND
    from cortexsim.storage.ledger import recorded_values
    from cortexsim.storage.records import validate

    hints = get_type_hints(command, include_extras=True)
    options = {name: get_args(hint) for name, hint in hints.items() if name not in (*NOT_ASKED, "return")}
    fields: dict[str, Any] = {
        name: (kind, Field(None, ge=about[0].min) if about else None)
        for name, (kind, *about) in ((name, found or (hints[name],)) for name, found in options.items())
    }
    table = create_model(command.__name__, __config__=ConfigDict(extra="forbid", strict=True), **fields)
    values = recorded_values(folder, command.__name__)
    validate(values, table, f"{folder / COMMAND}: values")
    return values


def absolute(name: str) -> str:
    """Make the path of a file or folder absolute; the name of a model or experiment stays."""
    return str(Path(name).resolve()) if name.endswith(".toml") or "/" in name else name


def task_of(start: "Task", task: str | None, options: Mapping[str, Any]) -> "Task":
    """Choose the task of a command, with the sizes of the hierarchy that were given.

    Args:
        start: the task where none was named; its sizes are kept unless others are given.
        task: what ``--task`` was given, if anything.
        options: of the command by name; those named in `SIZES` are read. The number of classes follows that of features
            unless given.

    Raises:
        UserError: where there is no such task, or it has no such size.
    """
    from cortexsim.config.tasks import build_task, parse_task
    from cortexsim.tasks.rhm import Hierarchy

    given = {name: size for name in SIZES if (size := options.get(name)) is not None}
    if task is not None:
        start = build_task(parse_task(task))
    if not isinstance(start, Hierarchy):
        if given:
            name = next(iter(given)).replace("_", "-")
            raise UserError(
                f"--{name} {next(iter(given.values()))}: task '{start.name}' has no such size (leave it out)"
            )
        return start
    if "features" in given and start.classes == start.features:
        given.setdefault("classes", given["features"])
    return replace(start, **given)


def sizes(text: str) -> tuple[int, ...]:
    """Read training-set sizes, and sort them.

    >>> sizes("1024,256")
    (256, 1024)

    Raises:
        UserError: where they are no whole numbers, or too small.
    """
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise UserError(f"--samples {text}: not a list of whole numbers (such as 1024,4096)") from None
    if sizes[0] < 2:
        raise UserError(f"--samples {text}: {sizes[0]} is too few (at least 2)")
    return tuple(sizes)
