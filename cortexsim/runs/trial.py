"""One trial: one model, trained on one sample of one grammar from one seed, and measured."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from cortexsim.analysis.probes import activities, code_geometry
from cortexsim.hierarchy import Grammar, Hierarchy, Samples, split
from cortexsim.learners import Learner, train
from cortexsim.rate import to_tensor
from cortexsim.runs import assemble
from cortexsim.runs.configuration import Model, resolved
from cortexsim.seeds import stream

Row = dict[str, Any]
TEST_SAMPLES = 4096


@dataclass(frozen=True)
class Trial:
    """Name everything that a row depends on.

    Attributes:
        model: what learns.
        hierarchy: sizes of the task.
        samples: training samples.
        test_samples: held-out samples.
        grammar_seed: draws the grammar.
        seed: draws data, first weights and order.
        device: where it runs.
    """

    model: Model
    hierarchy: Hierarchy
    samples: int
    test_samples: int
    grammar_seed: int
    seed: int
    device: str = "cpu"

    @property
    def key(self) -> str:
        """A digest of all that the row depends on, by which a finished trial is known again."""
        values = asdict(self) | {"model": resolved(self.model), "rule": repr(self.model.rule and self.model.plasticity_rule())}
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]

    @property
    def cost(self) -> float:
        """Roughly how long it takes, in arbitrary units: for an ETA, and to begin with the longest."""
        epochs = self.model.training.epochs if self.model.learner != "untrained" else 0
        return self.samples * (epochs * {"local": 2.0}.get(self.model.learner, 1.0) + 5)

    def data(self) -> tuple[Samples, Samples]:
        """Draw the grammar, and from it the training and the test samples."""
        grammar = Grammar.draw(self.hierarchy, stream(self.grammar_seed, "grammar"))
        return split(grammar, self.samples, self.test_samples, stream(self.seed, "data"))


def run(trial: Trial, watch: Callable[[int, int], None] = lambda stage, epoch: None) -> Row:
    """Train, measure, and answer with one row of a result.

    On a CPU one thread is used, so that a row does not depend on how many run side by side.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _run(trial, watch)[0]
    finally:
        torch.set_num_threads(threads)


def _run(trial: Trial, watch: Callable[[int, int], None]) -> tuple[Row, Learner]:
    start = time.perf_counter()
    train_samples, test_samples = trial.data()
    learner = assemble.assemble(trial.model, trial.hierarchy, trial.seed, trial.device)
    like = learner.network.output.detach()
    leaves = to_tensor(train_samples.one_hot(), like)
    labels = torch.from_numpy(train_samples.labels.astype("int64")).to(like.device)
    train(learner, leaves, labels, assemble.budget(trial.model), trial.seed, watch)
    code = code_geometry(learner.network, test_samples, trial.seed)
    row = {
        "learner": trial.model.name,
        "rule": trial.model.rule_name,
        "substrate": trial.model.network.substrate,
        "context": context_name(trial.model),
        "samples": trial.samples,
        "labels": trial.samples,
        "grammar_seed": trial.grammar_seed,
        "seed": trial.seed,
        "accuracy": _accuracy(trial, learner, leaves, labels, test_samples),
        "chance": 1 / trial.hierarchy.classes,
        **asdict(code),
        "seconds": time.perf_counter() - start,
        "key": trial.key,
    }
    return row, learner


def context_name(model: Model) -> str:
    """Name what a model's dendrites hear."""
    if model.rule is None or not model.plasticity_rule().needs_context:
        return "none"
    return model.rule.context + ("+label" if model.rule.top == "label" else "")


@torch.no_grad()
def _accuracy(trial: Trial, learner: Learner, leaves: torch.Tensor, labels: torch.Tensor, test: Samples) -> float:
    """Score the learner's own answer, or else that of a readout from the last layer it has shaped."""
    test_leaves, truth = to_tensor(test.one_hot(), leaves), torch.from_numpy(test.labels.astype("int64")).to(leaves.device)
    answers = [learner.classify(chunk) for chunk in test_leaves.split(1024)]
    if answers[0] is not None:
        return float((torch.cat([a.argmax(1) for a in answers if a is not None]) == truth).float().mean())
    layer = learner.represents - 1
    codes = [activities(learner.network, values)[layer] for values in (leaves, test_leaves)]
    with torch.enable_grad():
        readout = assemble.readout(trial.model)
        return readout.accuracy(codes[0], labels, codes[1], truth, trial.hierarchy.classes, trial.seed)
