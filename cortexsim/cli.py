"""The command line: a thin layer over functions of the other modules."""

import inspect
import io
import os
import re
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cortexsim import __version__, card_commands, commands, completion
from cortexsim.config.targets import checked_target
from cortexsim.errors import OutputClosed, UserError
from cortexsim.examples import epilog
from cortexsim.export import export
from cortexsim.options import (
    OF_ALL_COMMANDS,
    REPORTED_GRAMMAR,
    Classes,
    Depth,
    Device,
    Features,
    GrammarSeed,
    Multiplicity,
    Out,
    Resume,
    Target,
    TaskName,
    TupleSize,
    Workers,
    options_of,
    sizes,
    task_of,
    working,
)
from cortexsim.processes import interruptible
from cortexsim.report.console import open_console
from cortexsim.storage.folders import COMMAND
from cortexsim.verbosity import verbosity

if TYPE_CHECKING:
    from cortexsim.tasks import Task

app = typer.Typer(
    help="Can a local plasticity rule learn a hidden hierarchy, from how many samples, compared with backpropagation?",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DEFAULT_MODELS = ("backprop", "clapp", "clapp-sparse", "dfa", "untrained")
DEFAULT_SAMPLES = "256,512,1024,2048"


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the version or, without a command, the help."""
    if version:
        print(f"cortexsim {__version__}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        print(context.get_help())


def compare(
    context: typer.Context,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of a model, or path of a .toml file; repeat for more.", autocompletion=completion.models
        ),
    ] = None,
    samples: Annotated[
        str | None,
        typer.Option(help=f"Training-set sizes, with commas between; {DEFAULT_SAMPLES} where models are named."),
    ] = None,
    task: TaskName = None,
    depth: Depth = None,
    multiplicity: Multiplicity = None,
    features: Features = None,
    tuple_size: TupleSize = None,
    classes: Classes = None,
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions, each with a grammar of its own.")] = 3,
    grammar_seed: GrammarSeed = REPORTED_GRAMMAR,
    device: Device = "cpu",
    target: Target = "cpp",
    workers: Workers = 0,
    out: Out = None,
    resume: Resume = None,
) -> None:
    """Compare learners: a table, a figure and a report; where nothing is named, as in the experiment at_a_glance.

    On the task that is named, or that the models are for; otherwise on a hierarchy, of three levels unless --depth is
    given.
    """
    from cortexsim.config.own_tasks import shared_task
    from cortexsim.config.registry import find_model
    from cortexsim.rate import choose_device as choose
    from cortexsim.storage.ledger import record_command
    from cortexsim.studies.comparison import Comparison, configuration
    from cortexsim.studies.comparison import compare as run
    from cortexsim.studies.engine import Engine
    from cortexsim.tasks.rhm import Hierarchy

    console, chosen = open_console(), options_of(context, compare, "workers")
    chosen.model = chosen.model or default_models(console, chosen.target)
    models = tuple(find_model(name) for name in chosen.model)
    start = Hierarchy(depth=3) if chosen.task is not None else shared_task(models) or Hierarchy(depth=3)
    shown = task_of(start, chosen.task, vars(chosen))
    samples_tried, of_learners = ((), {}) if chosen.samples else default_sizes(chosen.model, shown)
    comparison = Comparison(
        models=models,
        task=shown,
        samples=samples_tried or sizes(chosen.samples or DEFAULT_SAMPLES),
        sizes=of_learners,
        seeds=chosen.seeds,
        grammar_seed=chosen.grammar_seed,
        device=choose(chosen.device),
        target=checked_target(chosen.target),
    )
    comparison.check()
    chosen.depth = comparison.task.depth if isinstance(comparison.task, Hierarchy) else None
    with working(resume or out, "compare", COMMAND, console, "cortexsim compare --resume") as folder:
        record_command(folder, "compare", vars(chosen), configuration(comparison))
        run(comparison, Engine(folder, console, workers))
    console.print(f"Written: {folder}/result.json, figure.png, figure.svg, report.html", soft_wrap=True)


def default_models(console: Console, target: str) -> list[str]:
    """The learners to compare where none is named: without a compiler, those that need none."""
    from cortexsim.config.registry import find_model
    from cortexsim.spiking import compiler

    try:
        if target != "cpp":
            raise UserError(f"--target {target} is slow (--model clapp-sparse takes it all the same)")
        compiler()
    except UserError as error:
        console.print(f"Without clapp-sparse: {error}", soft_wrap=True)
        return [name for name in DEFAULT_MODELS if not find_model(name).in_brian]
    return list(DEFAULT_MODELS)


def default_sizes(names: list[str], task: "Task") -> tuple[tuple[int, ...], dict[str, tuple[int, ...]]]:
    """The training-set sizes of the experiment at_a_glance, and those of each learner, where it is what is compared."""
    from cortexsim.config.registry import find_experiment_file, find_model
    from cortexsim.studies.comparison_experiment import ComparisonExperiment

    (glance,) = ComparisonExperiment.open(find_experiment_file("at_a_glance")).comparisons.values()
    without_compiler = [name for name in DEFAULT_MODELS if not find_model(name).in_brian]
    if task != glance.task or names not in (list(DEFAULT_MODELS), without_compiler):
        return (), {}
    return glance.samples, {name: each for name, each in glance.sizes.items() if name in names}


def raster(
    model: Annotated[
        str,
        typer.Argument(
            help="Name of a model with spiking layers, or path of a .toml file.", autocompletion=completion.models
        ),
    ],
    samples: Annotated[int | None, typer.Option(min=2, help="Training samples; the model's own unless given.")] = None,
    fixations: Annotated[int, typer.Option(min=1, help="Fixations to draw.")] = 6,
    task: TaskName = None,
    depth: Depth = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of data, first weights and order.")] = 0,
    grammar_seed: GrammarSeed = 0,
    target: Target = "cpp",
    out: Out = None,
) -> None:
    """Draw spikes, a membrane potential and its dendrite, before and after training."""
    from cortexsim.config.registry import find_model
    from cortexsim.config.trial import Trial, trial_record
    from cortexsim.storage.ledger import record_command
    from cortexsim.studies.raster import draw
    from cortexsim.studies.test_size import checked_test_size

    console, found = open_console(), find_model(model)
    shown = task_of(found.own_task(), task, {"depth": depth})
    count = samples or found.training.samples
    tested = checked_test_size(shown, count)
    trial = Trial(found, shown, count, tested, grammar_seed, seed, target=checked_target(target))
    with working(out, f"raster-{found.name}", COMMAND, console, "the same command, and --out") as folder:
        record_command(folder, "raster", {}, trial_record(trial) | {"fixations": fixations})
        draw(trial, fixations, folder, console)
    console.print(f"Written: {folder}/raster.png, raster.svg", soft_wrap=True)


def experiment(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(help="Name of an experiment, or path of its folder.", autocompletion=completion.experiments),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The quick form of the experiment, if it has one.")] = False,
    from_rows: Annotated[
        bool,
        typer.Option("--from-rows", help="Compute nothing: write tables and figures from the committed rows."),
    ] = False,
    device: Device = "cpu",
    workers: Workers = 0,
    out: Out = None,
    resume: Resume = None,
) -> None:
    """Run an experiment: measure again what it claims."""
    from cortexsim.config.registry import experiment_paths
    from cortexsim.rate import choose_device as choose
    from cortexsim.storage.ledger import record_command
    from cortexsim.studies.engine import Engine
    from cortexsim.studies.experiment import open_experiment, redraw

    console, chosen = open_console(), options_of(context, experiment, "workers")
    if chosen.name is None:
        raise UserError(f"experiment: name one ({', '.join(experiment_paths())}), or --resume FOLDER")
    if from_rows:
        if quick:
            raise UserError("--quick: --from-rows computes nothing (leave one of them out)")
        return console.print(f"Written: {redraw(chosen.name, out)}", soft_wrap=True)
    opened = open_experiment(chosen.name, choose(chosen.device), chosen.quick)
    console.print(opened.description)
    with working(resume or out, Path(chosen.name).name, COMMAND, console, "cortexsim experiment --resume") as folder:
        record_command(folder, "experiment", vars(chosen), opened.configuration)
        written = opened.run(Engine(folder, console, workers))
    console.print(f"Written: {folder}/{written}", soft_wrap=True)


def _registered(command: Callable[..., None]) -> None:
    """Add a command to the program, with examples in its help, and with the options that all commands have."""

    @wraps(command)
    def run(*, quiet: bool, verbose: bool, **arguments: Any) -> None:
        with verbosity(quiet, verbose):
            command(**arguments)

    signature = inspect.signature(command)
    several = [*signature.parameters.values(), *OF_ALL_COMMANDS.values()]
    run.__signature__ = signature.replace(parameters=several)  # type: ignore[attr-defined]
    run.__annotations__ = command.__annotations__ | {name: each.annotation for name, each in OF_ALL_COMMANDS.items()}
    app.command(epilog=epilog(command.__name__))(run)


for _command in (
    compare,
    commands.threshold,
    commands.models,
    commands.show,
    commands.train,
    commands.sweep,
    commands.search,
    commands.runs,
    commands.report,
    card_commands.protocol,
    card_commands.cards,
    card_commands.fit,
    export,
    raster,
    experiment,
):
    _registered(_command)


def main() -> None:
    """Run the command line; an error that a user can correct ends in one line on stderr and exit code 2."""
    for output in (sys.stdout, sys.stderr):  # A terminal without a character shows "?" and no traceback.
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="replace")
    try:
        with interruptible():
            code = app(standalone_mode=False)
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except (OutputClosed, BrokenPipeError):  # The reader of the output has closed it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError as error:
        _fail(f"not enough memory ({error}; fewer cells, samples or levels need less)")
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
    except Exception as error:
        # Usage errors of typer, whichever copy of click it brings, format themselves in one line.
        if not hasattr(error, "format_message"):
            raise
        _fail(_with_word(" ".join(error.format_message().split())))
    sys.exit(code if isinstance(code, int) else 0)


def _with_word(message: str) -> str:
    """Add the word in which a one-letter option stands, as in ``-quick`` for ``--quick``."""
    words = (word for word in sys.argv[1:] if re.fullmatch(r"-[a-zA-Z]{2,}.*", word))
    word = next((word for word in words if message == f"No such option: -{message[-1]}" and message[-1] in word), None)
    return message if word is None else f"{message} (in '{word}'; long options begin with --)"


def _fail(message: str) -> None:
    print(f"cortexsim: {' '.join(message.splitlines())}", file=sys.stderr)
    sys.exit(2)
