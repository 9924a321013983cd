"""What training, comparing and searching return."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from cortexsim.analysis.probes import activities
from cortexsim.analysis.summary import summarise
from cortexsim.analysis.weights_over_time import WeightsOverTime
from cortexsim.api.recording import Recording, record, record_spikes, spiking_segments
from cortexsim.config.tasks import task_title
from cortexsim.config.trial import Row, Trial
from cortexsim.errors import UserError
from cortexsim.rate import Network
from cortexsim.rate.threads import one_thread
from cortexsim.report.comparison_text import accuracy_table
from cortexsim.storage.run_directory import RunFolder
from cortexsim.studies import comparison as comparing
from cortexsim.studies.single_run import layers_table
from cortexsim.tasks import Data
from cortexsim.training.measurement import Prepared

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Run:
    """A model in its present state of training, and its measurements.

    Attributes:
        trial: model, task, numbers of samples and seeds.
        row: the measurements by name, as in `load_results`; None if the training is unfinished.
    """

    trial: Trial
    row: Row | None
    _prepared: Prepared
    _folder: RunFolder | None = None

    @property
    def accuracy(self) -> float | None:
        """Test accuracy (0 to 1) of the model's own output or of a readout; None if the training is unfinished."""
        return None if self.row is None else float(self.row["accuracy"])

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Copies of weights, biases and running statistics by name.

        In a rate network, ``layer1.feedforward`` has the shape (columns, cells, inputs) and ``layer1.bias`` the shape
        (columns, cells), where there is one column if all columns of a layer share their weights; ``output`` has the
        shape (classes, cells).
        """
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.network.state().items()}

    @property
    def weights_over_time(self) -> WeightsOverTime | None:
        """The weights that ``cortexsim train --record weights`` has recorded while this run learned; None for others.

        >>> from pathlib import Path
        >>> import cortexsim
        >>> from cortexsim.storage.run_directory import RunFolder
        >>> from cortexsim.storage.weight_file import WeightSampling
        >>> from cortexsim.training.checkpointing import run_in_folder
        >>> task = {"depth": 2, "features": 4, "multiplicity": 2}
        >>> trial = cortexsim.train("clapp", task, samples=16, settings={"training.epochs": 2}).trial
        >>> _ = RunFolder.begin(Path("recorded"), trial, WeightSampling(every=16, synapses=10))
        >>> _ = run_in_folder(trial, Path("recorded"))  # As ``train ... --record weights --every 16 --synapses 10``.
        >>> run = cortexsim.load_run("recorded")
        >>> over_time = run.weights_over_time
        >>> over_time.fixations  # (times,)
        array([ 0, 16, 32])
        >>> synapses = over_time["layer1.feedforward"]  # By the names of `weights`.
        >>> synapses.weights.shape, synapses.pre.shape, synapses.post.shape  # (times, synapses), and a cell of each.
        ((3, 10), (10,), (10,))
        >>> bool((synapses.weights[-1] == run.weights["layer1.feedforward"].ravel()[synapses.place]).all())
        True

        Raises:
            UserError: their file is missing, damaged or of another run.
        """
        return None if self._folder is None else self._folder.weights_over_time

    @property
    def test(self) -> Data:
        """The test samples: ``inputs`` (samples, positions, channels), ``labels`` (samples,), and ``latents``."""
        return self._prepared.test

    def activities(self, inputs: np.ndarray | None = None) -> list[np.ndarray]:
        """Return the output of every layer, from the lowest: dimensionless rates, (samples, positions, cells).

        Args:
            inputs: (samples, positions, channels); the test samples by default.
        """
        with one_thread():
            shown = self._tensor(self.test.inputs if inputs is None else inputs)
            return [code.cpu().numpy() for code in activities(self.network, shown)]

    def spikes(self, inputs: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Present samples one after the other to the spiking layers, and record every spike.

        Args:
            inputs: (samples, positions, channels); the first ten test samples by default.

        Returns:
            For each population (``input``, ``layer1``, ...) an array (2, spikes): times in seconds, and cell indices.

        Raises:
            UserError: the model has no spiking layer.
        """
        if not spiking_segments(self.network):
            raise UserError(f"{self.trial.model.name}: no layer of this model spikes (network.substrate = 'spiking')")
        shown = self._tensor(self.test.inputs[:10] if inputs is None else inputs)
        return record_spikes(self.network, shown, self.trial.seed)[0]

    def record(self, fixations: int = 10) -> Recording:
        """Show the first test samples, and record spikes, modulators and activities.

        Args:
            fixations: number of samples.

        Raises:
            UserError: there are fewer test samples.
        """
        available = len(self.test)
        if not 0 < fixations <= available:
            raise UserError(f"--fixations {fixations}: this run has {available} test samples (1 to {available})")
        shown = self._tensor(self.test.inputs[:fixations])
        return record(self.network, shown, self.test.labels[:fixations], self.trial.seed)

    @property
    def network(self) -> Network:
        """The network, with its present weights."""
        return self._prepared.learner.network

    def _tensor(self, inputs: np.ndarray) -> torch.Tensor:
        shape, given = self.test.inputs.shape[1:], np.shape(inputs)[1:]
        if given != shape:
            raise UserError(f"inputs of shape (samples, *{given}): this run has (samples, *{shape})")
        return torch.from_numpy(np.ascontiguousarray(inputs)).to(self._prepared.inputs)

    def __repr__(self) -> str:
        where = f"{self.trial.model.name} on {task_title(self.trial.task)}, {self.trial.samples} samples"
        return f"<Run: {where}, {'unfinished' if self.row is None else f'test accuracy {self.accuracy:.3f}'}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self)[1:-1])}</p>" + ("" if self.row is None else _html(layers_table(self.row)))


