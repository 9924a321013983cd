"""The command that writes runs and results in formats of other programs.

It is a function too:

>>> from cortexsim.studies.engine import write_result
>>> study = Path("study")
>>> study.mkdir()
>>> _ = write_result(study, [{"learner": "clapp", "samples": 64, "accuracy": 0.91, "selectivity": [0.9, 0.7]}], {})
>>> export(study, csv=Path("trials.csv"))
Written: trials.csv
>>> Path("trials.csv").read_text().splitlines()  # A column for every layer.
['learner,samples,accuracy,selectivity_1,selectivity_2', 'clapp,64,0.91,0.9,0.7']
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cortexsim.errors import UserError
from cortexsim.report.console import open_console

if TYPE_CHECKING:
    from cortexsim.analysis.weights_over_time import WeightsOverTime

SUFFIXED = ("nwb", "npz", "parquet")  # Formats that other programs know by the suffix of the name.
Table = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a table: a row per trial.")]


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run; for tables also of a comparison or experiment.")],
    nwb: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write Neurodata Without Borders: spikes, fixations, weights, modulators."),
    ] = None,
    npz: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the same as NumPy arrays, which np.load reads.")
    ] = None,
    csv: Table = None,
    parquet: Table = None,
    activities: Annotated[
        bool, typer.Option("--activities", help="Tables of every cell's activity in every fixation, and not of trials.")
    ] = False,
    weights: Annotated[
        bool, typer.Option("--weights", help="Tables of weights over time, of runs that recorded them.")
    ] = False,
    fixations: Annotated[int, typer.Option(min=1, help="Test samples that are shown to record spikes.")] = 10,
) -> None:
    """Write a run, or results, in formats that other programs read.

    Weights that were recorded over time (train --record weights) are in the files of NWB and NumPy, too.

    Spikes and activities are recorded anew: the first test samples are shown to the trained network, one per fixation.
    """
    from cortexsim.api import tables
    from cortexsim.api.loading import load_run, result_rows

    console, asked = open_console(), {"nwb": nwb, "npz": npz, "csv": csv, "parquet": parquet}
    files = {name: path for name, path in asked.items() if path is not None}
    _check(files)
    if activities and weights:
        raise UserError("--weights: not with --activities (a table holds one of them; leave the other out)")
    rows: Sequence[Mapping[str, Any]] = list(tables.weight_rows(_over_time(run))) if weights else []
    if {"nwb", "npz"} & files.keys() or activities:
        loaded = load_run(run)
        recording = loaded.record(fixations)
        if nwb is not None:
            from cortexsim.api.nwb import write_nwb

            write_nwb(nwb, run, loaded, recording)
        if npz is not None:
            tables.write_npz(npz, recording, loaded)
        rows = list(tables.activity_rows(recording)) if activities else rows
    if not (activities or weights):
        rows = result_rows(run)
    writers: dict[str, Callable[..., None]] = {"csv": tables.write_csv, "parquet": tables.write_parquet}
    for name in writers.keys() & files.keys():
        writers[name](files[name], rows)
    console.print(f"Written: {', '.join(map(str, files.values()))}", soft_wrap=True)


def _over_time(run: Path) -> "WeightsOverTime":
    """Read the weights of a run over time.

    Raises:
        UserError: it did not record them.
    """
    from cortexsim.storage.run_directory import RunFolder

    if (found := RunFolder(run).weights_over_time) is None:
        raise UserError(f"--weights: {run} did not record them (cortexsim train MODEL --record weights)")
    return found


def _check(files: dict[str, Path]) -> None:
    """Check that some file was asked for, and that none exists.

    Raises:
        UserError: otherwise.
    """
    if not files:
        raise UserError("export: name a file to write (--nwb, --npz, --csv or --parquet FILE)")
    for name, path in files.items():
        if name in SUFFIXED and path.suffix != f".{name}":
            raise UserError(f"--{name} {path}: the name has to end in .{name}, by which other programs know the format")
        if path.exists():
            raise UserError(f"--{name} {path}: is there already (give another name, or remove it)")
        if not path.parent.is_dir():
            raise UserError(f"--{name} {path}: there is no folder {path.parent} (make it, or give another name)")
