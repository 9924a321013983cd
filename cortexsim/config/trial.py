"""One trial: one model, trained on one sample of one grammar from one seed, and what it is known by."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import cortexsim
from cortexsim.config.consistency import cells_of
from cortexsim.config.overrides import at_depth
from cortexsim.config.provenance import code_digest, engines
from cortexsim.config.schema import Model, resolved
from cortexsim.config.tasks import content_digest, task_table
from cortexsim.tasks import Task

Row = dict[str, Any]
TEST_SAMPLES = 4096
RELATIVE_COST = {"untrained": 0.0, "local": 2.0}  # Of an epoch, beside one of backpropagation.
FIXED_COST = 10.0  # Of probes and readout, in epochs of backpropagation.


@dataclass(frozen=True)
class Trial:
    """Name everything that a row depends on.

    Attributes:
        model: what learns, with the values that it has for networks of so many layers.
        task: what it is shown.
        samples: training samples.
        test_samples: held-out samples.
        grammar_seed: draws the task: a grammar, or which samples are for testing.
        seed: draws data, first weights and order.
        device: where it runs.
        target: of layers in Brian2.
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
        """A digest of all that was asked for: settings and seeds, and the texts of the rule and of the cells."""
        rule = "" if self.model.rule is None else repr(self.model.plasticity_rule())
        cells = [repr(cell) for cell in cells_of(self.model)]
        values = trial_record(self) | {"rule": rule, "cells": cells, "content": content_digest(self.task)}
        return _digest(values | {"version": cortexsim.__version__})

    @property
    def key(self) -> str:
        """A digest of all that the row depends on, by which a finished trial is known again.

        It holds, beside what was asked for, this package's own code and the versions of the engines.
        """
        return _digest({"asked": self.settings_digest, "code": code_digest(), "engines": engines()})

    @property
    def cost(self) -> float:
        """How long it takes, in samples through an epoch of backpropagation: for an ETA and the order."""
        epoch = RELATIVE_COST.get(self.model.learner, 1.0) * (10.0 if self.model.in_brian else 1.0)
        return self.samples * (self.model.training.epochs * epoch + FIXED_COST)


def trial_record(trial: Trial) -> dict[str, Any]:
    """Write out a trial: its model with all defaults, its task as the table that it is built from."""
    rest = {field.name: getattr(trial, field.name) for field in fields(trial)}
    return rest | {"model": resolved(trial.model), "task": task_table(trial.task)}


def test_size(task: Task, samples: int) -> int:
    """Choose how many samples to hold out beside so many for training: as many as the task has, up to a limit.

    A task says by ``most_test`` where it cannot test on all that are left.
    """
    return max(1, min(TEST_SAMPLES, task.distinct_samples - samples, getattr(task, "most_test", TEST_SAMPLES)))


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
