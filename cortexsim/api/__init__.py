"""The Python interface: train and compare models, estimate their sample complexity, and load stored results.

>>> import cortexsim
>>> small = {"depth": 2, "features": 4, "multiplicity": 2}
>>> run = cortexsim.train("clapp", small, samples=16, settings={"training.epochs": 2})
>>> run.row["learner"], run.row["samples"], len(run.activities())
('clapp', 16, 2)
"""

from cortexsim.analysis.weights_over_time import RecordedSynapses, WeightsOverTime
from cortexsim.api.loading import load_results, load_run
from cortexsim.api.recording import Recording
from cortexsim.api.results import Results, Run, Thresholds
from cortexsim.api.running import compare, load_model, threshold, train

__all__ = [
    "RecordedSynapses",
    "Recording",
    "Results",
    "Run",
    "Thresholds",
    "WeightsOverTime",
    "compare",
    "load_model",
    "load_results",
    "load_run",
    "threshold",
    "train",
]
