"""Spike-timing plasticity: three factors that read single spikes, through traces that cells and synapses keep.

A spike of either cell adds to the eligibility of the synapse, which a third factor turns into a change of weight:

    d elig/dt = -elig / tau_eligibility + at_pre (at a presynaptic spike) + at_post (at a postsynaptic one) + always
    dw/dt     = third * elig

Without `tau_eligibility` what would be added to the eligibility changes the weight at once, times `third`. What a text
reads are, by their suffix, quantities of the two cells and broadcasts, as in `ThreeFactor`; and of the synapse itself
``weight`` and ``eligibility``, which are nowhere else. A spike is read before it adds to any trace: a trace that
a postsynaptic spike reads holds the spikes before it. Where both cells spike at once, neither reads the other; brief
pulses of modulators come after spikes of the same instant, and a voltage that begins then before them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.expression import Expression, check_names, check_numbers, parsed
from cortexsim.quantities import quantity

SYNAPTIC = ("weight", "eligibility")
"""What a synapse knows of itself."""

POTENTIAL = "potential_post"
"""The membrane potential of the postsynaptic cell, mV."""

DENDRITE = "dendrite_post"
"""The potential that its dendrite alone would give the soma of the postsynaptic cell, mV."""


@dataclass(frozen=True)
class Trace:
    """A low-pass filter that a cell keeps, which rules read as its name and ``_pre`` or ``_post``.

    >>> Trace(tau="20 ms", side="pre").seconds
    0.02

    Args:
        tau: time constant of its decay.
        side: the cell that keeps it, ``"pre"`` or ``"post"``.
        of: ``"spike"``, a count, to which a spike adds 1; ``"activity"``, the rate in Hz, to which it adds 1 / tau; or
            ``"voltage"``, the membrane potential of the postsynaptic cell, mV.
        pairing: ``"all"`` spikes add up; or only the ``"nearest"`` counts, by which the trace is set to 1.
        delay: of a trace of voltage, after which it is read; empty for none.

    Raises:
        UserError: where tau is no time, or a choice is not known.
    """

    tau: str
    side: Literal["pre", "post"]
    of: Literal["spike", "activity", "voltage"] = "spike"
    pairing: Literal["all", "nearest"] = "all"
    delay: str = ""

    def __post_init__(self) -> None:
        choices = {"side": ("pre", "post"), "of": ("spike", "activity", "voltage"), "pairing": ("all", "nearest")}
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise UserError(f"{name} = '{value}': not known ({nearest(str(value), known)})")
        if self.of == "voltage" and self.side == "pre":
            raise UserError("side = 'pre': a synapse has no access to the voltage of its presynaptic cell ('post')")
        if self.pairing == "nearest" and self.of != "spike":
            raise UserError(f"pairing = 'nearest': of spikes, not of {self.of} (of = 'spike')")
        if self.delay and self.of != "voltage":
            raise UserError(f"delay = '{self.delay}': of voltages, not of {self.of} (of = 'voltage')")
        _ = self.seconds, self.lag

    @cached_property
    def seconds(self) -> float:
        """Its time constant, s."""
        return _positive_time("tau", self.tau)

    @cached_property
    def lag(self) -> float:
        """How much later it is read, s."""
        return _positive_time("delay", self.delay) if self.delay else 0.0

    @property
    def jump(self) -> float:
        """What a spike adds to it."""
        return {"spike": 1.0, "activity": 1 / self.seconds, "voltage": 0.0}[self.of]


@dataclass(frozen=True)
class Neuromodulator:
    """A broadcast that comes from outside, with kinetics of its own: tau dn/dt = baseline - n + pulses.

    A pulse has an area of its size: it raises n by size / tau. Without a time constant it acts at its instant, as the
    tick of a clock at which weights change. Rules read the name with ``_all``.

    >>> Neuromodulator(tau="200 ms").seconds
    0.2

    Args:
        tau: time constant; empty for pulses that act at their instant.
        baseline: level in the absence of pulses.
        expectation: where above 0, a pulse counts as reward, and only its excess over the expected reward is broadcast,
            which each reward changes by this fraction of the excess (Rescorla & Wagner 1972).

    Raises:
        UserError: where a value is not possible.
    """

    tau: str = ""
    baseline: float = 0.0
    expectation: float = 0.0

    def __post_init__(self) -> None:
        _ = self.seconds
        check_numbers("neuromodulator", {"baseline": self.baseline, "expectation": self.expectation})
        if not 0 <= self.expectation <= 1:
            raise UserError(f"expectation = {self.expectation:g}: not a fraction (0 to 1)")

    @cached_property
    def seconds(self) -> float:
        """Its time constant, s; 0 where it has none."""
        return _positive_time("tau", self.tau) if self.tau else 0.0


@dataclass(frozen=True)
class Term:
    """A change of weight with an eligibility of its own.

    Args:
        at_pre: what a presynaptic spike adds to the eligibility.
        at_post: what a postsynaptic spike adds.
        always: what is added all the time, per second.
        third: factor by which the eligibility changes the weight; per second where there is a `tau_eligibility`.
        tau_eligibility: time constant of the eligibility; empty where there is none.
    """

    at_pre: str = "0"
    at_post: str = "0"
    always: str = "0"
    third: str = "1"
    tau_eligibility: str = ""

    @cached_property
    def seconds(self) -> float:
        """Time constant of the eligibility, s; 0 where it has none."""
        return _positive_time("tau_eligibility", self.tau_eligibility) if self.tau_eligibility else 0.0

    def factors(self) -> dict[str, Expression]:
        """Its four texts, parsed."""
        return {name: parsed(getattr(self, name)) for name in ("at_pre", "at_post", "always", "third")}


@dataclass(frozen=True)
class SpikeTiming(Term):
    """The plasticity of a synapse that sees single spikes: a term, or several, and the traces that they read.

    >>> pairs = SpikeTiming(at_post="early_pre", traces={"early": Trace("20 ms", "pre")})
    >>> sorted(pairs.known)
    ['dendrite_post', 'early_pre', 'potential_post', 'weight']

    Args:
        traces: by name.
        modulators: by name.
        bounds: of the weight, at which it stays.
        also: further terms, whose changes are added.
    """

    traces: Mapping[str, Trace] = field(default_factory=lambda: MappingProxyType({}))
    modulators: Mapping[str, Neuromodulator] = field(default_factory=lambda: MappingProxyType({}))
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    also: tuple[Term, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """Its terms, each with an eligibility of its own."""
        return (self, *self.also)

    @cached_property
    def read_traces(self) -> dict[str, Trace]:
        """Its traces, by what texts call them."""
        return {f"{name}_{trace.side}": trace for name, trace in self.traces.items()}

    @cached_property
    def read_modulators(self) -> dict[str, Neuromodulator]:
        """Its modulators, by what texts call them."""
        return {f"{name}_all": modulator for name, modulator in self.modulators.items()}

    @property
    def known(self) -> set[str]:
        """Names that its texts may read, beside constants; ``eligibility`` only where there is one."""
        return {*self.read_traces, *self.read_modulators, POTENTIAL, DENDRITE, "weight"}

    def texts(self) -> dict[str, Expression]:
        """All of its texts, parsed, by name and, from the second term on, number."""
        return {
            name if number == 1 else f"{name} {number}": text
            for number, term in enumerate(self.terms, 1)
            for name, text in term.factors().items()
        }

    def audit(self, constants: Mapping[str, float]) -> None:
        """Check that each text reads what its synapse can know.

        Args:
            constants: of the rule, which every text may read.

        Raises:
            UserError: naming the text, and the quantity that it cannot read.
        """
        check_names("trace", self.traces, SYNAPTIC)
        check_names("neuromodulator", self.modulators, SYNAPTIC)
        check_names("constant", constants, SYNAPTIC)
        low, high = self.bounds
        if not low < high:
            raise UserError(f"bounds = ({low:g}, {high:g}): the first is not below the second")
        for number, term in enumerate(self.terms, 1):
            _ = term.seconds
            for name, text in term.factors().items():
                with error_prefix(name if number == 1 else f"{name} of term {number}"):
                    self._audit_text(term, name, text, set(constants))

    def _audit_text(self, term: Term, factor: str, text: Expression, constants: set[str]) -> None:
        if text.sums:
            raise UserError("only a modulator can sum over classes")
        for name in sorted(text.names - constants):
            if name == "eligibility" and not term.tau_eligibility:
                raise UserError("reads 'eligibility', and there is none (tau_eligibility = '1 s')")
            if factor == "third" and (name.endswith("_pre") or name == "eligibility"):
                raise UserError(f"reads '{name}', but may read *_post, *_all, weight, or a constant of the rule")
            if factor != "third" and name.endswith("_all"):
                raise UserError(f"reads '{name}', but a broadcast acts through the third factor (third = '{name}')")
            if name != "eligibility" and name not in self.known:
                raise UserError(f"reads '{name}', which no synapse knows ({nearest(name, [*self.known, *constants])})")


def _positive_time(name: str, text: str) -> float:
    with error_prefix(name):
        seconds = quantity(text, "time")
    if seconds <= 0:
        raise UserError(f"{name} = '{text}': not above 0 (a time, such as '20 ms')")
    return seconds
