"""Modulators: named signals that are broadcast to many synapses and gate their plasticity.

A modulator is data, like a rule: the text of what it computes, and who hears it. It may read

=================  =====================================================================================
`<signal>_post`    in `score`: cells of its scope, summed over that scope
`score_all`        that sum
`share_all`        its share e^score / sum e^score among the moments of a fixation: at first and after each saccade
`contrast_all`     +1 while the context belongs to the present sample, -1 after a saccade
`output_all`       the network's answer, one probability a class
`label_all`        the label population, one-hot, one number a class
`sum(...)`         around what has one number a class: the sum over classes
`<name>_all`       a scalar modulator that stands before it in the rule, of the same scope or a wider one
=================  =====================================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.expression import Expression, check_names, check_numbers

BROADCAST = ("score_all", "share_all", "contrast_all", "output_all", "label_all")
PER_CLASS = frozenset({"output_all", "label_all"})
"""Those of them that are vectors, of one number a class."""

SCOPES = ("column", "layer", "network")
"""From the narrowest."""


@dataclass(frozen=True)
class Modulator:
    """Declare a broadcast signal.

    Args:
        name: a rule reads a scalar modulator as ``<name>_all``.
        value: what is broadcast, e.g. ``"contrast_all * int(contrast_all * score_all < margin)"``.
        score: summed over the cells of the scope before the value is computed.
        scope: who shares one value: the cells of a column, of a layer, or of the network.
        projection: ``"scalar"`` reaches every synapse as it is; ``"random"`` is a vector that reaches each cell through
            random weights, ``"component"`` one of which each component of a vector cell hears its own; both are read
            there as ``feedback_post``.
        gain: multiplies the value; 0 lesions the modulator.
        constants: numbers that the texts name.

    Raises:
        UserError: where a text reads what a modulator cannot know, or says a vector where a scalar is due, or the
            other way round.
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
            self._audit_score(Expression(self.score))
            self._audit_value(Expression(self.value))

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
        if not Expression(self.score).names and (unsaid := value.names & {"score_all", "share_all"}):
            raise UserError(f"value reads '{min(unsaid)}', but it has no score to sum (score = '...')")
        if value.is_vector(PER_CLASS) == (self.projection == "scalar"):
            raise UserError(
                f"value = '{self.value}' has one number a class, and a scalar has one for all (sum(...) over classes)"
                if self.projection == "scalar"
                else f"value = '{self.value}' is one number for all, and projection = '{self.projection}' brings one"
                " a class (projection = 'scalar')"
            )
        if self.projection != "scalar" and self.scope != "network":
            raise UserError(f"scope = '{self.scope}': the output, which says one number a class, is the network's own")

    @property
    def reads(self) -> set[str]:
        """All quantities that its texts read."""
        return (Expression(self.score).names | Expression(self.value).names) - set(self.constants)

    @property
    def read_as(self) -> str:
        """The name under which a rule reads this modulator."""
        return f"{self.name}_all" if self.projection == "scalar" else "feedback_post"


AROUSAL = Modulator("arousal", value="1")
"""Plasticity is on, everywhere, always."""

SURPRISE = Modulator(
    "surprise",
    scope="column",
    score="activity_post * dendrite_post",
    value="contrast_all * int(contrast_all * score_all < margin + (margin_after - margin) * (1 - contrast_all) / 2)",
    constants={"margin": 1.0, "margin_after": 1.0},
)
"""Plus one where a column did not foresee the context it should have, minus one where it took a wrong one for right.

Source: Illing, Ventura, Bellec, Gerstner, NeurIPS 2021 (the gate of the CLAPP rule), where both margins are 1. Where
activity is read less its mean, scores have mean zero: of n contexts alike, one held at 1 leaves the others at -1/(n-1),
short of a margin of 1, and ``margin_after = 1/(n-1)`` lets them reach theirs.
"""

ERROR = Modulator("error", projection="random", value="output_all - label_all")
"""What the network answered less what it should have, sent straight to every cell.

Source: Nokland, NeurIPS 2016.
"""

COMPONENT_ERROR = replace(ERROR, projection="component")
"""The same error, of which every component of a vector cell hears its own component.

Source: Clark, Abbott, Chung, NeurIPS 2021.
"""

TARGET = Modulator("target", projection="random", value="label_all")
"""What the network should have answered, sent straight to every cell.

Source: Frenkel, Lefebvre, Bol, Frontiers in Neuroscience 2021.
"""
