"""The TOML format of models, in which every key is validated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cortexsim import contexts
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
from cortexsim.errors import UserError, error_prefix
from cortexsim.learners import Budget
from cortexsim.rate import Architecture, Optimization
from cortexsim.rate.architecture import Initial, InputScalingName, NormalisationName, Sends, TransferName
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
)  # The source of default values below.
LAYERS = 3  # Default number of layers on a task without a hierarchy.


class TaskTable(BaseModel):
    """The task, by name or path of a file, and its fields; options of the command line take precedence.

    Attributes:
        name: one of `cortexsim models --tasks`, or path of a Python file or of data; all other keys are fields of the
            task.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Hierarchy.name

    def build(self, base: Path = Path()) -> Task:
        """Build the task.

        Args:
            base: folder that relative paths start from.

        Raises:
            UserError: there is no such task or field, or a value is invalid.
        """
        return build_task(self.model_dump(), base)


class LayerTable(Table):
    """One layer of columns.

    Attributes:
        size: size of each receptive field, in positions of the layer below along each axis; or ``"all"``.
        stride: distance between the receptive fields of neighbouring columns; ``size`` by default.
        padding: silent positions beyond each edge of the layer below; fewer than ``size``.
        cells: cells in each column; those of the table ``network`` by default.
        pool: how many columns are pooled along each axis for the layer above.
        pooling: how they are pooled.
        places: along each axis, blocks of columns that share their dendrites, so that the layer has one score; every
            column has its own by default.
    """

    size: Count | Literal["all"]
    stride: Count | None = None
    padding: Annotated[int, Field(ge=0, strict=True)] = 0
    cells: Cells | None = None
    pool: Count = 1
    pooling: Pooling = "mean"
    places: Count | None = None


class NetworkTable(Table):
    """Network and cells, the same in every layer except for the substrate; columns in Brian2 share no weights.

    Attributes:
        substrate: what simulates each layer, from the lowest; the last one given does so for all layers above.
        top_cells: cells in each column of the highest layer; ``cells`` by default.
        layers: number of layers on a task without a hierarchy; 3 by default.
        input_rms: root mean square to which the input of each layer is scaled; ``"none"``, the default, for no scaling.
        units: ``"scalar"`` cells with one activity, or ``"vector"`` cells with one component per class.
    """

    substrate: Substrates = ("rate",)
    cells: Cells = ARCHITECTURE.cells
    top_cells: Cells | None = None
    layers: Count | None = None
    units: Literal["scalar", "vector"] = "scalar"
    shared: Annotated[bool, Field(strict=True)] = ARCHITECTURE.shared
    transfer: TransferName = ARCHITECTURE.transfer
    initial: Initial = ARCHITECTURE.initial
    initial_scale: Positive = ARCHITECTURE.initial_scale
    input_rms: Annotated[Positive | None, BeforeValidator(lambda value: None if value == "none" else value)] = (
        ARCHITECTURE.input_rms
    )
    input_scaling: InputScalingName = ARCHITECTURE.input_scaling
    normalisation: NormalisationName = ARCHITECTURE.normalisation
    sends: Sends = ARCHITECTURE.sends
    on_off: Annotated[bool, Field(strict=True)] = ARCHITECTURE.on_off
    projection: Annotated[int, Field(ge=0, le=65536, strict=True)] = ARCHITECTURE.projection
    mean_rate: Share = ARCHITECTURE.mean_rate
    covariance_rate: Share = ARCHITECTURE.covariance_rate


