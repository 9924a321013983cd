"""The locality audit of a rule: each text reads what its synapse can know, and each name has one meaning."""

import re
from collections.abc import Mapping
from typing import Protocol

from cortexsim.errors import UserError, nearest
from cortexsim.expression import Expression, check_names, check_numbers
from cortexsim.modulators import BROADCAST, SCOPES, Modulator
from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.signals import SIGNALS
from cortexsim.rules.spike_timing import SpikeTiming


class Factors(Protocol):
    """The plasticity of one kind of synapse."""

    def texts(self) -> dict[str, Expression]:
        """Its texts by factor, parsed."""
        ...


class Audited(Protocol):
    """The attributes of a rule that the audit reads."""

    @property
    def synapses(self) -> Mapping[str, Factors]:
        """Plasticity by kind of synapse."""
        ...

    @property
    def modulators(self) -> tuple[Modulator, ...]:
        """Its modulators."""
        ...

    @property
    def context(self) -> Factors | None:
        """Plasticity of context synapses, if they are plastic."""
        ...

    @property
    def path(self) -> ErrorPath | None:
        """Path of the output error to its cells, if it receives one."""
        ...

    @property
    def constants(self) -> Mapping[str, float]:
        """Numbers that its texts name."""
        ...

    @property
    def breaks(self) -> Mapping[str, str]:
        """Quantities that no synapse could read, with the reason."""
        ...


READABLE = {"pre": ("_pre",), "post": ("_post",), "third": ("_post", "_all"), "decay": ("_post",)}
"""Suffixes of the names that each factor may read."""

OWN_WEIGHT = re.compile(r"w|weights?|w_ij|(own_)?weights?_(pre|post|all)|w_(pre|post|all)")  # Names that users may try.

LATE = "which comes after context synapses have changed (third of the feedforward synapses may read it)"


def audit(rule: Audited) -> None:
    """Check that every quantity that a rule reads is available to its synapses.

    >>> from cortexsim.rules import Rule, ThreeFactor
    >>> swapped = ThreeFactor(post="activity_pre", third="1")
    >>> Rule("swapped", "", "", swapped)
    Traceback (most recent call last):
    cortexsim.errors.UserError: rule 'swapped': post of the feedforward synapses reads 'activity_pre', which is not ...

    Raises:
        UserError: where one is not; the message names the text and the quantity.
    """
    _audit_constants(rule)
    _audit_modulators(rule)
    for synapse, plasticity in rule.synapses.items():
        if isinstance(plasticity, SpikeTiming):
            plasticity.audit(rule.constants)
            continue
        for factor, expression in plasticity.texts().items():
            if expression.sums:
                raise UserError(f"{factor} of the {synapse} synapses: only a modulator can sum over classes")
            if "returned_post" in expression.names and (synapse, factor) != ("feedforward", "third"):
                raise UserError(f"{factor} of the {synapse} synapses reads 'returned_post', {LATE}")
            for name in sorted(expression.names - set(rule.constants) - set(rule.breaks)):
                _audit_name(rule, f"{factor} of the {synapse} synapses reads '{name}'", synapse, factor, name)


def _audit_constants(rule: Audited) -> None:
    """Check that constants are numbers with valid names, and that a name has one value."""
    check_names("constant", rule.constants)
    check_numbers("constant", rule.constants)
    values: dict[str, float] = {}
    for constants in (rule.constants, *(modulator.constants for modulator in rule.modulators)):
        for name, value in constants.items():
            if values.setdefault(name, value) != value:
                raise UserError(f"constant '{name}' is {values[name]:g} and {value:g} (give one another name)")


def _audit_modulators(rule: Audited) -> None:
    """Check that names are unique, and that each reads cells, or earlier modulators of the same or a wider scope."""
    before: dict[str, Modulator] = {}
    for modulator in rule.modulators:
        if modulator.read_as in before:
            raise UserError(f"modulator '{modulator.name}': another one is read as '{modulator.read_as}' too")
        for name in sorted(modulator.reads - set(BROADCAST)):
            where = f"modulator '{modulator.name}' reads '{name}'"
            if name == "returned_post":
                raise UserError(f"{where}, {LATE}")
            if name not in (before if name.endswith("_all") else SIGNALS):
                known = nearest(name, [*before, *SIGNALS, *BROADCAST])
                raise UserError(f"{where}, which is no signal of a cell, nor a modulator before it ({known})")
            if name == "feedback_post" and name not in before:
                raise UserError(f"{where}, which no modulator before it is projected as")
            if not name.endswith("_all"):
                _audit_name(rule, where, "feedforward", "third", name)
            if name in before and SCOPES.index(before[name].scope) < SCOPES.index(modulator.scope):
                raise UserError(
                    f"{where}, which has one value per {before[name].scope}, but has one per {modulator.scope} itself"
                    f" (scope = '{before[name].scope}')"
                )
        before[modulator.read_as] = modulator


def _audit_name(rule: Audited, where: str, synapse: str, factor: str, name: str) -> None:
    if OWN_WEIGHT.fullmatch(name):
        raise UserError(
            f"{where}: a synapse knows its own weight, but cells, which read these texts, do not (decay acts on it, -"
            " decay * w; SpikeTiming reads 'weight')"
        )
    if not name.endswith(READABLE[factor]):
        readable = " or ".join(f"*{suffix}" for suffix in READABLE[factor])
        raise UserError(f"{where}, which is not local there: {factor} may read {readable}, or a constant of the rule")
    broadcast = {modulator.read_as for modulator in rule.modulators}
    if name == "feedback_post" and name not in broadcast:
        raise UserError(f"{where}, but no modulator of the rule is projected through random weights")
    if name == "error_post" and (rule.path is None or rule.path.route == "direct"):
        raise UserError(f"{where}, but no error path brings it (path = ErrorPath('layered'))")
    if name == "noise_post" and synapse != "feedback":
        raise UserError(f"{where}, but noise between samples is for feedback synapses alone")
    signal = SIGNALS.get(name)
    if signal is not None and "context synapses" in signal.requires and rule.context is None:
        raise UserError(f"{where}, but the rule has no context synapses (context = ThreeFactor(...))")
    if name.endswith("_all") and name not in broadcast:
        known = nearest(name, broadcast) if broadcast else "it has none"
        raise UserError(f"{where}, but no modulator of the rule broadcasts it ({known})")
    if not name.endswith("_all") and signal is None:
        raise UserError(f"{where}, which is no signal of a cell ({nearest(name, SIGNALS)})")
    implied = None if signal is None else signal.implied_synapses
    if implied is not None and name not in rule.breaks and not implied.possible:
        raise UserError(f"{where}, which implies {implied}: no synapse knows both (breaks = {{{name!r}: 'why'}})")
