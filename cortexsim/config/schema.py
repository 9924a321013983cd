"""Models as a user writes them: TOML, validated key by key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cortexsim.analysis.readout import Readout
from cortexsim.config.tasks import build_task
from cortexsim.config.values import (
    Count,
    ModulatorTable,
    NotNegative,
    Number,
    Positive,
    Share,
    SpikingTable,
    Substrates,
    Table,
)
from cortexsim.errors import UserError, about
from cortexsim.learners import Budget
from cortexsim.rate import Architecture, Optimization
from cortexsim.rate.network import InputScaling, NormalisationName, Sends, TransferName
from cortexsim.rules import Rule, load_rule
from cortexsim.rules.error_path import Feedback, Masks
from cortexsim.tasks import Layout, Task
from cortexsim.tasks.rhm import Hierarchy
from cortexsim.topology import Pooling

Cells = Annotated[int, Field(ge=1, le=65536, strict=True)]
ARCHITECTURE, OPTIMIZATION, BUDGET, READOUT = (
    Architecture(),
    Optimization(),
    Budget(),
    Readout(),
)  # Their defaults hold.
LAYERS = 3  # Over a task without a hierarchy, where a model says nothing of its layers.


class TaskTable(BaseModel):
    """Which task, by name or by the path of a Python file, and its fields; the command line's options go before."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Hierarchy.name

    def build(self, beside: Path = Path()) -> Task:
        """Build the task; files that it names start from a folder.

        Raises:
            UserError: where it cannot be.
        """
        return build_task(self.model_dump(), beside)


class LayerTable(Table):
    """One layer of columns: how much of the layer below each sees, along each axis."""

    size: Count | Literal["all"]
    stride: Count | None = None
    cells: Cells | None = None
    pool: Count = 1
    pooling: Pooling = "mean"


class NetworkTable(Table):
    """Cells of the network, the same in every layer but for the substrate; columns in Brian2 share no weights."""

    substrate: Substrates = ("rate",)
    cells: Cells = ARCHITECTURE.cells
    layers: Count | None = None
    units: Literal["scalar", "vector"] = "scalar"
    shared: Annotated[bool, Field(strict=True)] = ARCHITECTURE.shared
    transfer: TransferName = ARCHITECTURE.transfer
    initial_scale: Positive = ARCHITECTURE.initial_scale
    input_rms: Annotated[Positive | None, BeforeValidator(lambda value: None if value == "none" else value)] = (
        ARCHITECTURE.input_rms
    )
    input_scaling: InputScaling = ARCHITECTURE.input_scaling
    normalisation: NormalisationName = ARCHITECTURE.normalisation
    sends: Sends = ARCHITECTURE.sends
    mean_rate: Share = ARCHITECTURE.mean_rate
    covariance_rate: Share = ARCHITECTURE.covariance_rate


class RuleTable(Table):
    """Which rule the synapses follow, and what it listens to."""

    name: str
    context: str = "sibling"
    schedule: Literal["greedy", "simultaneous"] = "greedy"
    top: Literal["readout", "label"] = "readout"
    feedback: Feedback | None = None
    masks: Masks | None = None
    constants: dict[str, Number] = Field(default_factory=dict)
    gain: dict[str, Number] = Field(default_factory=dict)


class TrainingTable(Table):
    """How long, and how fast."""

    samples: Annotated[int, Field(ge=2, strict=True)] = 4096
    epochs: Count = BUDGET.epochs
    batch: Annotated[int, Field(ge=2, strict=True)] = BUDGET.batch
    loss: Literal["labels", "clapp", "infonce"] = "labels"
    optimizer: Literal["sgd", "adamw"] = OPTIMIZATION.method
    eta: Positive = OPTIMIZATION.eta
    context_eta: Positive = OPTIMIZATION.context_eta
    feedback_eta: Positive = OPTIMIZATION.feedback_eta
    weight_decay: NotNegative = OPTIMIZATION.weight_decay
    warm_up: Annotated[float, Field(ge=0, lt=1, strict=True)] = OPTIMIZATION.warm_up