class RuleTable(Table):
    """The plasticity rule, its context, and its constants.

    Attributes:
        name: one of `cortexsim models --rules`, or path of a Python file with ``RULE``.
        context: what dendrites receive, by `cortexsim models --contexts`; several are joined by ``+``, or by ``|`` on
            dendrites of their own.
        scope: whose cells share one score: those of a ``"column"`` or of a ``"layer"``; as the rule has it by default.
        schedule: whether layers learn one after the other, ``"greedy"``, or ``"simultaneous"``.
        top: whether the highest layer, without siblings, is left to the ``"readout"`` or learns with the ``"label"`` as
            its context.
        feedback: weights through which the error arrives; as the rule has them by default.
        masks: slopes by which the error is multiplied; as the rule has them by default.
        below_projection: rule of the cells that a projection receives from: ``"kolen_pollack"``, ``"fa"``, ``"bp"``.
        constants: other values of constants of the rule, its error path and its modulators.
        gain: factor of each modulator, by its name; 0 lesions it.
    """

    name: str
    context: str = "sibling"
    scope: Literal["column", "layer"] | None = None
    schedule: Literal["greedy", "simultaneous"] = "greedy"
    top: Literal["readout", "label"] = "readout"
    feedback: Feedback | None = None
    masks: Masks | None = None
    below_projection: str = "kolen_pollack"
    constants: dict[str, Number] = Field(default_factory=dict)
    gain: dict[str, Number] = Field(default_factory=dict)


class TrainingTable(Table):
    """Number of samples and epochs, loss and its context, optimizer and learning rates.

    Attributes:
        samples: training samples of `cortexsim train`, unless it is given ``--samples``.
        epochs: passes over the samples; of layers that learn one after the other, for each.
        loss: of backpropagation and predictive coding: of ``"labels"``, or contrastive, without them.
        context: of a contrastive loss: the siblings, or the column itself in the other random view.
        optimizer: of rate layers: plain steps, or AdamW.
    """

    samples: Annotated[int, Field(ge=2, strict=True)] = 4096
    epochs: Count = BUDGET.epochs
    batch: Annotated[int, Field(ge=2, strict=True)] = BUDGET.batch
    loss: Literal["labels", "clapp", "infonce"] = "labels"
    context: Literal["sibling", "view"] = "sibling"
    optimizer: Literal["sgd", "adamw"] = OPTIMIZATION.method
    eta: Positive = OPTIMIZATION.eta
    context_eta: Positive = OPTIMIZATION.context_eta
    feedback_eta: Positive = OPTIMIZATION.feedback_eta
    weight_decay: NotNegative = OPTIMIZATION.weight_decay
    warm_up: Annotated[float, Field(ge=0, lt=1, strict=True)] = OPTIMIZATION.warm_up
    schedule: Literal["linear", "constant"] = OPTIMIZATION.schedule


class ReadoutTable(Table):
    """The supervised decoder of learners without an output of their own.

    Attributes:
        labels: how many labels it may use.
        layers: ``"highest"`` reads the highest layer that learns, ``"all"`` those up to it.
        places: into how many blocks, along each axis, the output of each layer is averaged first.
    """

    labels: Count | None = None
    layers: Literal["highest", "all"] = "highest"
    places: list[Count] | None = None
    kind: Literal["linear", "two-layer"] = READOUT.kind
    hidden: Cells = READOUT.hidden
    epochs: Count = READOUT.epochs
    batch: Count = READOUT.batch
    eta: Positive = READOUT.eta
    weight_decay: NotNegative = READOUT.weight_decay


