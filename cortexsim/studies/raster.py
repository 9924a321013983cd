"""Rasters of spiking layers, fixation by fixation, before and after training."""

from pathlib import Path

import torch
from rich.console import Console

from cortexsim.analysis.spikes import Scene, raster
from cortexsim.config import building
from cortexsim.config.trial import Trial
from cortexsim.errors import UserError
from cortexsim.learners import HybridNetwork, Segment, train
from cortexsim.rate.threads import one_thread
from cortexsim.storage.atomic_io import write_figure
from cortexsim.studies.single_run import EpochProgress
from cortexsim.training.measurement import Prepared, prepare


@one_thread()
def draw(trial: Trial, fixations: int, out: Path, console: Console) -> None:
    """Train a model, and draw its lowest spiking layers before and after: ``raster.png`` and ``raster.svg``.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> task = Hierarchy(depth=2, features=4, multiplicity=2)
    >>> draw(Trial(find_model("clapp"), task, 8, 8, 10, 0), fixations=2, out=Path("raster"), console=Console())
    Traceback (most recent call last):
    cortexsim.errors.UserError: clapp: no layer of this model spikes (network.substrate = 'spiking')

    Args:
        trial: the model, its task and its seeds.
        fixations: number of test samples that are shown, one per fixation.
        out: folder for the figure.
        console: where progress goes.

    Raises:
        UserError: where no layer of the model spikes.
    """
    initial, prepared = prepare(trial), prepare(trial)
    segment = _spiking(trial, prepared)
    out.mkdir(parents=True, exist_ok=True)
    budget = building.budget(trial.model)
    progress = EpochProgress(console, prepared.learner.stages, budget.epochs)
    progress.follow(prepared.learner.network)
    views = prepared.views
    train(prepared.learner, prepared.inputs, prepared.labels, budget, trial.seed, [progress], views=views)
    below = _below(prepared, segment, 256)
    codes = segment.respond(below, trial.seed)[0][0]
    cell = int(codes[:, 0].var(0).argmax())  # The cell of the first column whose response varies most between samples.
    scenes = []
    for state in (initial, prepared):
        part = _spiking(trial, state)
        outcome = part.record_all(_below(state, part, fixations), cell, trial.seed)
        weights, volts = part.layers[0].feedforward.weights[0].cpu().numpy(), part.settings.cell_of("spiking").in_volts
        scenes.append(Scene(outcome, weights, part.settings.timing, cell, volts))
    figure = raster(scenes[0], scenes[1], trial.model.name)
    write_figure(figure, out / "raster", dpi=150)


def _spiking(trial: Trial, prepared: Prepared) -> Segment:
    """The lowest layers that spike."""
    network = prepared.learner.network
    segments = network.segments if isinstance(network, HybridNetwork) else ()
    found = next((segment for segment in segments if segment.substrate == "spiking"), None)
    if found is None:
        raise UserError(f"{trial.model.name}: no layer of this model spikes (network.substrate = 'spiking')")
    return found


def _below(prepared: Prepared, segment: Segment, count: int) -> torch.Tensor:
    """Compute the activity below the spiking layers, (samples, positions, cells), from test samples."""
    inputs = torch.from_numpy(prepared.test.inputs[:count]).to(prepared.inputs)
    network = prepared.learner.network
    return network.activities(inputs, segment.first)[-1] if segment.first else inputs
