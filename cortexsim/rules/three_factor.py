"""Three-factor plasticity: the common form of all rules, with an audit of their locality.

A synapse from cell j to cell i keeps the product of its two cells in an eligibility trace, and changes when a third
factor arrives (Fremaux & Gerstner 2016; Gerstner, Lehmann, Liakoni, Corneil, Brea 2018):

    tau_eligibility d elig_ij/dt = -elig_ij + post_i * pre_j
    dw_ij = eta * (third_i * elig_ij - decay_i * w_ij)

Each factor is a text. The suffix of a name is the place of the quantity: `*_pre` at the presynaptic cell, `*_post` at
the postsynaptic cell, `*_all` broadcast to all. The audit checks these places, and not how a quantity got there; but
signals that are weighted sums over other cells name the plastic synapses that they imply.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.expression import Expression, parsed
from cortexsim.modulators import PER_CLASS, Modulator
from cortexsim.rules.audit import READABLE, audit
from cortexsim.rules.error_path import ErrorPath, Feedback, Masks
from cortexsim.rules.signals import SIGNALS, Signal
from cortexsim.rules.spike_timing import SpikeTiming

SUBSTRATES = ("rate", "brian-rate", "spiking")


@dataclass(frozen=True)
class ThreeFactor:
    """The plasticity of one kind of synapse.

    >>> oja = ThreeFactor(post="activity_post", third="1", decay="activity_post**2")
    >>> sorted(oja.texts()["decay"].names)
    ['activity_post']

    Args:
        post: postsynaptic factor of the eligibility.
        third: third factor, by which the eligibility is multiplied.
        pre: presynaptic factor of the eligibility.
        decay: rate at which the weight decays, per update and unit of eta.
    """

    post: str
    third: str
    pre: str = "activity_pre"
    decay: str = "0"

    def texts(self) -> dict[str, Expression]:
        """The four texts by factor, parsed."""
        return {factor: parsed(getattr(self, factor)) for factor in READABLE}


@dataclass(frozen=True)
class Rule:
    """A plasticity rule, defined once for all substrates, and audited for locality on construction.

    >>> covariance = Rule(
    ...     name="covariance",
    ...     equation="dW = eta * (z - <z>) * x",
    ...     source="Sejnowski 1977",
    ...     feedforward=ThreeFactor(post="activity_post - mean_post", third="1"),
    ... )
    >>> covariance.substrates
    ('rate', 'brian-rate', 'spiking')
    >>> Rule("nonlocal", "", "", ThreeFactor(post="activity_pre", third="1"))
    Traceback (most recent call last):
    cortexsim.errors.UserError: rule 'nonlocal': post of the feedforward synapses reads 'activity_pre', ...

    Args:
        name: by which models refer to it.
        equation: in the notation of the paper.
        source: the paper.
        feedforward: plasticity of the synapses that drive the cell (W, and its bias as a cell that is always active);
            of single spikes where it is a `SpikeTiming`.
        context: plasticity of the synapses from the context onto the dendrite (B); None where they are not plastic.
        feedback: plasticity of the feedback weights (F or B); None where they are not plastic. Their presynaptic
            quantity is what they project: a component of the modulator, or the error of a cell of the layer above; with
            noise, the response of that cell to it.
        modulators: broadcast signals, in the order in which they are computed.
        path: of the output error to the cells, for rules that use one.
        constants: numbers that the texts name, with their defaults.
        negatives: source of negative samples: the contexts of earlier fixations, before a ``saccade``; of fixations
            ``around``, earlier and later, for which the eligibility waits; or an input of its own, a ``hybrid`` of
            patches from two fixations, or a ``blend`` of two.
        saccades: number of fixations, to each side, whose contexts are negative samples; 0 for none.
        breaks: quantities that it reads although no synapse could, with the reason.

    Raises:
        UserError: where a text reads a quantity that its synapse cannot know.
    """

    name: str
    equation: str
    source: str
    feedforward: ThreeFactor | SpikeTiming
    context: ThreeFactor | None = None
    feedback: ThreeFactor | None = None
    modulators: tuple[Modulator, ...] = ()
    path: ErrorPath | None = None
    constants: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    negatives: Literal["saccade", "around", "hybrid", "blend"] = "saccade"
    saccades: int = 1
    breaks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        with error_prefix(f"rule '{self.name}'"):
            audit(self)

    @property
    def synapses(self) -> dict[str, ThreeFactor | SpikeTiming]:
        """Plasticity by kind of synapse: ``feedforward``, ``context``, ``feedback``."""
        kinds: dict[str, ThreeFactor | SpikeTiming | None]
        kinds = {"feedforward": self.feedforward, "context": self.context, "feedback": self.feedback}
        return {name: plasticity for name, plasticity in kinds.items() if plasticity is not None}

    @cached_property
    def reads(self) -> set[str]:
        """Names of the quantities that its texts and the scores of its modulators read."""
        texts = [text for plasticity in self.synapses.values() for text in plasticity.texts().values()]
        texts += [parsed(modulator.score) for modulator in self.modulators]
        return set().union(*(text.names for text in texts))

    @property
    def negative_inputs(self) -> bool:
        """Whether negative samples are inputs of their own, not contexts of other fixations."""
        return self.negatives in ("hybrid", "blend")

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """Signals of cells that it reads."""
        return tuple(SIGNALS[name] for name in sorted(self.reads) if name in SIGNALS)

    @cached_property
    def requires(self) -> frozenset[str]:
        """What it requires of a layer: see `Signal`."""
        own = frozenset[str]() if self.context is None else frozenset({"context", "context synapses"})
        return own.union(*(signal.requires for signal in self.signals))

    @property
    def needs_output(self) -> bool:
        """Whether it needs the output of the network, or the label."""
        return self.path is not None or any(parsed(m.value).names & PER_CLASS for m in self.modulators)

    @property
    def substrates(self) -> tuple[str, ...]:
        """Substrates that have all that it needs."""
        return tuple(name for name in SUBSTRATES if not self.missing_on(name))

    def missing_on(self, substrate: str) -> list[str]:
        """List what it needs that a substrate lacks.

        >>> from cortexsim.rules import load_rule
        >>> load_rule("forward_forward").missing_on("spiking")
        ['inputs mixed from two fixations']

        Args:
            substrate: one of `SUBSTRATES`.
        """
        if isinstance(self.feedforward, SpikeTiming):
            return ["traces of single spikes (`cortexsim protocol` runs such a rule, layers do not yet)"]
        if substrate == "rate":
            return []
        missing = [
            f"'{signal.name}' ({signal.meaning})" for signal in self.signals if substrate not in signal.substrates
        ]
        path = self.path or ErrorPath("direct")
        masks = {"direct": "removed", "layered": "true"}.get(path.route)
        plain = path.feedback == "random" and path.effective_masks == masks
        vectors = [modulator for modulator in self.modulators if modulator.projection != "scalar"]
        normalised = {"view_post", "cross_input_post", "predicted_rate_post"} & self.reads
        scalars = {modulator.read_as for modulator in self.modulators} - {"feedback_post"}
        needed = {
            "feedback other than by random weights": not plain or any(m.projection == "component" for m in vectors),
            "a sum over classes": any(parsed(modulator.value).sums for modulator in self.modulators),
            "output errors that depend on scalar modulators": any(modulator.reads & scalars for modulator in vectors),
            "contexts of several later fixations": self.negatives == "around" and self.saccades > 1,
            "normalised contexts of earlier fixations": bool(normalised) and self.saccades > 0,
            "inputs mixed from two fixations": self.negative_inputs,
        }
        return [name for name, present in needed.items() if present] + missing

    @property
    def needs(self) -> list[str]:
        """What it needs beyond the two cells of a synapse, in words.

        >>> from cortexsim.rules import load_rule
        >>> load_rule("clapp").needs
        ['a context', 'surprise, one per column']
        """
        needs = ["a context"] if "context" in self.requires else []
        if isinstance(self.feedforward, SpikeTiming):
            needs += [f"{name}, of a protocol" for name in self.feedforward.modulators]
        needs += [f"{m.name}, one per {m.scope}" for m in self.modulators if m.projection == "scalar"]
        needs += [f"{m.name}, one component per class" for m in self.modulators if m.projection != "scalar"]
        needs += [] if self.path is None or self.path.route == "direct" else ["output error"]
        needs += self.implied_synapses
        needs += ["contexts of later fixations"] if self.negatives == "around" else []
        needs += ["negative inputs"] if self.negative_inputs else []
        needs += ["noise between samples"] if "noise_post" in self.reads else []
        return needs + (["plastic feedback synapses"] if self.feedback is not None else [])

    @property
    def implied_synapses(self) -> list[str]:
        """Plastic synapses that its signals imply, beside its own."""
        return list(
            dict.fromkeys(
                str(signal.implied_synapses) for signal in self.signals if signal.implied_synapses is not None
            )
        )

    @property
    def locality_violations(self) -> list[str]:
        """Reasons why it is not local: those of quantities that it declares, and of its error path."""
        return [*self.breaks.values(), *(self.path.breaks.values() if self.path is not None else ())]

    def with_constants(self, constants: Mapping[str, float], gain: Mapping[str, float]) -> "Rule":
        """Copy the rule with other values of constants and gains.

        >>> from cortexsim.rules import load_rule
        >>> load_rule("lpl").with_constants({"hebbian": 0.5}, {}).constants["hebbian"]
        0.5

        Args:
            constants: by name, of the rule, its path or its modulators.
            gain: by name of the modulator; 0 lesions it.

        Raises:
            UserError: where there is no such constant or modulator.
        """
        if not constants and not gain:
            return self
        owned = {name for modulator in self.modulators for name in modulator.constants} | set(self.constants)
        owned |= set(self.path.constants) if self.path is not None else set()
        _refuse_unknown(f"rule '{self.name}' has no constant", constants, owned)
        _refuse_unknown(f"rule '{self.name}' has no modulator", gain, {modulator.name for modulator in self.modulators})

        def tune(old: Mapping[str, float]) -> dict[str, float]:
            return {name: constants.get(name, value) for name, value in old.items()}

        modulators = tuple(
            replace(modulator, constants=tune(modulator.constants), gain=gain.get(modulator.name, modulator.gain))
            for modulator in self.modulators
        )
        path = None if self.path is None else replace(self.path, constants=tune(self.path.constants))
        return replace(self, constants=tune(self.constants), modulators=modulators, path=path)

    def with_scope(self, scope: Literal["column", "layer"] | None) -> "Rule":
        """Copy the rule with scores that are summed over the cells of a column, or of a layer.

        >>> from cortexsim.rules import load_rule
        >>> load_rule("clapp").with_scope("layer").needs
        ['a context', 'surprise, one per layer']

        Args:
            scope: of all modulators that have a score; None to leave them as they are.

        Raises:
            UserError: where none has.
        """
        scored = {modulator.name for modulator in self.modulators if parsed(modulator.score).names}
        if scope is None:
            return self
        if not scored:
            raise UserError(f"scope = '{scope}': rule '{self.name}' has no modulator with a score (leave it out)")
        return replace(
            self, modulators=tuple(replace(m, scope=scope) if m.name in scored else m for m in self.modulators)
        )

    def with_error_path(self, feedback: Feedback | None, masks: Masks | None) -> "Rule":
        """Copy the rule with other feedback weights or masks of its error path.

        >>> from cortexsim.rules import load_rule
        >>> load_rule("bp").with_error_path(feedback="uSF", masks=None).path.feedback
        'uSF'

        Args:
            feedback: kind of feedback weights; None to leave them as they are.
            masks: by the names of `MASKS`; None to leave them as they are.

        Raises:
            UserError: where the rule uses no error, or its route does not allow them.
        """
        given = f"feedback = '{feedback}'" if feedback is not None else f"masks = '{masks}'"
        if feedback is None and masks is None:
            return self
        if self.path is None:
            raise UserError(f"{given}: rule '{self.name}' uses no error of the output (leave it out)")
        if any(modulator.projection == "component" for modulator in self.modulators):
            raise UserError(f"{given}: rule '{self.name}' gives each cell its component of the error (leave it out)")
        if feedback is not None and self.feedback is not None:
            raise UserError(f"{given}: rule '{self.name}' learns its feedback weights (leave it out)")
        path = replace(self.path, feedback=feedback or self.path.feedback, masks=masks or self.path.masks)
        return replace(self, path=path)


def _refuse_unknown(complaint: str, names: Mapping[str, float], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{complaint} '{name}' ({nearest(name, known) if known else 'it has none'})")
