"""Three-factor plasticity: the one form that every rule has, held to where its quantities live.

A synapse from cell j to cell i remembers the product of its two cells in an eligibility trace, and changes when a third
factor arrives (Fremaux & Gerstner 2016; Gerstner, Lehmann, Liakoni, Corneil, Brea 2018):

    tau_eligibility d elig_ij/dt = -elig_ij + post_i * pre_j
    dw_ij = eta * (third_i * elig_ij - decay_i * w_ij)

Each factor is a text. The suffix of a name says where the quantity is to be found: `*_pre` at the presynaptic cell,
`*_post` at the postsynaptic cell, `*_all` broadcast to everybody. The audit checks that, and no more: how a quantity
got there is another question. Signals that are sums over other cells name the plastic synapses that must bring them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from cortexsim.errors import UserError, about, nearest
from cortexsim.expression import Expression
from cortexsim.modulators import PER_CLASS, Modulator
from cortexsim.rules.audit import READABLE, audit
from cortexsim.rules.error_path import ErrorPath, Feedback, Masks
from cortexsim.rules.signals import SIGNALS, Signal

SUBSTRATES = ("rate", "brian-rate", "spiking")


@dataclass(frozen=True)
class ThreeFactor:
    """Write the plasticity of one kind of synapse.

    Args:
        post: what the eligibility takes from the postsynaptic cell when a presynaptic spike arrives.
        third: what turns eligibility into a change of weight when the modulator arrives.
        pre: what the presynaptic cell brings.
        decay: how fast the weight is forgotten, per update and unit of eta.
    """

    post: str
    third: str
    pre: str = "activity_pre"
    decay: str = "0"

    def texts(self) -> dict[str, Expression]:
        """The four texts by name, parsed."""
        return {factor: Expression(getattr(self, factor)) for factor in READABLE}


@dataclass(frozen=True)
class Rule:
    """Define a plasticity rule, once, for all substrates; construction is the locality audit.

    Args:
        name: as models name it.
        equation: as the paper writes it.
        source: the paper.
        feedforward: plasticity of the synapses that drive the cell (W, and its bias as a cell that is always active).
        context: plasticity of the synapses from the context onto the dendrite (B), where the rule has any.
        feedback: plasticity of the synapses that bring the error (F or B), where they learn. Their presynaptic cell is
            what they bring it from: a component of the modulator, a cell of the layer above and what it is taught, or,
            for noise, how it answers that.
        modulators: the broadcast signals it listens to.
        path: how the output error reaches its cells, for rules that are taught by one.
        constants: numbers that the texts name, with their defaults.
        negatives: where a contrast of -1 comes from: the context of the fixations before, after a ``saccade``; that of
            the fixations ``around``, before and after, for which eligibility waits; or an input of its own, a
            ``hybrid`` whose patches are put together from two fixations, or a ``blend`` of two.
        saccades: from how many fixations, to each side, those contexts come; 0 where nothing is contrasted.
        breaks: quantities it reads although no synapse could, each with the reason.

    Raises:
        UserError: where a text reads a quantity that its synapse cannot know.
    """

    name: str
    equation: str
    source: str
    feedforward: ThreeFactor
    context: ThreeFactor | None = None
    feedback: ThreeFactor | None = None
    modulators: tuple[Modulator, ...] = ()
    path: ErrorPath | None = None
    constants: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    negatives: Literal["saccade", "around", "hybrid", "blend"] = "saccade"
    saccades: int = 1
    breaks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        with about(f"rule '{self.name}'"):
            audit(self)

    @property
    def synapses(self) -> dict[str, ThreeFactor]:
        """The kinds of synapse that it changes."""
        kinds = {"feedforward": self.feedforward, "context": self.context, "feedback": self.feedback}
        return {name: plasticity for name, plasticity in kinds.items() if plasticity is not None}

    @cached_property
    def reads(self) -> set[str]:
        """All quantities that its texts and the scores of its modulators read."""
        texts = [text for plasticity in self.synapses.values() for text in plasticity.texts().values()]
        texts += [Expression(modulator.score) for modulator in self.modulators]
        return set().union(*(text.names for text in texts))

    @property
    def negative_inputs(self) -> bool:
        """Whether a contrast of -1 comes with an input of its own, not with a context of another fixation."""
        return self.negatives in ("hybrid", "blend")

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """The quantities of cells that it reads."""
        return tuple(SIGNALS[name] for name in sorted(self.reads) if name in SIGNALS)

    @cached_property
    def requires(self) -> frozenset[str]:
        """What a layer has to follow, or to hear, for it: see `Signal`."""
        own = frozenset[str]() if self.context is None else frozenset({"context", "context synapses"})
        return own.union(*(signal.requires for signal in self.signals))

    @property
    def needs_output(self) -> bool:
        """Whether it is taught by what the network answers, or should have answered."""
        return self.path is not None or any(Expression(m.value).names & PER_CLASS for m in self.modulators)

    @property
    def substrates(self) -> tuple[str, ...]:
        """The substrates that have all that it needs."""
        return tuple(name for name in SUBSTRATES if not self.missing_on(name))

    def missing_on(self, substrate: str) -> list[str]:
        """Name what it needs that layers of a substrate do not have."""
        if substrate == "rate":
            return []
        missing = [
            f"'{signal.name}' ({signal.meaning})" for signal in self.signals if substrate not in signal.substrates
        ]
        path = self.path or ErrorPath("direct")
        plain = path.route == "direct" and path.feedback == "random" and path.effective_masks == "removed"
        components = any(modulator.projection == "component" for modulator in self.modulators)
        known = {*PER_CLASS, "score_all", "contrast_all"}
        heard = set().union(*(m.reads - known for m in self.modulators))
        needed = {
            "more feedback than fixed random weights bring straight from the output": not plain or components,
            "a sum over classes": any(Expression(modulator.value).sums for modulator in self.modulators),
            "modulators that hear one another": any(name.endswith("_all") for name in heard - {"share_all"}),
            "shares among moments": "share_all" in heard,
            "plastic feedback synapses": self.feedback is not None,
            "several saccades at once": self.context is not None and self.saccades > 1,
            "contexts of fixations to come": self.negatives == "around",
            "inputs put together from two fixations": self.negative_inputs,
        }
        return [name for name, asked in needed.items() if asked] + missing

    @property
    def needs(self) -> list[str]:
        """What it needs beside the two cells of a synapse."""
        found = ["a context"] if "context" in self.requires else []
        found += [f"{m.name}, one a {m.scope}" for m in self.modulators if m.projection == "scalar"]
        found += [f"{m.name}, a component a class" for m in self.modulators if m.projection != "scalar"]
        found += [] if self.path is None or self.path.route == "direct" else ["output error"]
        found += self.implied_synapses
        found += ["contexts of fixations to come"] if self.negatives == "around" else []
        found += ["false inputs"] if self.negative_inputs else []
        found += ["noise between samples"] if "noise_post" in self.reads else []
        return found + (["plastic feedback synapses"] if self.feedback is not None else [])

    @property
    def implied_synapses(self) -> list[str]:
        """Which plastic synapses stand behind the signals that it reads, beside its own."""
        return list(
            dict.fromkeys(
                str(signal.implied_synapses) for signal in self.signals if signal.implied_synapses is not None
            )
        )

    @property
    def locality_violations(self) -> list[str]:
        """Which bounds of locality it breaks."""
        return [*self.breaks.values(), *(self.path.breaks.values() if self.path is not None else ())]

    def with_constants(self, constants: Mapping[str, float], gain: Mapping[str, float]) -> "Rule":
        """Give constants of the rule, its path and its modulators, and gains of its modulators, other values.

        Raises:
            UserError: where there is no such constant or modulator.
        """
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

    def with_error_path(self, feedback: Feedback | None, masks: Masks | None) -> "Rule":
        """Let its error come through other feedback weights, or meet other masks, unless None.

        Raises:
            UserError: where the rule is taught by no error, or its route does not allow them.
        """
        asked = f"feedback = '{feedback}'" if feedback is not None else f"masks = '{masks}'"
        if feedback is None and masks is None:
            return self
        if self.path is None:
            raise UserError(f"{asked}: rule '{self.name}' is taught by no error of the output (leave it out)")
        if any(modulator.projection == "component" for modulator in self.modulators):
            raise UserError(f"{asked}: rule '{self.name}' brings each cell its component of the error (leave it out)")
        if feedback is not None and self.feedback is not None:
            raise UserError(f"{asked}: rule '{self.name}' learns its feedback weights (leave it out)")
        path = replace(self.path, feedback=feedback or self.path.feedback, masks=masks or self.path.masks)
        return replace(self, path=path)


def _refuse_unknown(complaint: str, names: Mapping[str, float], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{complaint} '{name}' ({nearest(name, known) if known else 'it has none'})")
