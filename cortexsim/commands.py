"""Commands about runs that are kept: train, sweep, and what is made of their folders."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cortexsim.errors import UserError
from cortexsim.options import (
    Checkpoint,
    Classes,
    Depth,
    Device,
    Features,
    GrammarSeed,
    Multiplicity,
    Out,
    Resume,
    Target,
    TupleSize,
    Workers,
    absolute,
    checked_target,
    hierarchy_of,
    only,
    working,
)
from cortexsim.runs.tell import open_console


def train(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Name of a model, or path of a .toml file.")] = None,
    samples: Annotated[int | None, typer.Option(min=2, help="Training samples; the model's own unless given.")] = None,
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
) -> None:
    """Train one model, and read every layer out; stopped at any moment, it goes on with --resume."""
    from cortexsim.rate import device as choose
    from cortexsim.runs.enough import checked_test_size
    from cortexsim.runs.folder import RunFolder
    from cortexsim.runs.locate import find_model
    from cortexsim.runs.place import RECORD
    from cortexsim.runs.single import train_one
    from cortexsim.runs.trial import Trial

    console = open_console()
    if resume is not None:
        only(context, "resume", "checkpoint")
        trial = RunFolder(resume).trial
        choose(trial.device)
    elif model is None:
        raise UserError("train: name a model, such as clapp, or a run to go on with (--resume RUN)")
    else:
        found, sized = find_model(model), checked_target(target)
        hierarchy = hierarchy_of(found.task(), depth, multiplicity, features, tuple_size, classes)
        count = samples or found.training.samples
        tested = checked_test_size(hierarchy, count)
        trial = Trial(found, hierarchy, count, tested, grammar_seed, seed, choose(device), sized)
    with working(resume or out, trial.model.name, RECORD, console, "cortexsim train --resume") as path:
        train_one(RunFolder(path) if resume else RunFolder.begin(path, trial), console, checkpoint)
    written = "result.json, report.html, figure.svg, metrics.jsonl, weights.npz"
    console.print(f"Written: {path}/{written}", soft_wrap=True)


def sweep(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Name of a model, or path of a .toml file.")] = None,
    together: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE,VALUE; several are taken side by side.")
    ] = None,
    grid: Annotated[list[str] | None, typer.Option(help="KEY=VALUE,VALUE; each value with all others.")] = None,
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
    """Run a model with many values, each point a run; those that are done are not run again."""
    from cortexsim.rate import device as choose
    from cortexsim.runs import grid as sweeping
    from cortexsim.runs.place import PLAN

    console = open_console()
    if resume is not None:
        only(context, "resume", "workers", "cluster")
        plan = sweeping.read_plan(resume)
    elif model is None:
        raise UserError("sweep: name a model, such as clapp, or a sweep to go on with (--resume FOLDER)")
    else:
        chosen, run_on = checked_target(target), choose(device)
        plan = sweeping.Grid(absolute(model), together or (), grid or (), seeds, samples, grammar_seed, run_on, chosen)
    side_by_side = 1 if plan.device != "cpu" else workers or os.cpu_count() or 1
    plan.points()  # What cannot be is said before there is a folder.
    name = f"sweep-{Path(plan.model).stem}"
    with working(resume or out, name, PLAN, console, "cortexsim sweep --resume") as folder:
        rows = sweeping.run_grid(plan, folder, console, side_by_side, cluster)
    console.print(sweeping.table(rows))
    failed = [row for row in rows if "error" in row]
    for row in failed:
        console.print(f"Failed: {folder}/points/{row['key']}: {row['error']}", soft_wrap=True)
    console.print(f"Written: {folder}/result.json, and a run for each point in points/", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def runs(
    folder: Annotated[Path, typer.Argument(help="Where to look; folders within are looked through too.")] = Path(
        "runs"
    ),
) -> None:
    """List runs: what they are, how far they are, and what came of them."""
    from cortexsim.runs import gather

    console = open_console()
    found = gather.find(folder, lambda line: console.print(line, soft_wrap=True))
    console.print(gather.listing(found) if found else f"{folder}: no run in it")


def report(
    run: Annotated[list[Path], typer.Argument(help="Folders of runs, or of sweeps.")],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
) -> None:
    """Set runs side by side on one HTML page: tables that sort, a figure, and in what they differ."""
    from cortexsim.runs import gather, pages

    pages.see_replaceable(out)
    console = open_console()
    found = gather.gather(run, lambda line: console.print(line, soft_wrap=True))
    pages.write(out, found)
    console.print(f"Written: {out}, of {len(found)} runs", soft_wrap=True)
