"""Commands about models and stored runs: train, sweep, search, threshold, and reports of their folders."""

from pathlib import Path
from typing import Annotated

import typer

from cortexsim import completion
from cortexsim.config.targets import checked_target
from cortexsim.errors import UserError, error_prefix
from cortexsim.options import (
    REPORTED_GRAMMAR,
    SIZES,
    Checkpoint,
    Classes,
    Depth,
    Device,
    Every,
    Features,
    GrammarSeed,
    ModelName,
    Multiplicity,
    Out,
    Record,
    RecordedSynapses,
    Resume,
    Target,
    TaskName,
    TupleSize,
    Workers,
    absolute,
    only,
    options_of,
    task_of,
    working,
)
from cortexsim.report.console import open_console, origin, print_table
from cortexsim.storage.folders import COMMAND


def train(
    context: typer.Context,
    model: ModelName = None,
    samples: Annotated[int | None, typer.Option(min=2, help="Training samples; the model's own unless given.")] = None,
    task: TaskName = None,
    depth: Depth = None,
    multiplicity: Multiplicity = None,
    features: Features = None,
    tuple_size: TupleSize = None,
    classes: Classes = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of data, first weights and order.")] = 0,
    grammar_seed: GrammarSeed = 0,
    device: Device = "cpu",
    target: Target = "cpp",
    out: Out = None,
    resume: Resume = None,
    checkpoint: Checkpoint = 30.0,
    record: Record = None,
    every: Every = None,
    synapses: RecordedSynapses = None,
) -> None:
    """Train one model, and read out every layer; an interrupted run is resumed with --resume.

    With --record weights, the weights of single synapses are stored while it learns, which changes nothing else.

    A model that names a Python file as its rule runs the code of that file, and so does a run of such a model.
    """
    from cortexsim.config.registry import find_model
    from cortexsim.config.trial import Trial
    from cortexsim.rate import choose_device as choose
    from cortexsim.storage.folders import RECORD
    from cortexsim.storage.run_directory import RunFolder
    from cortexsim.studies.sampling import checked_sampling
    from cortexsim.studies.single_run import train_one
    from cortexsim.studies.test_size import checked_test_size

    console, sampling = open_console(), None
    if resume is not None:
        only(context, "resume", "checkpoint")
        begun = RunFolder(resume)
        trial = begun.trial
        choose(trial.device)
        if begun.result is not None:  # It is only shown, also on a read-only disk.
            origin(trial.model, model, console)
            train_one(begun, console, checkpoint)
            return
    elif model is None:
        raise UserError("train: name a model, such as clapp, or a run to go on with (--resume RUN)")
    else:
        found, sized = find_model(model), checked_target(target)
        shown = task_of(found.own_task(), task, context.params)
        count = samples or found.training.samples
        tested = checked_test_size(shown, count)
        trial = Trial(found, shown, count, tested, grammar_seed, seed, choose(device), sized)
        sampling = checked_sampling(record, every, synapses, found, count)
    with working(resume or out, trial.model.name, RECORD, console, "cortexsim train --resume") as path:
        origin(trial.model, model, console)
        folder = RunFolder(path) if resume else RunFolder.begin(path, trial, sampling)
        train_one(folder, console, checkpoint)
    written = "result.json, report.html, figure.svg, metrics.jsonl, weights.npz"
    if folder.sampling is not None:
        written += ", weights_over_time.safetensors, .png, .svg"
    console.print(f"Written: {path}/{written}", soft_wrap=True)


