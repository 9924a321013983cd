"""One trial: one model, trained on one sample of one grammar from one seed, and what it is known by."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cortexsim
from cortexsim.runs.change import at_depth
from cortexsim.runs.checks import cells_of
from cortexsim.runs.configuration import Model, resolved
from cortexsim.runs.provenance import code_digest, engines
from cortexsim.tasks.rhm import Hierarchy

Row = dict[str, Any]
TEST_SAMPLES = 4096
RELATIVE_COST = {"untrained": 0.0, "local": 2.0}  # Of an epoch, beside one of backpropagation.
FIXED_COST = 10.0  # Of probes and readout, in epochs of backpropagation.


@dataclass(frozen=True)
class Trial:
    """Name everything that a row depends on.

    Attributes:
        model: what learns, with the values that it has for hierarchies of this depth.
        hierarchy: sizes of the task.
        samples: training samples.
        test_samples: held-out samples.
        grammar_seed: draws the grammar.
        seed: draws data, first weights and order.
        device: where it runs.
        target: of layers in Brian2.
    """

    model: Model
    hierarchy: Hierarchy
    samples: int
    test_samples: int
    grammar_seed: int
    seed: int
    device: str = "cpu"
    target: str = "cpp"

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", at_depth(self.model, self.hierarchy.depth))

    @property
    def asked(self) -> str:
        """A digest of all that was asked for: settings and seeds, and the texts of the rule and of the cells."""
        rule = "" if self.model.rule is None else repr(self.model.plasticity_rule())
        cells = [repr(cell) for cell in cells_of(self.model)]
        values = asdict(self) | {"model": resolved(self.model), "rule": rule, "cells": cells}
        return _digest(values | {"version": cortexsim.__version__})

    @property
    def key(self) -> str:
        """A digest of all that the row depends on, by which a finished trial is known again.

        It holds, beside what was asked for, this package's own code and the versions of the engines.
        """
        return _digest({"asked": self.asked, "code": code_digest(), "engines": engines()})

    @property
    def cost(self) -> float:
        """How long it takes, in samples through an epoch of backpropagation: for an ETA and the order."""
        epoch = RELATIVE_COST.get(self.model.learner, 1.0) * (10.0 if self.model.in_brian else 1.0)
        return self.samples * (self.model.training.epochs * epoch + FIXED_COST)


def test_size(hierarchy: Hierarchy, samples: int) -> int:
    """Choose how many samples to hold out beside so many for training: as many as the grammar has, up to a limit."""
    return max(1, min(TEST_SAMPLES, hierarchy.distinct_samples - samples))


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
