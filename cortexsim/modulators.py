"""Neuromodulators: signals that are broadcast to many synapses and gate their plasticity.

A modulator is data, like a rule: the text of its value, and its scope. The text may read

=================  =====================================================================================
`<signal>_post`    in `score`: a signal of cells, summed over the scope of the modulator
`score_all`        that sum
`share_all`        its softmax over the contrast samples of a fixation, e^score / sum e^score
`contrast_all`     +1 for the context of the present sample, -1 for that of another, after a saccade
`output_all`       output of the network, one probability per class
`label_all`        label, one-hot, one number per class
`sum(...)`         around a quantity with one number per class: the sum over classes
`<name>_all`       a scalar modulator listed before it in the rule, of the same or a wider scope
=================  =====================================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.expression import Expression, check_names, check_numbers, parsed

BROADCAST = ("score_all", "share_all", "contrast_all", "output_all", "label_all")
PER_CLASS = frozenset({"output_all", "label_all"})
"""Those of them that have one number per class."""

SCOPES = ("column", "layer", "network")
"""Narrowest first."""


@dataclass(frozen=True)
class Modulator:
    """A broadcast signal.

    >>> reward = Modulator("reward", value="sum(output_all * label_all) - baseline", constants={"baseline": 0.25})
    >>> reward.read_as, sorted(reward.reads)
    ('reward_all', ['label_all', 'output_all'])

    Args:
        name: by which rules read a scalar modulator, as ``<name>_all``.
        value: text of the signal, e.g. ``"contrast_all * int(contrast_all * score_all < margin)"``.
        score: text that is summed over the cells of the scope before the value is computed.
        scope: cells that share one value: those of a ``"column"``, of a ``"layer"``, or of the ``"network"``.
        projection: ``"scalar"`` reaches every synapse unchanged. A vector, of one component per class, reaches each
            cell through ``"random"`` weights; of ``"component"``, each component of a vector cell receives its own.
            Rules read both as ``feedback_post``.
        gain: factor of the value; 0 lesions the modulator.
        constants: numbers that the texts name.

    Raises:
        UserError: where a text reads what a modulator cannot know, or a value has not one number where the projection
            needs a scalar, or not one per class where it needs a vector.
    """

    name: str
    value: str
    score: str = "0"
    scope: Literal["column", "layer", "network"] = "network"
    projection: Literal["scalar", "random", "component"] = "scalar"
    gain: float = 1.0
    constants: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        with error_prefix(f"modulator '{self.name}'"):
            check_names("name", [self.name], [name.removesuffix("_all") for name in BROADCAST])
            check_names("constant", self.constants)
            check_numbers("constant", {**self.constants, "gain": self.gain})
            self._audit_score(parsed(self.score))
            self._audit_value(parsed(self.value))

    def _audit_score(self, score: Expression) -> None:
        if self.scope == "network" and score.names:
            raise UserError("a score is summed over a column or a layer, not over the network")
        if score.sums:
            raise UserError("score: sum(...) is over classes, and cells have none (leave it out)")
        for name in sorted(score.names - set(self.constants)):
            if not name.endswith(("_post", "_all")) or name in BROADCAST:
                raise UserError(f"score reads '{name}', but only cells (*_post) can be summed over")

    def _audit_value(self, value: Expression) -> None:
        for name in sorted(value.names - set(self.constants)):
            if name not in BROADCAST and not name.endswith("_all"):
                known = nearest(name, [*BROADCAST, *self.constants])
                raise UserError(f"value reads '{name}', which is not broadcast ({known})")
        if not parsed(self.score).names and (missing := value.names & {"score_all", "share_all"}):
            raise UserError(f"value reads '{min(missing)}', but it has no score to sum (score = '...')")
        if value.is_vector(PER_CLASS) == (self.projection == "scalar"):
            raise UserError(
                f"value = '{self.value}' has one number per class, and a scalar has one for all (sum(...) over classes)"
                if self.projection == "scalar"
                else f"value = '{self.value}' is one number for all, and projection = '{self.projection}' brings one"
                " per class (projection = 'scalar')"
            )
        if self.projection != "scalar" and self.scope != "network":
            raise UserError(
                f"scope = '{self.scope}': the output, which has one number per class, is that of the network"
            )

    @property
    def reads(self) -> frozenset[str]:
        """Names of the quantities that its texts read, without constants."""
        return (parsed(self.score).names | parsed(self.value).names) - set(self.constants)

    @property
    def read_as(self) -> str:
        """Name by which rules read it."""
        return f"{self.name}_all" if self.projection == "scalar" else "feedback_post"


AROUSAL = Modulator("arousal", value="1")
"""Always 1: plasticity is never gated."""

SURPRISE = Modulator(
    "surprise",
    scope="column",
    score="activity_post * dendrite_post",
    value="contrast_all * int(contrast_all * score_all < margin + (margin_after - margin) * (1 - contrast_all) / 2)",
    constants={"margin": 1.0, "margin_after": 1.0},
)
"""+1 where a column fails to predict its context, -1 where it predicts that of another sample.

Source: Illing, Ventura, Bellec, Gerstner, NeurIPS 2021 (the gate of the CLAPP rule), where both margins are 1. Where
activity is centred, scores have mean zero: of n equally likely contexts, a score of 1 for one leaves a mean of -1/(n-1)
for the others, which do not reach a margin of 1, and ``margin_after = 1/(n-1)`` is what they can reach.
"""

ERROR = Modulator("error", projection="random", value="output_all - label_all")
"""Output error, output minus label, projected directly onto every cell.

Source: Nokland, NeurIPS 2016.
"""

COMPONENT_ERROR = replace(ERROR, projection="component")
"""Output error, of which each component of a vector cell receives its own component.

Source: Clark, Abbott, Chung, NeurIPS 2021.
"""

TARGET = Modulator("target", projection="random", value="label_all")
"""Label, projected directly onto every cell.

Source: Frenkel, Lefebvre, Bol, Frontiers in Neuroscience 2021.
"""