def _dotted(values: Any, before: str = "") -> Any:
    """Flatten nested tables to dotted keys."""
    if not isinstance(values, dict):
        return values
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _dotted(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return flat


AtDepth = dict[Annotated[int, Field(ge=1)], Annotated[dict[str, Any], BeforeValidator(_dotted)]]


class Model(Table):
    """A model: a network, a learner, and its training; the content of one file of ``models/``.

    The tables ``[[layer]]`` define the receptive fields of each layer, from the lowest; without them the columns form
    a tree. ``[depth.N]`` contains settings that replace others in networks of N layers, such as ``[depth.3.training]``.

    >>> from cortexsim.config.registry import find_model
    >>> model = find_model("clapp-spiking")
    >>> model.rule_name, model.substrates(3), model.spiking.fixation
    ('clapp', ('spiking', 'spiking', 'spiking'), '60 ms')

    Attributes:
        description: what the model is, in a line.
        learner: by which the network learns: ``"local"``, a rule, each layer by itself; ``"feedback"``, a rule that
            receives the error of the output; ``"backprop"``; or ``"untrained"``, nothing but the readout.
        depth: tables that replace others in networks of so many layers.
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
        """The name of the file without its suffix."""
        return self._name

    @property
    def rule_name(self) -> str:
        """The name of the rule, or of the learner if it has no rule; with the loss if that is unsupervised."""
        name = self.learner if self.rule is None else self.plasticity_rule().name
        return name if self.training.loss == "labels" else f"{name} ({self.training.loss})"

    def own_task(self) -> Task:
        """Build the task that the model is configured for.

        Raises:
            UserError: there is no such task or field, or a value is invalid.
        """
        return self.task.build(self._path.parent)

    def layers_on(self, task: Layout) -> int:
        """Return the number of layers on a task, by ``layer``, ``network.layers``, or the hierarchy of the task."""
        return len(self.layer) or self.network.layers or task.depth or LAYERS

    def substrates(self, depth: int) -> tuple[str, ...]:
        """Return the substrate of each layer, from the lowest; the last one given is used for all layers above."""
        named = self.network.substrate
        return (*named, *[named[-1]] * depth)[:depth]

    @property
    def sees_pairs(self) -> bool:
        """Whether it learns from pairs of random views."""
        return self.training.context == "view" or (self.rule is not None and contexts.paired(self.rule.context))

    @property
    def in_brian(self) -> bool:
        """Whether any layer is simulated in Brian2."""
        return set(self.network.substrate) != {"rate"}

    @property
    def afferents(self) -> int:
        """How many cells bring each input to the lowest layer."""
        return self.spiking.afferents if self.network.substrate[0] == "spiking" else 1

    def plasticity_rule(self) -> Rule:
        """Return the rule, with the constants, gains and feedback weights of this model.

        Raises:
            UserError: the model has no rule, or the rule has no such constant, modulator or feedback weights.
        """
        if self.rule is None:
            raise UserError(f"{self._path}: learner = '{self.learner}' uses no rule (learner = 'local' or 'feedback')")
        with error_prefix("rule.name"):
            rule = load_rule(self.rule.name, beside=self._path.parent)
        with error_prefix("rule.constants"):
            rule = rule.with_constants(self.rule.constants, {})
        with error_prefix("rule.gain"):
            rule = rule.with_constants({}, self.rule.gain)
        with error_prefix("rule"):
            rule = rule.with_scope(self.rule.scope)
        with error_prefix("rule"):
            return rule.with_error_path(self.rule.feedback, self.rule.masks)

    def rule_below_projection(self) -> Rule | None:
        """Return the rule of the cells that a projection receives from; None where there is no projection.

        Raises:
            UserError: there is no such rule, or it is not one of an error that is passed from layer to layer.
        """
        if self.rule is None or not self.network.projection:
            return None
        with error_prefix("rule.below_projection"):
            rule = load_rule(self.rule.below_projection, beside=self._path.parent)
            if rule.path is None or rule.path.route != "layered" or rule.path.feedback not in ("random", "transpose"):
                raise UserError(
                    f"rule '{rule.name}' does not learn from the error of the layer above ('kolen_pollack', 'fa', 'bp')"
                )
            if rule.modulators or "noise_post" in rule.reads:
                raise UserError(f"rule '{rule.name}' needs more than this error ('kolen_pollack', 'fa', 'bp')")
        return rule


def resolved(model: Model) -> Mapping[str, Any]:
    """Return all settings of a model, with defaults, as values that can be written as JSON."""
    return {"name": model.name, **model.model_dump(mode="json")}


def settings_used(model: Model, samples: int | None = None) -> dict[str, Any]:
    """Return the settings of a model that had an effect on a run, for reports that list the task separately.

    Left out are the task that the model is configured for, and the tables of substrates that it does not use.

    Args:
        model: the model.
        samples: number of training samples of the run; None if there are several, which are then left out.
    """
    values = dict(resolved(model))
    for name in ("task", *(() if model.in_brian else ("spiking", "modulator"))):
        del values[name]
    training = {key: value for key, value in values["training"].items() if key != "samples"}
    return {**values, "training": training if samples is None else {"samples": samples, **training}}
