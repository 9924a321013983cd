"""Runs as files of Neurodata Without Borders (NWB), which Neo, Elephant and others read; written by pynwb.

Spikes are units, fixations are trials, and a processing module has weights, modulators and activities. NWB has no
standard for weights: each tensor is a time series with a single sample, the trained weights. Weights that were recorded
over time are series too, (times, synapses), with a table of the cells that each synapse connects; their times, before
the first fixation of the recording, are negative. There are no keywords: Neo 0.14 cannot read a file that has them.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from cortexsim.analysis.weights_over_time import WeightsOverTime
from cortexsim.api.recording import Recording
from cortexsim.api.results import Run
from cortexsim.config.tasks import task_title
from cortexsim.errors import UserError
from cortexsim.storage.run_directory import RunFolder

FIXATION = "number of the fixation, from 0"
CONTRAST = "-1 where the dendrite still receives the context of the fixation before, otherwise 1"
MODULE = "plasticity"
CELLS = {
    "pre": "presynaptic cell, as described at cortexsim.api.RecordedSynapses",
    "post": "postsynaptic cell of the layer",
    "place": "index of the weight in the flattened tensor of all weights",
}


def write_nwb(path: Path, stored: Path, run: Run, recording: Recording) -> None:
    """Write a recording, with the weights and the configuration of its run, to a file.

    Args:
        path: the file, which must not exist.
        stored: folder of the run.
        run: the run that `load_run` has loaded from it.
        recording: of this run.

    Raises:
        UserError: pynwb is not installed.
        OSError: the file cannot be written.
    """
    try:
        import pynwb
    except ImportError:
        raise UserError("--nwb needs pynwb (pip install 'cortexsim[nwb]')") from None
    folder = RunFolder(stored)
    file = pynwb.NWBFile(
        session_description=f"{run.trial.model.name} on {task_title(run.trial.task)}, trained with {run.trial.samples}"
        f" samples; then {len(recording.labels)} test samples were shown, a fixation each, without learning",
        identifier=folder.record["asked"],
        session_start_time=_begun(folder),
        source_script=json.dumps(folder.record, indent=1),
        source_script_file_name="run.json",
        notes=json.dumps(run.row),
    )
    _add_trials(file, recording)
    _add_units(file, recording)
    module = file.create_processing_module(MODULE, "trained weights, modulators and activities")
    for name, weights in run.weights.items():
        data = weights[None] if weights.ndim else weights[None, None]
        about = "trained weights or other state of learning; the shape is described at cortexsim.api.Run.weights"
        module.add(pynwb.TimeSeries(name=name, data=data, unit="1", timestamps=[0.0], description=about))
    if (over_time := run.weights_over_time) is not None:
        _add_weights_over_time(module, over_time, recording.period)
    for name, data in _per_fixation(recording).items():
        about = "at the end of each fixation: (fixations, columns or 1), or (fixations, positions, cells)"
        rate = 1 / recording.period
        module.add(
            pynwb.TimeSeries(
                name=name, data=data, unit="1", rate=rate, starting_time=recording.period, description=about
            )
        )
    unfinished = path.with_name(f"unfinished-{path.name}")
    try:
        with pynwb.NWBHDF5IO(unfinished, "w") as output:
            output.write(file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _per_fixation(recording: Recording) -> dict[str, np.ndarray]:
    found = {f"modulator_{name}": values for name, values in recording.modulators.items()}
    return found | {f"activity_layer{k}": values for k, values in enumerate(recording.activity, 1)}


def _add_weights_over_time(module: Any, over_time: WeightsOverTime, period: float) -> None:
    """Add a series for the recorded synapses of each weight tensor, and a table of their cells."""
    import pynwb

    times = (over_time.fixations - over_time.fixations[-1]) * period
    for name, synapses in over_time.items():
        series, table = f"{name}_over_time", f"{name}_synapses"
        about = f"weights of single synapses while the network learned, (times, synapses); their cells are in {table}"
        comments = f"recorded up to fixation {over_time.fixations[-1]}, at time 0; a fixation takes {period:g} s"
        module.add(
            pynwb.TimeSeries(
                name=series, data=synapses.weights[:], unit="1", timestamps=times, description=about, comments=comments
            )
        )
        columns = {"pre": synapses.pre, "post": synapses.post, "place": synapses.place}
        module.add(
            pynwb.core.DynamicTable(
                name=table,
                description=f"the synapses of {series}, in its order",
                columns=[
                    pynwb.core.VectorData(name=key, description=CELLS[key], data=values[:])
                    for key, values in columns.items()
                ],
            )
        )


def _add_trials(file: Any, recording: Recording) -> None:
    """Add the fixations, or their halves where each has a contrast of its own, as trials."""
    file.add_trial_column("fixation", FIXATION)
    file.add_trial_column("label", "class of the sample; -1 where it has none")
    file.add_trial_column("contrast", CONTRAST)
    length = recording.period / recording.halves
    for number in range(len(recording.labels) * recording.halves):
        fixation, half = divmod(number, recording.halves)
        file.add_trial(
            start_time=number * length,
            stop_time=(number + 1) * length,
            fixation=fixation,
            label=int(recording.labels[fixation]),
            contrast=1.0 if half == recording.halves - 1 else -1.0,
        )


def _add_units(file: Any, recording: Recording) -> None:
    """Add every cell of every population that spikes, silent ones included, as a unit."""
    if not recording.spikes:
        return
    file.add_unit_column("population", "input, or the layer of the cell")
    file.add_unit_column("cell", "number of the cell in its population, from 0")
    for name, (times, cells) in recording.spikes.items():
        order = np.argsort(cells, kind="stable")
        ends = np.searchsorted(cells[order], np.arange(recording.sizes[name] + 1))
        for cell in range(recording.sizes[name]):
            own = times[order[ends[cell] : ends[cell + 1]]]
            file.add_unit(spike_times=own, obs_intervals=[[0.0, recording.duration]], population=name, cell=cell)


def _begun(folder: RunFolder) -> datetime:
    """Return when the run was begun, or, of a run that did not record it, when its folder was last written to."""
    try:
        return datetime.fromisoformat(folder.record["begun"]).astimezone()
    except (KeyError, ValueError):
        return datetime.fromtimestamp(folder.path.stat().st_mtime).astimezone()