def sweep(
    context: typer.Context,
    model: ModelName = None,
    together: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE,VALUE; values of several keys are paired.")
    ] = None,
    grid: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE,VALUE; every value is combined with all others.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of each point, each with a grammar of its own.")] = 1,
    samples: Annotated[int | None, typer.Option(min=2, help="Training samples; the model's own unless given.")] = None,
    grammar_seed: GrammarSeed = 0,
    device: Device = "cpu",
    target: Target = "cpp",
    workers: Workers = 0,
    cluster: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, tcp://host:8786; its workers see the same folder.")
    ] = None,
    out: Out = None,
    resume: Resume = None,
) -> None:
    """Run a model with many settings, each point a run of its own; finished points are not run again."""
    from cortexsim.rate import choose_device as choose
    from cortexsim.storage.folders import PLAN
    from cortexsim.studies import parameter_sweep as sweeping
    from cortexsim.studies.engine import Engine

    console = open_console()
    if resume is not None:
        only(context, "resume", "workers", "cluster")
        plan = sweeping.read_plan(resume)
    elif model is None:
        raise UserError("sweep: name a model, such as clapp, or a sweep to go on with (--resume FOLDER)")
    else:
        chosen, run_on = checked_target(target), choose(device)
        plan = sweeping.ParameterSweep(
            absolute(model), together or (), grid or (), seeds, samples, grammar_seed, run_on, chosen
        )
    plan.points()  # Impossible points are reported before there is a folder.
    name = f"sweep-{Path(plan.model).stem}"
    with working(resume or out, name, PLAN, console, "cortexsim sweep --resume") as folder:
        rows = sweeping.run_sweep(plan, Engine(folder, console, workers, cluster))
    print_table(sweeping.table(rows), console)
    failed = [row for row in rows if "error" in row]
    for row in failed:
        console.print(f"Failed: {folder}/points/{row['key']}: {row['error']}", soft_wrap=True)
    console.print(f"Written: {folder}/result.json, and a run for each point in points/", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def search(
    plan: Annotated[Path, typer.Argument(help="TOML file of a search, such as experiments/tuning/depth-3.toml.")],
    workers: Workers = 0,
    out: Out = None,
) -> None:
    """Random search of hyperparameters, with the same number of draws for each model."""
    from cortexsim.storage.folders import COMMAND
    from cortexsim.storage.ledger import record_command
    from cortexsim.studies import random_search as searching
    from cortexsim.studies.engine import Engine

    console, found = open_console(), searching.read_search(plan)
    with error_prefix(str(plan)):
        configuration = searching.configuration(found)
    with working(out, "search", COMMAND, console, "the same command, and --out") as folder, error_prefix(str(plan)):
        record_command(folder, "search", {}, configuration)
        outcome = searching.search(found, Engine(folder, console, workers))
    print_table(searching.table(outcome), console)
    console.print(f"Written: {folder}/outcome.json, result.json", soft_wrap=True)


def runs(
    folder: Annotated[Path, typer.Argument(help="Where to look, subfolders included.")] = Path("runs"),
) -> None:
    """List runs, with their progress and results."""
    from cortexsim.report import run_index

    console = open_console()
    found = run_index.find_runs(folder, lambda line: console.print(line, soft_wrap=True))
    if found:
        print_table(run_index.listing(found), console)
    else:
        console.print(f"{folder}: no run in it", soft_wrap=True)


def report(
    run: Annotated[list[Path], typer.Argument(help="Folders of runs, or of sweeps.")],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
) -> None:
    """Compare runs on an HTML page: tables that can be sorted, a figure, and the settings in which they differ."""
    from cortexsim.report import run_index, run_pages

    run_pages.see_replaceable(out)
    console = open_console()
    found = run_index.read_runs(run, lambda line: console.print(line, soft_wrap=True))
    run_pages.write(out, found)
    console.print(f"Written: {out}, of {len(found)} runs", soft_wrap=True)


def threshold(
    context: typer.Context,
    model: Annotated[
        list[str] | None,
        typer.Argument(help="Names of models, or paths of .toml files.", autocompletion=completion.models),
    ] = None,
    depth: Annotated[str, typer.Option(help="L, levels; several with commas between.")] = "3",
    multiplicity: Multiplicity = None,
    features: Features = None,
    tuple_size: TupleSize = None,
    classes: Classes = None,
    grammars: Annotated[int, typer.Option(min=1, help="Number of grammars, over which the interval is taken.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds per grammar: data, initial weights and order.")] = 1,
    grammar_seed: GrammarSeed = REPORTED_GRAMMAR,
    cap: Annotated[int, typer.Option(min=2, help="Largest training set that may be tried.")] = 4096,
    alone: Annotated[bool, typer.Option("--alone", help="Without backprop and untrained for comparison.")] = False,
    device: Device = "cpu",
    target: Target = "cpp",
    workers: Workers = 0,
    out: Out = None,
    resume: Resume = None,
) -> None:
    """Find P*, the number of samples that models need to learn the hierarchy, compared with backpropagation."""
    from cortexsim.rate import choose_device as choose
    from cortexsim.storage.ledger import record_command
    from cortexsim.studies import samples_needed
    from cortexsim.studies.engine import Engine
    from cortexsim.studies.thresholds import sweep_configuration

    console, chosen = open_console(), options_of(context, threshold, "workers")
    if not chosen.model:
        raise UserError("threshold: name a model, such as clapp, or a search to go on with (--resume FOLDER)")
    planned = samples_needed.plan(
        chosen.model if chosen.alone else samples_needed.beside(chosen.model),
        depths(chosen.depth),
        {name: size for name in SIZES[1:] if (size := getattr(chosen, name)) is not None},
        grammars=chosen.grammars,
        seeds=chosen.seeds,
        grammar_seed=chosen.grammar_seed,
        cap=chosen.cap,
        device=choose(chosen.device),
        target=checked_target(chosen.target),
    )
    with working(resume or out, "threshold", COMMAND, console, "cortexsim threshold --resume") as folder:
        record_command(folder, "threshold", vars(chosen), sweep_configuration(planned))
        written = samples_needed.find(planned, Engine(folder, console, workers))
    console.print(f"Written: {folder}/{written}", soft_wrap=True)


def depths(text: str) -> list[int]:
    """Read depths, separated by commas.

    Raises:
        UserError: where they are no whole numbers.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--depth {text}: not a list of whole numbers (such as 3,4)") from None


def models(
    rules: Annotated[bool, typer.Option("--rules", help="The rules alone.")] = False,
    tasks: Annotated[bool, typer.Option("--tasks", help="The tasks alone.")] = False,
    contexts: Annotated[bool, typer.Option("--contexts", help="The contexts alone.")] = False,
) -> None:
    """List models, plasticity rules, tasks, and the contexts that dendrites receive."""
    from cortexsim.report import describe

    console = open_console()
    every = not (rules or tasks or contexts)
    for wanted, table in (
        (every, describe.models_table),
        (every or rules, describe.rules_table),
        (every or tasks, describe.tasks_table),
        (every or contexts, describe.contexts_table),
    ):
        if wanted:
            print_table(table(), console)


def show(
    model: Annotated[
        str, typer.Argument(help="Name of a model, or path of a .toml file.", autocompletion=completion.models)
    ],
) -> None:
    """Describe a model: its layers, cells, weights and memory, and the three factors of its rule.

    A model that names a Python file as its rule runs the code of that file, here too.
    """
    from cortexsim.config.registry import find_model
    from cortexsim.report import describe

    console, found = open_console(), find_model(model)
    origin(found, model, console)
    describe.describe(found, console)
