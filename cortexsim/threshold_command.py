"""The command that looks for how many samples a model needs."""

from typing import Annotated

import typer

from cortexsim.errors import UserError
from cortexsim.options import (
    REPORTED_GRAMMAR,
    Classes,
    Device,
    Features,
    GrammarSeed,
    Multiplicity,
    Out,
    Resume,
    Target,
    TupleSize,
    Workers,
    asked,
    asked_before,
    checked_target,
    only,
    working,
)
from cortexsim.report.console import open_console
from cortexsim.storage.folders import COMMAND


def threshold(
    context: typer.Context,
    model: Annotated[list[str] | None, typer.Argument(help="Names of models, or paths of .toml files.")] = None,
    depth: Annotated[str, typer.Option(help="L, levels; several with commas between.")] = "3",
    multiplicity: Multiplicity = None,
    features: Features = None,
    tuple_size: TupleSize = None,
    classes: Classes = None,
    grammars: Annotated[int, typer.Option(min=1, help="Grammars: what an interval is over.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds a grammar: data, first weights and order.")] = 1,
    grammar_seed: GrammarSeed = REPORTED_GRAMMAR,
    cap: Annotated[int, typer.Option(min=2, help="Largest training set that may be tried.")] = 4096,
    alone: Annotated[bool, typer.Option("--alone", help="Without backprop and untrained beside them.")] = False,
    device: Device = "cpu",
    target: Target = "cpp",
    workers: Workers = 0,
    out: Out = None,
    resume: Resume = None,
) -> None:
    """Find P*, the samples that models need to learn the hierarchy, beside backpropagation."""
    values = asked(locals())
    from cortexsim.rate import device as choose
    from cortexsim.storage.ledger import note
    from cortexsim.studies import samples_needed
    from cortexsim.studies.thresholds import sweep_configuration

    if resume is not None:
        only(context, "resume", "workers")
        return threshold(context, **asked_before(resume, threshold), workers=workers, out=resume)
    if not model:
        raise UserError("threshold: name a model, such as clapp, or a search to go on with (--resume FOLDER)")
    console = open_console()
    sizes = {"features": features, "multiplicity": multiplicity, "tuple_size": tuple_size, "classes": classes}
    planned = samples_needed.plan(
        model if alone else samples_needed.beside(model),
        depths(depth),
        {name: size for name, size in sizes.items() if size is not None},
        grammars=grammars,
        seeds=seeds,
        grammar_seed=grammar_seed,
        cap=cap,
        device=choose(device),
        target=checked_target(target),
    )
    with working(out, "threshold", COMMAND, console, "cortexsim threshold --resume") as folder:
        note(folder, "threshold", values, sweep_configuration(planned))
        written = samples_needed.find(planned, folder, console, workers)
    console.print(f"Written: {folder}/{written}", soft_wrap=True)


def depths(text: str) -> list[int]:
    """Read depths, with commas between."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--depth {text}: not a list of whole numbers (such as 3,4)") from None
