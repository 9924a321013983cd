"""Types of values in tables, and the tables for layers in Brian2."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cortexsim.errors import UserError, error_prefix
from cortexsim.quantities import quantity
from cortexsim.spiking import Control, Settings, Timing
from cortexsim.spiking.cells import load_cell
from cortexsim.spiking.settings import MOST_SLOTS

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Share = Annotated[float, Field(gt=0, le=1, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Seed = Annotated[int, Field(ge=0, strict=True)]
Substrate = Literal["rate", "spiking", "brian-rate"]
Substrates = Annotated[
    tuple[Substrate, ...],
    Field(min_length=1),
    BeforeValidator(lambda named: (named,) if isinstance(named, str) else named),
]


def _checked(kind: str) -> Any:
    def check(text: Any) -> Any:
        if not isinstance(text, str):
            raise ValueError(f"write a {kind} with its unit, such as '{'10 ms' if kind == 'time' else '200 Hz'}'")
        quantity(text, kind)
        return text

    return BeforeValidator(check)


Time = Annotated[str, _checked("time")]
Frequency = Annotated[str, _checked("frequency")]


DEFAULTS = Settings()
"""The source of default values, so that an empty table and a layer built in Python have the same settings."""


def _in_ms(seconds: float) -> str:
    return f"{seconds * 1e3:g} ms"


class Table(BaseModel):
    """A TOML table in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SpikingTable(Table):
    """Cells, time and plasticity of layers in Brian2, as `Settings` describes them.

    Attributes:
        cell: name of the cell of spiking layers, or path of a Python file with ``CELL``.
        eta: learning rate of these layers; that of the table ``training`` by default.
        context_eta: learning rate of their context weights, in units of eta; that of ``training`` by default.
        weight_decay: of their weights, per step and unit of learning rate; that of ``training`` by default.
    """

    cell: str = str(DEFAULTS.cell)
    parameters: dict[str, str | Number] = {}
    dt: Time = _in_ms(DEFAULTS.timing.dt)
    fixation: Time = _in_ms(DEFAULTS.timing.fixation)
    blank: Time = _in_ms(DEFAULTS.timing.blank)
    encoding: Literal["poisson", "regular"] = DEFAULTS.encoding
    input_rate: Frequency = f"{DEFAULTS.input_rate:g} Hz"
    afferents: Annotated[int, Field(ge=1, le=1000, strict=True)] = DEFAULTS.afferents
    unit_rate: Frequency = f"{DEFAULTS.unit_rate:g} Hz"
    gain: Positive = DEFAULTS.gain
    tau_eligibility: Time = _in_ms(DEFAULTS.tau_eligibility)
    tau_activity: Time = _in_ms(DEFAULTS.tau_activity)
    dendrite: Literal["trace", "psp"] = DEFAULTS.dendrite
    tau_dendrite: Time = _in_ms(DEFAULTS.tau_dendrite)
    reset_traces: Annotated[bool, Field(strict=True)] = DEFAULTS.reset_traces
    tag_stages: Annotated[int, Field(ge=0, le=MOST_SLOTS, strict=True)] = DEFAULTS.tag_stages
    centred: Annotated[bool, Field(strict=True)] = DEFAULTS.centred
    mean_rate: Annotated[float, Field(ge=0, le=1, strict=True)] = DEFAULTS.mean_rate
    covariance_rate: Annotated[float, Field(ge=0, le=1, strict=True)] = DEFAULTS.covariance_rate
    homeostasis: NotNegative = DEFAULTS.homeostasis
    target_activity: NotNegative = DEFAULTS.target_activity
    target_drive: Positive = DEFAULTS.target_drive
    prediction_rest: Annotated[float, Field(ge=-100, le=1, strict=True)] = DEFAULTS.prediction_rest
    prediction_synapses: Literal["copied", "taught", "kolen-pollack"] = DEFAULTS.prediction_synapses
    w_max: NotNegative = DEFAULTS.w_max
    bound_exponent: Annotated[float, Field(ge=0, le=1, strict=True)] = DEFAULTS.bound_exponent
    weight_bits: Annotated[int, Field(ge=2, le=8, strict=True)] | None = DEFAULTS.weight_bits
    hidden_weights: Annotated[bool, Field(strict=True)] = DEFAULTS.hidden_weights
    release_probability: Share = DEFAULTS.release_probability
    release_sites: Annotated[int, Field(ge=1, le=64, strict=True)] = DEFAULTS.release_sites
    release_gain: Positive = DEFAULTS.release_gain
    dale: Annotated[bool, Field(strict=True)] = DEFAULTS.dale
    inhibition: Literal["pooled", "relayed"] = DEFAULTS.inhibition
    labels: Literal["numbers", "spikes"] = DEFAULTS.labels
    eta: Positive | None = None
    context_eta: Positive | None = None
    weight_decay: NotNegative | None = None
    readout_eta: Positive = DEFAULTS.readout_eta


