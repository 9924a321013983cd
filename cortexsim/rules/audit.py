"""The audit of a rule: what each text reads is where its synapse can know it, and nothing stands for two things."""

import re
from collections.abc import Mapping
from typing import Protocol

from cortexsim.errors import UserError, nearest
from cortexsim.expression import Expression, check_names, check_numbers
from cortexsim.modulators import BROADCAST, SCOPES, Modulator
from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.signals import SIGNALS


class Factors(Protocol):
    """The plasticity of one kind of synapse: its texts, by factor."""

    def texts(self) -> dict[str, Expression]:
        """The texts by name, parsed."""
        ...


class Audited(Protocol):
    """What the audit reads of a rule."""

    @property
    def synapses(self) -> Mapping[str, Factors]:
        """The kinds of synapse that it changes."""
        ...

    @property
    def modulators(self) -> tuple[Modulator, ...]:
        """The signals it listens to."""
        ...

    @property
    def context(self) -> Factors | None:
        """Plasticity of context synapses, where it has any."""
        ...

    @property
    def path(self) -> ErrorPath | None:
        """How an error reaches its cells, where one does."""
        ...

    @property
    def constants(self) -> Mapping[str, float]:
        """Numbers that its texts name."""
        ...

    @property
    def breaks(self) -> Mapping[str, str]:
        """Quantities that no synapse could read, each with why."""
        ...


READABLE = {"pre": ("_pre",), "post": ("_post",), "third": ("_post", "_all"), "decay": ("_post",)}
"""By factor, how the names end that it may read."""

OWN_WEIGHT = re.compile(r"w|weights?|w_ij|(own_)?weights?_(pre|post|all)|w_(pre|post|all)")  # As one may call it.

LATE = "which comes after context synapses have changed (third of the feedforward synapses may read it)"


def audit(rule: Audited) -> None:
    """Hold a rule to what its synapses can know.

    Raises:
        UserError: where they cannot, with the text and the quantity.
    """
    _audit_constants(rule)
    _audit_modulators(rule)
    for synapse, plasticity in rule.synapses.items():
        for factor, expression in plasticity.texts().items():
            if expression.sums:
                raise UserError(f"{factor} of the {synapse} synapses: only a modulator can sum over classes")
            if "returned_post" in expression.names and (synapse, factor) != ("feedforward", "third"):
                raise UserError(f"{factor} of the {synapse} synapses reads 'returned_post', {LATE}")
            for name in sorted(expression.names - set(rule.constants) - set(rule.breaks)):
                _audit_name(rule, f"{factor} of the {synapse} synapses reads '{name}'", synapse, factor, name)


def _audit_constants(rule: Audited) -> None:
    """See that constants are numbers with names of their own, and that a name stands for one number."""
    check_names("constant", rule.constants)
    check_numbers("constant", rule.constants)
    found: dict[str, float] = {}
    for constants in (rule.constants, *(modulator.constants for modulator in rule.modulators)):
        for name, value in constants.items():
            if found.setdefault(name, value) != value:
                raise UserError(f"constant '{name}' is {found[name]:g} and {value:g} (give one another name)")


def _audit_modulators(rule: Audited) -> None:
    """See that each has a name of its own, and hears only cells, and modulators said before it to as many."""
    said: dict[str, Modulator] = {}
    for modulator in rule.modulators:
        if modulator.read_as in said:
            raise UserError(f"modulator '{modulator.name}': another one is read as '{modulator.read_as}' too")
        for name in sorted(modulator.reads - set(BROADCAST)):
            where = f"modulator '{modulator.name}' reads '{name}'"
            if name == "returned_post":
                raise UserError(f"{where}, {LATE}")
            if name not in (said if name.endswith("_all") else SIGNALS):
                known = nearest(name, [*said, *SIGNALS, *BROADCAST])
                raise UserError(f"{where}, which no cell has and no modulator before it says ({known})")
            if name == "feedback_post" and name not in said:
                raise UserError(f"{where}, which no modulator before it is projected as")
            if not name.endswith("_all"):
                _audit_name(rule, where, "feedforward", "third", name)
            if name in said and SCOPES.index(said[name].scope) < SCOPES.index(modulator.scope):
                raise UserError(
                    f"{where}, one a {said[name].scope}, but says one a {modulator.scope} itself"
                    f" (scope = '{said[name].scope}')"
                )
        said[modulator.read_as] = modulator


def _audit_name(rule: Audited, where: str, synapse: str, factor: str, name: str) -> None:
    if OWN_WEIGHT.fullmatch(name):
        raise UserError(f"{where}: no rule can read a synapse's own weight (only decay acts on it: - decay * w)")
    if not name.endswith(READABLE[factor]):
        readable = " or ".join(f"*{suffix}" for suffix in READABLE[factor])
        raise UserError(f"{where}, which is not local there: {factor} may read {readable}, or a constant of the rule")
    broadcast = {modulator.read_as for modulator in rule.modulators}
    if name == "feedback_post" and name not in broadcast:
        raise UserError(f"{where}, but none of the rule's modulators is projected through random weights")
    if name == "error_post" and (rule.path is None or rule.path.route == "direct"):
        raise UserError(f"{where}, but no error path brings it (path = ErrorPath('layered'))")
    if name == "noise_post" and synapse != "feedback":
        raise UserError(f"{where}, but cells fire noise between samples, for their feedback synapses alone")
    signal = SIGNALS.get(name)
    if signal is not None and "context synapses" in signal.requires and rule.context is None:
        raise UserError(f"{where}, but the rule has no context synapses (context = ThreeFactor(...))")
    if name.endswith("_all") and name not in broadcast:
        raise UserError(f"{where}, but no modulator of the rule broadcasts it ({nearest(name, broadcast)})")
    if not name.endswith("_all") and signal is None:
        raise UserError(f"{where}, which no cell has ({nearest(name, SIGNALS)})")
    behind = None if signal is None else signal.implied_synapses
    if behind is not None and name not in rule.breaks and not behind.possible:
        raise UserError(f"{where}, which stands for {behind}: no synapse knows both (breaks = {{{name!r}: 'why'}})")