@dataclass
class Results:
    """The measurements of a comparison.

    Attributes:
        comparison: what was compared.
        rows: one for each combination of model, training-set size and seed.
    """

    comparison: comparing.Comparison
    rows: list[Row]

    def frame(self) -> "pd.DataFrame":
        """Return the rows as a pandas table, with the columns described at `load_results`."""
        return frame(self.rows)

    def figure(self) -> Figure:
        """Draw accuracy against the number of samples, and the measurements of each layer."""
        return comparing.draw(self.comparison, self.rows)

    def __repr__(self) -> str:
        return f"<Results: {len(self.rows)} rows, {self.comparison.title}>"

    def _repr_html_(self) -> str:
        summaries = summarise(self.rows)
        return _html(accuracy_table(summaries, self.comparison.title, self.rows[0]["test_samples"]))


@dataclass
class Thresholds:
    """The sample complexity P* of models: how many training samples each needs.

    Attributes:
        entries: one for each model and depth. Among the keys are ``model``; ``value``, the depth; ``mean``, the
            estimate of P*, with its 95 % confidence interval from ``low`` to ``high``; ``more_than`` or ``at_most``, a
            bound on P* if the search gave no estimate; and ``runs``, the results for each grammar.
    """

    entries: list[dict[str, Any]]
    _tables: list[Table]

    def frame(self) -> "pd.DataFrame":
        """Return the entries as a pandas table."""
        return frame(self.entries)

    def _repr_html_(self) -> str:
        return "".join(_html(table) for table in self._tables)


def frame(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """Convert rows to a pandas table.

    Raises:
        UserError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise UserError("tables of results need pandas (pip install 'cortexsim[results]')") from None
    return pd.DataFrame([{**row.get("point", {}), **{k: v for k, v in row.items() if k != "point"}} for row in rows])


def _html(table: Table) -> str:
    # In a notebook, rich would display the table by itself, before the notebook does.
    console = Console(record=True, file=io.StringIO(), width=140, force_jupyter=False)
    console.print(table)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
