"""A trial: one model trained once on one task, and the digests that identify it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import cortexsim
from cortexsim.config.consistency import cells_of
from cortexsim.config.duration import estimated_seconds
from cortexsim.config.overrides import at_depth
from cortexsim.config.provenance import code_digest, engines
from cortexsim.config.schema import Model, resolved
from cortexsim.config.tasks import content_digest, task_table
from cortexsim.tasks import Task

Row = dict[str, Any]
TEST_SAMPLES = 4096


@dataclass(frozen=True)
class Trial:
    """All that the measurements of one training depend on.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> trial = Trial(find_model("clapp"), Hierarchy(depth=2), samples=64, test_samples=32, grammar_seed=10, seed=0)
    >>> trial.key == Trial(find_model("clapp"), Hierarchy(depth=2), 64, 32, 10, 0).key
    True

    Attributes:
        model: the model, with its settings for the depth of the task applied.
        task: the task.
        samples: number of training samples.
        test_samples: number of test samples.
        grammar_seed: seed of the task: of its grammar, or of the split into training and test samples.
        seed: seed of samples, initial weights and order of presentation.
        device: device of rate layers: ``cpu``, ``cuda`` or ``mps``.
        target: code generation for layers in Brian2: ``cpp``, ``numpy`` or ``cython``.

    Raises:
        UserError: the model's settings for the depth of the task are invalid.
    """

    model: Model
    task: Task
    samples: int
    test_samples: int
    grammar_seed: int
    seed: int
    device: str = "cpu"
    target: str = "cpp"

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", at_depth(self.model, self.model.layers_on(self.task)))

    @property
    def settings_digest(self) -> str:
        """A digest of settings and seeds, of the equations of rule and cells, and of the files of the task.

        What a model is described as has no part in it, nor in which folder its rule and cell are.
        """
        rule = "" if self.model.rule is None else repr(self.model.plasticity_rule())
        cells = [repr(cell) for cell in cells_of(self.model)]
        values = trial_record(self) | {"rule": rule, "cells": cells, "content": content_digest(self.task)}
        values["model"] = {key: value for key, value in values["model"].items() if key != "description"}
        for table, key in (("rule", "name"), ("spiking", "cell")):
            if (own := values["model"][table]) is not None and own[key].endswith(".py"):
                own[key] = Path(own[key]).name
        return _digest(values | {"version": cortexsim.__version__})

    @property
    def key(self) -> str:
        """A digest of all that the row depends on, by which finished trials are recognised.

        It covers `settings_digest`, the code of this package, and the versions of the libraries that compute.
        """
        return _digest({"asked": self.settings_digest, "code": code_digest(), "engines": engines()})

    @cached_property
    def cost(self) -> float:
        """Estimated duration in seconds on one core, to schedule trials and to predict the end of all of them."""
        return estimated_seconds(self.model, self.task, self.samples, self.test_samples)


def trial_record(trial: Trial) -> dict[str, Any]:
    """Return a trial as values that can be written as JSON, with all settings of its model and its task."""
    values = {field.name: getattr(trial, field.name) for field in fields(trial)}
    return values | {"model": resolved(trial.model), "task": task_table(trial.task)}


def test_size(task: Task, samples: int) -> int:
    """Return how many test samples are held out: all that are left by training, up to `TEST_SAMPLES`.

    A task can set a lower limit by an attribute ``max_test``.

    Args:
        task: the task.
        samples: number of training samples.
    """
    return max(1, min(TEST_SAMPLES, task.distinct_samples - samples, getattr(task, "max_test", TEST_SAMPLES)))


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
