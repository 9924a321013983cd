"""The command line: thin, for everything it does is a function elsewhere."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cortexsim.errors import UserError, nearest
from cortexsim.hierarchy import Hierarchy
from cortexsim.runs.tell import open_console

app = typer.Typer(
    help="Can a local plasticity rule learn a hidden hierarchy, and with how many samples next to backpropagation?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DEFAULT_MODELS = ("backprop", "clapp", "dfa", "untrained")
REPORTED_GRAMMAR = 10  # From here on, no grammar below 100 has chosen a constant: experiments/tuning.

Features = Annotated[int | None, typer.Option(help="v, symbols a level.")]
Multiplicity = Annotated[int | None, typer.Option(help="m, synonyms a symbol.")]
Depth = Annotated[int | None, typer.Option(help="L, levels.")]
TupleSize = Annotated[int | None, typer.Option(help="s, symbols in a tuple.")]
Classes = Annotated[int | None, typer.Option(help="n_c, labels; v unless given.")]
GrammarSeed = Annotated[int, typer.Option(min=0, help="Seed of the first grammar; repetition k adds k.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, mps, or auto.")]
Target = Annotated[
    str, typer.Option(help="How layers in Brian2 run: cpp (compiled once), or, slowly, numpy or cython.")
]
Workers = Annotated[int, typer.Option(min=0, help="Processes side by side; 0 takes one a core.")]
Out = Annotated[Path | None, typer.Option(help="Folder for results; one with unfinished results is gone on with.")]


@app.command()
def compare(
    model: Annotated[
        list[str] | None, typer.Option(help="Name of a model, or path of a .toml file; repeat for more.")
    ] = None,
    samples: Annotated[str, typer.Option(help="Training-set sizes, with commas between.")] = "1024,1536,2048,3072,4096",
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
) -> None:
    """Set learners side by side: a table, a figure and a report."""
    from cortexsim.rate import device as choose
    from cortexsim.runs.compare import Comparison, compare
    from cortexsim.runs.locate import find_model

    console = open_console()
    comparison = Comparison(
        models=tuple(find_model(name) for name in model or DEFAULT_MODELS),
        hierarchy=_hierarchy(Hierarchy(), depth, multiplicity, features, tuple_size, classes),
        samples=_sizes(samples),
        seeds=seeds,
        grammar_seed=grammar_seed,
        device=choose(device),
        target=_target(target),
    )
    comparison.check()
    folder = out or Path("runs") / time.strftime("compare-%Y%m%d-%H%M%S")
    with _Interruptible(console, folder):
        compare(comparison, folder, console, workers)
    console.print(f"Written: {folder}/result.json, figure.png, figure.svg, report.html", soft_wrap=True)


@app.command()
def models() -> None:
    """List the models of the package, and the rules they can follow."""
    from cortexsim.runs import show

    console = open_console()
    console.print(show.models_table())
    console.print(show.rules_table())


@app.command()
def show(model: Annotated[str, typer.Argument(help="Name of a model, or path of a .toml file.")]) -> None:
    """Show a model: its layers, cells, weights and memory, and its rule's three factors."""
    from cortexsim.runs import show
    from cortexsim.runs.locate import find_model

    show.describe(find_model(model), open_console())


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="Name of a model, or path of a .toml file.")],
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
) -> None:
    """Train one model, and read every layer out."""
    from cortexsim.rate import device as choose
    from cortexsim.runs.locate import find_model
    from cortexsim.runs.single import train_one
    from cortexsim.runs.trial import Trial, test_size

    console, found = open_console(), find_model(model)
    hierarchy = _hierarchy(found.task(), depth, multiplicity, features, tuple_size, classes)
    count = samples or found.training.samples
    trial = Trial(
        found, hierarchy, count, test_size(hierarchy, count), grammar_seed, seed, choose(device), _target(target)
    )
    folder = out or Path("runs") / time.strftime(f"{found.name}-%Y%m%d-%H%M%S")
    train_one(trial, folder, console)
    console.print(f"Written: {folder}/result.json, weights.npz", soft_wrap=True)