class ModulatorTable(Table):
    """How a neuromodulator is delayed, filtered, clamped, lesioned or shuffled before it reaches layers in Brian2.

    Attributes:
        delay: with which it arrives; a whole number of fixations.
        tau_filter: time constant of a low-pass filter; 0 ms for none.
    """

    delay: Time = "0 ms"
    tau_filter: Time = "0 ms"
    clamp: Number | None = None
    lesion: Annotated[bool, Field(strict=True)] = False
    shuffle: Annotated[bool, Field(strict=True)] = False


def settings(
    spiking: SpikingTable,
    modulators: dict[str, ModulatorTable],
    eta: float,
    context_eta: float,
    feedback_eta: float,
    decay: float,
    beside: Path = Path(),
    spikes: bool = True,
) -> Settings:
    """Convert tables to settings in seconds and hertz, and check that they fit together.

    >>> spiking = SpikingTable(fixation="100 ms", blank="20 ms")
    >>> of_layers = settings(spiking, {}, eta=0.1, context_eta=1.0, feedback_eta=1.0, decay=0.0)
    >>> of_layers.timing.period  # s
    0.12

    Args:
        spiking: the table ``spiking``.
        modulators: the tables ``modulator`` by name.
        eta, context_eta, feedback_eta, decay: values of the table ``training``, used where ``spiking`` has none.
        beside: folder that the path of a cell's file is relative to.
        spikes: whether any layer spikes.

    Raises:
        UserError: a value is invalid, or values do not fit together.
    """
    try:
        timing = Timing(*(quantity(getattr(spiking, name), "time") for name in ("dt", "fixation", "blank")))
    except UserError as error:
        raise UserError(f"spiking.{error}") from None
    controls = {}
    for name, table in modulators.items():
        try:
            delay = timing.fixations(quantity(table.delay, "time"))
        except UserError as error:
            raise UserError(f"modulator.{name}.{error}") from None
        tau = quantity(table.tau_filter, "time")
        if tau < 0:
            raise UserError(f"modulator.{name}.tau_filter = '{table.tau_filter}' is negative (0 ms or more)")
        controls[name] = Control(delay, tau, table.clamp, table.lesion, table.shuffle)
    with error_prefix("spiking.cell"):
        cell = load_cell(spiking.cell, beside)
    unchanged = (
        "dendrite",
        "encoding",
        "afferents",
        "gain",
        "reset_traces",
        "tag_stages",
        "centred",
        "mean_rate",
        "covariance_rate",
        "homeostasis",
        "target_activity",
        "target_drive",
        "prediction_rest",
        "prediction_synapses",
        "w_max",
        "bound_exponent",
        "weight_bits",
        "hidden_weights",
        "release_probability",
        "release_sites",
        "release_gain",
        "dale",
        "inhibition",
        "labels",
        "readout_eta",
    )
    found = Settings(
        timing=timing,
        cell=cell,
        parameters={name: str(value) for name, value in spiking.parameters.items()},
        input_rate=quantity(spiking.input_rate, "frequency"),
        unit_rate=quantity(spiking.unit_rate, "frequency"),
        tau_eligibility=quantity(spiking.tau_eligibility, "time"),
        tau_activity=quantity(spiking.tau_activity, "time"),
        tau_dendrite=quantity(spiking.tau_dendrite, "time"),
        eta=eta if spiking.eta is None else spiking.eta,
        context_eta=context_eta if spiking.context_eta is None else spiking.context_eta,
        feedback_eta=feedback_eta,
        weight_decay=decay if spiking.weight_decay is None else spiking.weight_decay,
        control=controls,
        **{name: getattr(spiking, name) for name in unchanged},
    )
    try:
        found.check(spikes)
    except UserError as error:
        raise UserError(f"spiking.{error}") from None
    return found
