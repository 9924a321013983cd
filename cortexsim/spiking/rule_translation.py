"""From a rule's texts to statements of Brian2; no rule is known here by name.

The texts are Brian2's own syntax, and `*_post` is what a synapse calls a variable of its postsynaptic cell. What is
read when a presynaptic spike arrives stays as it is; what is read when the modulator arrives is read by the cell
itself, once for all of its synapses, and there a quantity has the name of the cell's variable.
"""

import re
from collections.abc import Mapping

from cortexsim.errors import UserError
from cortexsim.expression import Expression
from cortexsim.modulators import Modulator
from cortexsim.rules import Rule

PRESENT = {
    "activity_post": "signal",
    "drive_post": "drive",
    "derivative_post": "derivative",
    "mean_post": "mean",
    "dendrite_post": "dendrite",
    "feedback_post": "feedback",
}
"""Variables of a cell that hold what a rule reads at the end of a fixation."""

AFTER_SACCADE = {**PRESENT, "dendrite_post": "lagged"}
"""The same after a saccade: the dendrite still hears the context of the fixation before."""


class Translation:
    """Translate one rule.

    Args:
        rule: its texts and constants.
        context: whether the layer has dendrites, and so also hears what follows a saccade.
        halves: whether it hears that in the first half of each fixation, at a tick of its own.

    Raises:
        UserError: where a rule cannot be followed by synapses that see one spike at a time.
    """

    def __init__(self, rule: Rule, context: bool, halves: bool = False) -> None:
        self.rule, self.halves = rule, halves
        self.context = rule.context if context else None
        for synapses in (rule.feedforward, self.context):
            if synapses is not None and synapses.pre.strip() != "activity_pre":
                raise UserError(
                    f"rule '{rule.name}': pre = '{synapses.pre}' cannot be read from one spike"
                    " (pre = 'activity_pre' in layers of Brian2)"
                )
        if any(modulator.projection == "scalar" and _reads_output(modulator) for modulator in rule.modulators):
            raise UserError(f"rule '{rule.name}': layers of Brian2 hear an output error through a random projection")
        constants = dict(rule.constants)
        for modulator in rule.modulators:
            constants |= modulator.constants
        self.constants = {f"rule_{name}": value for name, value in constants.items()}
        self._prefixed = {name: f"rule_{name}" for name in constants}

    @property
    def moments(self) -> tuple[tuple[Mapping[str, str], str, str], ...]:
        """The moments of a tick: names of a cell's quantities, ending of their names, and contrast."""
        if self.halves:
            return ((PRESENT, "", "schedule(t, 3)"),)
        present = (PRESENT, "", "1")
        return (present, (AFTER_SACCADE, "_after", "-1")) if self.context else (present,)

    @property
    def eligibility(self) -> str:
        """What a presynaptic spike adds to the eligibility trace, read from the cell it arrives at."""
        return self.rename(self.rule.feedforward.post, {}, "_post")

    @property
    def modulation(self) -> str:
        """The third factor of the feedforward synapses, summed over the moments."""
        return " + ".join(
            f"({self.rename(self.rule.feedforward.third, self._heard(names, ending))})"
            for names, ending, _ in self.moments
        )

    @property
    def forgetting(self) -> str:
        """The decay of the feedforward synapses."""
        return self.rename(self.rule.feedforward.decay, PRESENT)

    def context_modulation(self) -> dict[str, str]:
        """Post times third of the context synapses, by the ending of each moment."""
        assert self.context is not None
        found = {}
        for names, ending, _ in self.moments:
            post = self.rename(self.context.post, names)
            found[ending] = f"({post}) * ({self.rename(self.context.third, self._heard(names, ending))})"
        return found

    def context_forgetting(self) -> str:
        """The decay of the context synapses."""
        assert self.context is not None
        return self.rename(self.context.decay, PRESENT)

    def score(self, modulator: Modulator, names: Mapping[str, str]) -> str:
        """What a cell adds to a modulator's score, read at the presynaptic end of its synapse onto the modulator."""
        return self.rename(modulator.score, {signal: f"{variable}_pre" for signal, variable in names.items()}, "_pre")

    def value(self, modulator: Modulator, ending: str, contrast: str) -> str:
        """What a modulator says."""
        names = {
            "score_all": f"score{ending}",
            "contrast_all": f"({contrast})",
            "output_all": "answer",
            "label_all": "target",
        }
        return f"gain_{modulator.name} * ({self.rename(modulator.value, names)})"

    def reads(self, signal: str) -> bool:
        """Whether any of its texts reads a quantity."""
        synapses = [entry for entry in (self.rule.feedforward, self.context) if entry is not None]
        texts = [text for entry in synapses for text in entry.texts().values()]
        texts += [Expression(modulator.score) for modulator in self.rule.modulators]
        return any(signal in text.names for text in texts)

    def rename(self, text: str, names: Mapping[str, str], constants_end: str = "") -> str:
        """Rename the quantities of a text; constants become parameters."""
        prefixed = {name: new + constants_end for name, new in self._prefixed.items()}
        known = {**names, **prefixed}
        return re.sub(r"[A-Za-z_]\w*", lambda match: known.get(match[0], match[0]), text)

    def _heard(self, names: Mapping[str, str], ending: str) -> dict[str, str]:
        broadcast = {modulator.read_as: f"said_{modulator.name}{ending}" for modulator in self.rule.modulators}
        broadcast.pop("feedback_post", None)
        return {**names, **broadcast}


def _reads_output(modulator: Modulator) -> bool:
    return bool(Expression(modulator.value).names & {"output_all", "label_all"})