@app.command()
def raster(
    model: Annotated[str, typer.Argument(help="Name of a model with spiking layers, or path of a .toml file.")],
    samples: Annotated[int | None, typer.Option(min=2, help="Training samples; the model's own unless given.")] = None,
    fixations: Annotated[int, typer.Option(min=1, help="Fixations to draw.")] = 6,
    depth: Depth = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of data, first weights and order.")] = 0,
    grammar_seed: GrammarSeed = 0,
    target: Target = "cpp",
    out: Out = None,
) -> None:
    """Draw spikes, a membrane and its dendrite, before and after training."""
    from cortexsim.runs.locate import find_model
    from cortexsim.runs.raster import draw
    from cortexsim.runs.trial import Trial, test_size

    console, found = open_console(), find_model(model)
    hierarchy = _hierarchy(found.task(), depth, None, None, None, None)
    count = samples or found.training.samples
    trial = Trial(found, hierarchy, count, test_size(hierarchy, count), grammar_seed, seed, target=_target(target))
    folder = out or Path("runs") / time.strftime(f"raster-{found.name}-%Y%m%d-%H%M%S")
    draw(trial, fixations, folder, console)
    console.print(f"Written: {folder}/raster.png, raster.svg", soft_wrap=True)


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(help="Name of an experiment, or path of its folder.")],
    device: Device = "cpu",
    workers: Workers = 0,
    out: Out = None,
) -> None:
    """Measure again what an experiment claims."""
    from cortexsim.rate import device as choose
    from cortexsim.runs import experiment as experiments

    console, folder = open_console(), out or Path("runs") / time.strftime(f"{Path(name).name}-%Y%m%d-%H%M%S")
    found, beside = experiments.find_experiment(name)
    console.print(found.description)
    with _Interruptible(console, folder):
        experiments.run_experiment(experiments.comparisons(found, beside, choose(device)), folder, console, workers)
    console.print(f"Written: a folder for each comparison in {folder}", soft_wrap=True)


@app.command()
def search(
    plan: Annotated[Path, typer.Argument(help="TOML file of a search, such as experiments/tuning/broad.toml.")],
    workers: Workers = 0,
    out: Out = None,
) -> None:
    """Search hyper-parameters at random, with the same number of draws for each model."""
    from cortexsim.runs import search as searching

    console, folder = open_console(), out or Path("runs") / time.strftime("search-%Y%m%d-%H%M%S")
    found = searching.read_search(plan)
    with _Interruptible(console, folder):
        outcome = searching.search(found, folder, console, workers)
    console.print(searching.table(outcome))
    console.print(f"Written: {folder}/outcome.json", soft_wrap=True)


def main() -> None:
    """Run the command line; what a user can mend ends in one line on stderr and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # Usage errors of typer, whichever copy of click it brings: they know how to say themselves in one line.
        if not hasattr(error, "format_message"):
            raise
        _fail(" ".join(error.format_message().split()))
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> None:
    print(f"cortexsim: {message}", file=sys.stderr)
    sys.exit(2)


class _Interruptible:
    """Say, at Ctrl-C, what was kept and how to go on."""

    def __init__(self, console: Console, folder: Path) -> None:
        self.console, self.folder = console, folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt:
            self.console.print(
                f"Interrupted. Finished runs are kept; go on with the same command and --out {self.folder}",
                soft_wrap=True,
                highlight=False,
            )


def _hierarchy(
    start: Hierarchy,
    depth: int | None,
    multiplicity: int | None,
    features: int | None,
    tuple_size: int | None,
    classes: int | None,
) -> Hierarchy:
    """Change the sizes that were given; the number of classes follows the features unless it was named."""
    features = start.features if features is None else features
    return Hierarchy(
        features=features,
        multiplicity=start.multiplicity if multiplicity is None else multiplicity,
        depth=start.depth if depth is None else depth,
        tuple_size=start.tuple_size if tuple_size is None else tuple_size,
        classes=classes if classes is not None else (start.classes if start.classes != start.features else features),
    )


def _target(name: str) -> str:
    if name not in (known := ("cpp", "numpy", "cython")):
        raise UserError(f"--target {name}: not known ({nearest(name, known)})")
    return name


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise UserError(f"--samples {text}: not a list of whole numbers (such as 1024,4096)") from None
    if sizes[0] < 2:
        raise UserError(f"--samples {text}: {sizes[0]} is too few (at least 2)")
    return tuple(sizes)
