"""Models as a user writes them: TOML, validated key by key."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from cortexsim.errors import UserError, nearest
from cortexsim.hierarchy import Hierarchy
from cortexsim.rules import Rule, load_rule
from cortexsim.runs.explain import explain
from cortexsim.runs.tables import (
    Count,
    ModulatorTable,
    NotNegative,
    Number,
    Positive,
    SpikingTable,
    Substrates,
    Table,
    settings,
)
from cortexsim.spiking import Settings, Translation


class HierarchyTable(Table):
    """Sizes of the task; the command line's options go before these."""

    features: Annotated[int, Field(ge=2, le=256, strict=True)] = 8
    multiplicity: Count = 4
    depth: Count = 4
    tuple_size: Annotated[int, Field(ge=2, strict=True)] = 2
    classes: Annotated[int, Field(ge=2, strict=True)] | None = None


class NetworkTable(Table):
    """Cells of the network, the same in every layer but for the substrate; columns in Brian2 share no weights."""

    substrate: Substrates = ("rate",)
    cells: Count = 64
    shared: Annotated[bool, Field(strict=True)] = True
    transfer: Literal["relu", "saturating", "linear"] = "relu"
    initial_scale: Positive = 1.0
    input_rms: Positive | None = None


class RuleTable(Table):
    """Which rule the synapses follow, and what it listens to."""

    name: str
    context: Literal["sibling"] = "sibling"
    schedule: Literal["greedy", "simultaneous"] = "greedy"
    top: Literal["readout", "label"] = "readout"
    constants: dict[str, Number] = Field(default_factory=dict)
    gain: dict[str, Number] = Field(default_factory=dict)


class TrainingTable(Table):
    """How long, and how fast."""

    samples: Annotated[int, Field(ge=2, strict=True)] = 4096
    epochs: Count = 40
    batch: Annotated[int, Field(ge=2, strict=True)] = 64
    optimizer: Literal["sgd", "adamw"] = "adamw"
    eta: Positive = 1e-3
    context_eta: Positive = 1.0
    weight_decay: NotNegative = 0.0
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.0


class ReadoutTable(Table):
    """The supervised decoder of learners that have no output of their own."""

    kind: Literal["linear", "two-layer"] = "two-layer"
    hidden: Count = 64
    epochs: Count = 30
    batch: Count = 128
    eta: Positive = 3e-3
    weight_decay: NotNegative = 0.3


class Model(Table):
    """One file of `models/`: a network, what learns in it, and how."""

    description: str = ""
    learner: Literal["local", "feedback", "backprop", "untrained"]
    rule: RuleTable | None = None
    hierarchy: HierarchyTable = HierarchyTable()
    network: NetworkTable = NetworkTable()
    spiking: SpikingTable = SpikingTable()
    modulator: dict[str, ModulatorTable] = Field(default_factory=dict)
    training: TrainingTable = TrainingTable()
    readout: ReadoutTable = ReadoutTable()

    _name: str = ""
    _path: Path = Path()

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._name

    @property
    def rule_name(self) -> str:
        """The rule's name; the learner's where it follows none."""
        return self.learner if self.rule is None else self.plasticity_rule().name

    def task(self) -> Hierarchy:
        """The sizes of the task that the model is for.

        Raises:
            UserError: where they cannot exist.
        """
        return Hierarchy(**self.hierarchy.model_dump(exclude_none=True))

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
        rule = load_rule(self.rule.name, beside=self._path.parent)
        return rule.tuned(self.rule.constants, self.rule.gain)

    def check(self) -> None:
        """Hold what one key cannot say alone: that learner and rule fit each other.

        Raises:
            UserError: where they do not.
        """
        self.task()
        check_brian(self)
        if self.learner in ("backprop", "untrained"):
            if self.rule is not None:
                raise UserError(f"rule: learner = '{self.learner}' follows no rule (leave the table out)")
            return
        if self.rule is None:
            raise UserError(f"rule: missing; learner = '{self.learner}' needs a table [rule] with a name")
        rule = self.plasticity_rule()
        if rule.needs_error != (self.learner == "feedback"):
            right = "feedback" if rule.needs_error else "local"
            heard = "listens to the output error" if rule.needs_error else "listens to no output error"
            raise UserError(f"learner = '{self.learner}': rule '{rule.name}' {heard} (learner = '{right}')")
        if self.rule.top == "label" and not rule.needs_context:
            raise UserError(f"rule.top = 'label': rule '{rule.name}' hears no context (top = 'readout')")
        if self.rule.top == "label" and self.learner == "feedback":
            raise UserError("rule.top = 'label': a feedback learner has an output of its own (top = 'readout')")


def check_brian(model: Model) -> None:
    """Hold what layers in Brian2 can and cannot do.

    Raises:
        UserError: where a model asks for what they cannot.
    """
    if not model.in_brian:
        for name, written in (("spiking", model.spiking != SpikingTable()), ("modulator", model.modulator)):
            if written:
                raise UserError(f"{name}: no layer is simulated in Brian2 (network.substrate = 'spiking')")
        return
    brian_settings(model)
    if model.learner in ("local", "feedback") and model.rule is not None:
        for name in model.modulator:
            known = [modulator.name for modulator in model.plasticity_rule().modulators]
            if name not in known:
                raise UserError(f"modulator.{name}: the rule has no such modulator ({nearest(name, known)})")
        says = Translation(model.plasticity_rule(), context=True)
        if model.spiking.centred and (
            says.reads("mean_post") or model.learner == "feedback" or model.rule.top == "label"
        ):
            why = (
                "the rule reads mean_post itself"
                if says.reads("mean_post")
                else "an answer is read from activity itself"
            )
            raise UserError(f"spiking.centred = true: {why} (centred = false)")
    if model.spiking.dendrite == "psp":
        if "brian-rate" in model.network.substrate:
            raise UserError("spiking.dendrite = 'psp': cells without spikes have none ('trace')")
        if model.rule is not None and model.rule.top == "label":
            raise UserError("spiking.dendrite = 'psp': the label population has no spikes to hear ('trace')")
    if model.learner == "backprop":
        raise UserError("learner = 'backprop': spikes have no gradient (network.substrate = 'rate')")
    named = model.network.substrate
    if model.network.shared and "rate" in named[1:]:
        raise UserError(
            "network.shared = true: columns in Brian2 differ, and so must those that hear them (shared = false)"
        )
    mixed = len(set(named)) > 1
    if mixed and model.learner == "feedback":
        raise UserError(
            "network.substrate: an output error reaches layers of one substrate only (the same for all layers)"
        )
    if mixed and model.rule is not None and model.rule.schedule == "simultaneous":
        raise UserError("rule.schedule = 'simultaneous': layers of different substrates learn one by one ('greedy')")


def brian_settings(model: Model) -> Settings:
    """Set up the layers of a model that are simulated in Brian2."""
    training = model.training
    return settings(model.spiking, model.modulator, training.eta, training.context_eta, training.weight_decay)


def read_model(path: Path) -> Model:
    """Read and validate a model file.

    Raises:
        UserError: one line naming file, key, value, and what would be right.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path}: {reason}") from None
    try:
        model = Model.model_validate(values)
        model._name, model._path = path.stem, path
        model.check()
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, Model)}") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return model


def resolved(model: Model) -> Mapping[str, Any]:
    """Write out a model with all defaults, as plain values."""
    return {"name": model.name, **model.model_dump(mode="json")}