class ReadoutTable(Table):
    """The supervised decoder of learners that have no output of their own; all samples have labels unless told."""

    labels: Count | None = None
    kind: Literal["linear", "two-layer"] = READOUT.kind
    hidden: Cells = READOUT.hidden
    epochs: Count = READOUT.epochs
    batch: Count = READOUT.batch
    eta: Positive = READOUT.eta
    weight_decay: NotNegative = READOUT.weight_decay


def _dotted(values: Any, before: str = "") -> Any:
    """Write the tables within a table as its dotted keys."""
    if not isinstance(values, dict):
        return values
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _dotted(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return found


AtDepth = dict[Annotated[int, Field(ge=1)], Annotated[dict[str, Any], BeforeValidator(_dotted)]]


class Model(Table):
    """One file of `models/`: a network, what learns in it, and how.

    ``[[layer]]`` says, from below, what the columns of each layer see; without any they make a tree. ``[depth.N]`` has
    other values for networks of N layers, as ``[depth.3.training]`` those of training there.
    """

    description: str = ""
    learner: Literal["local", "feedback", "backprop", "untrained"]
    rule: RuleTable | None = None
    task: TaskTable = TaskTable()
    layer: list[LayerTable] = Field(default_factory=list)
    network: NetworkTable = NetworkTable()
    spiking: SpikingTable = SpikingTable()
    modulator: dict[str, ModulatorTable] = Field(default_factory=dict)
    training: TrainingTable = TrainingTable()
    readout: ReadoutTable = ReadoutTable()
    depth: AtDepth = Field(default_factory=dict)

    _name: str = ""
    _path: Path = Path()

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._name

    @property
    def rule_name(self) -> str:
        """The rule's name, the learner's where it follows none; and the loss, where that is not of labels."""
        name = self.learner if self.rule is None else self.plasticity_rule().name
        return name if self.training.loss == "labels" else f"{name} ({self.training.loss})"

    def own_task(self) -> Task:
        """Build the task that the model is for.

        Raises:
            UserError: where it cannot be.
        """
        return self.task.build(self._path.parent)

    def layers_on(self, task: Layout) -> int:
        """Count the layers of its network on a task: those that it lists, or the levels of the task's hierarchy."""
        return len(self.layer) or self.network.layers or task.depth or LAYERS

    def substrates(self, depth: int) -> tuple[str, ...]:
        """Name the substrate of each layer, from below; the last one named holds for all above it."""
        named = self.network.substrate
        return (*named, *[named[-1]] * depth)[:depth]

    @property
    def in_brian(self) -> bool:
        """Whether any layer is simulated in Brian2."""
        return set(self.network.substrate) != {"rate"}

    def plasticity_rule(self) -> Rule:
        """Find the rule, with the constants and gains of this model.

        Raises:
            UserError: where there is none, or it has no such constant or modulator.
        """
        if self.rule is None:
            raise UserError(f"{self._path}: learner = '{self.learner}' follows no rule")
        with about("rule.name"):
            rule = load_rule(self.rule.name, beside=self._path.parent)
        with about("rule.constants"):
            rule = rule.with_constants(self.rule.constants, {})
        with about("rule.gain"):
            rule = rule.with_constants({}, self.rule.gain)
        with about("rule"):
            return rule.with_error_path(self.rule.feedback, self.rule.masks)


def resolved(model: Model) -> Mapping[str, Any]:
    """Write out a model with all defaults, as plain values."""
    return {"name": model.name, **model.model_dump(mode="json")}


def as_run(model: Model, samples: int | None = None) -> dict[str, Any]:
    """Write out a model as it was run, for a reader of what stands beside it: the task that it ran on.

    Its own task is left out, and so are tables of substrates that it does not use.

    Args:
        model: of the run.
        samples: that it was trained on; None where several stand beside.
    """
    values = dict(resolved(model))
    for name in ("task", *(() if model.in_brian else ("spiking", "modulator"))):
        del values[name]
    training = {key: value for key, value in values["training"].items() if key != "samples"}
    return {**values, "training": training if samples is None else {"samples": samples, **training}}
