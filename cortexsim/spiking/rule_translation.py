"""From a rule's texts to statements of Brian2; no rule is known here by name.

The texts are Brian2's own syntax, and `*_post` is what a synapse calls a variable of its postsynaptic cell. What is
read when a presynaptic spike arrives stays as it is; what is read when the modulator arrives is read by the cell
itself, once for all of its synapses, and there a quantity has the name of the cell's variable.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from cortexsim.errors import UserError
from cortexsim.expression import Expression, parsed
from cortexsim.modulators import Modulator
from cortexsim.rules import Rule, ThreeFactor
from cortexsim.spiking.tags import broadcast_names, split_third

VARIABLES = {
    "activity_post": "signal",
    "drive_post": "drive",
    "derivative_post": "average_derivative",
    "mean_post": "mean",
    "dendrite_post": "dendrite",
    "feedback_post": "feedback",
    "error_post": "error",
    "winning_post": "winning",
    "context_post": "view",
    "variance_post": "variance",
    "lateral_post": "lateral",
    "view_post": "standard_view",
    "cross_covariance_post": "own_cross",
    "cross_input_post": "cross_input",
    "cross_power_post": "cross_power",
    "dendrite_mean_post": "dendrite_mean",
    "predicted_rate_post": "predicted_rate",
    "predicted_dendrite_post": "predicted_dendrite",
}
"""Variables of a cell that hold what a rule reads at the end of a fixation."""


class ContrastSample(NamedTuple):
    """What a rule contrasts at an update: the context of the fixation that ends, or that of an earlier one.

    After a saccade dendrites still read the context of the fixation before, and, for rules that contrast several, of
    those before it. Where the eligibility waits for the next fixation, an update is that of the fixation before, and
    the one that ends is later. Where fixations of an object follow one another, each update has one sample, the context
    of the fixation before: of the same object, or, after a saccade to another, of that.

    Attributes:
        names: variables of a cell, by what the rule calls them.
        suffix: ending of the names of variables that belong to this sample.
        sign: +1 or -1, or the stream that says which.
        signal: variable of a presynaptic cell that its context synapses transmit.
    """

    names: Mapping[str, str]
    suffix: str
    sign: str
    signal: str = "signal"


class Translation:
    """Translate one rule.

    >>> from cortexsim.rules import known_rules
    >>> hebb = Translation(known_rules()["hebb"], context=False)
    >>> hebb.eligibility, hebb.third_factor
    ('activity_post - mean_post', '(modulator_arousal)')

    Args:
        rule: its texts and constants.
        context: whether the layer has dendrites, which read the context of a sample after the saccade too.
        psp: whether they do so in the first half of each fixation, with an update of its own.
        successive: whether fixations of an object follow one another, and each has the one before as its context.

    Raises:
        UserError: where a rule cannot be followed by synapses that see one spike at a time.
    """

    def __init__(self, rule: Rule, context: bool, psp: bool = False, successive: bool = False) -> None:
        self.rule, self.psp, self.successive = rule, psp, successive
        self.context = rule.context if context else None
        if not isinstance(rule.feedforward, ThreeFactor):
            raise UserError(f"rule '{rule.name}' needs {rule.missing_on('spiking')[0]}")
        self.feedforward = rule.feedforward
        for synapses in (self.feedforward, self.context):
            if synapses is not None and synapses.pre.strip() != "activity_pre":
                raise UserError(
                    f"rule '{rule.name}': pre = '{synapses.pre}' cannot be read from one spike"
                    " (pre = 'activity_pre' in layers in Brian2)"
                )
        if any(modulator.projection == "scalar" and _reads_output(modulator) for modulator in rule.modulators):
            raise UserError(f"rule '{rule.name}': layers in Brian2 receive an output error through a random projection")
        constants = dict(rule.constants)
        for modulator in rule.modulators:
            constants |= modulator.constants
        self.constants = {f"rule_{name}": value for name, value in constants.items()}
        self._prefixed = {name: f"rule_{name}" for name in constants}

    @property
    def samples(self) -> tuple[ContrastSample, ...]:
        """The contrast samples of an update."""
        if self.psp or self.successive:
            signal = "delayed_signal" if self.psp else "previous_signal"
            return (ContrastSample(VARIABLES, "", "contrast(t)", signal),)
        own = {**VARIABLES, **self.waiting}
        earlier = [self._earlier(own, lag, f"_after{lag}", "-1") for lag in self.lags]
        if not self.waits:
            return (ContrastSample(own, "", "1"), *earlier)
        (_, before), at_last = self.lags, ContrastSample(own, "_before", "-1")
        return (self._earlier(own, "", "", "1"), self._earlier(own, before, "_after", "-1"), at_last)

    def _earlier(self, own: Mapping[str, str], lag: str, suffix: str, sign: str) -> ContrastSample:
        names = {**own, "dendrite_post": f"previous_dendrite{lag}", "context_post": f"previous_view{lag}"}
        return ContrastSample(names, suffix, sign, f"previous_signal{lag}")

    @property
    def lags(self) -> list[str]:
        """Endings of the variables of earlier fixations, the last one first: none for it, then ``2``, ``3``, ..."""
        last = self.rule.saccades + int(self.waits)
        return ["" if lag == 1 else str(lag) for lag in range(1, last + 1)] if self.contrasts else []

    @property
    def contrasts(self) -> bool:
        """Whether cells also read the context of the fixation before, as that of a negative sample."""
        one_to_one = self.rule.context is None and "context" in self.rule.requires
        return (self.context is not None or one_to_one) and not self.psp and self.rule.saccades > 0

    @property
    def waits(self) -> bool:
        """Whether an update is that of the fixation before, since it needs the context of the one that ends."""
        return self.rule.negatives == "around" and self.context is not None

    @property
    def waiting(self) -> dict[str, str]:
        """Variables that hold what a cell had at the end of the fixation before, by what a rule that waits calls it."""
        if not self.waits:
            return {}
        read = self._read_at_the_end
        kept = [name for name in ("drive_post", "derivative_post") if name in read]
        return {"activity_post": "previous_signal"} | {name: f"previous_{VARIABLES[name]}" for name in kept}

    @property
    def reads_average_derivative(self) -> bool:
        """Whether a text reads the derivative at the end of a fixation, and not only when a spike arrives."""
        passed = self.passes_error and "derivative_post" in self._texts[0]["post"].names
        return passed or "derivative_post" in self._read_at_the_end

    @property
    def _read_at_the_end(self) -> set[str]:
        """Names that are read at the end of a fixation: by all texts but the postsynaptic factor of the eligibility."""
        feedforward, *others = self._texts
        texts = [feedforward["third"], feedforward["decay"], *(text for entry in others for text in entry.values())]
        texts += self.rule.feedback.texts().values() if self.rule.feedback is not None else []
        texts += [parsed(modulator.score) for modulator in self.rule.modulators]
        return set().union(*(text.names for text in texts))

    @property
    def _texts(self) -> list[dict[str, Expression]]:
        """Texts of the feedforward synapses, and of the context synapses where there are any."""
        return [synapses.texts() for synapses in (self.feedforward, self.context) if synapses is not None]

    @property
    def eligibility(self) -> str:
        """What a presynaptic spike adds to the eligibility trace, read from the postsynaptic cell."""
        return self.rename(self.feedforward.post, {}, "_post")

    @property
    def third_factor(self) -> str:
        """The third factor of the feedforward synapses, summed over the contrast samples."""
        third = self.feedforward.third
        return " + ".join(f"({self.rename(third, self._with_modulators(sample))})" for sample in self.samples)

    def gates(self) -> dict[str, tuple[str, str]]:
        """What is broadcast and what is local in the third factor, by the suffix of each contrast sample."""
        return self._gates(self.feedforward.third)

    def context_gates(self) -> dict[str, tuple[str, str]]:
        """The same for the context synapses, whose postsynaptic factor is local too."""
        assert self.context is not None
        posts = {sample.suffix: self.rename(self.context.post, sample.names) for sample in self.samples}
        parts = self._gates(self.context.third)
        return {suffix: (sent, f"({posts[suffix]}) * {local}") for suffix, (sent, local) in parts.items()}

    def _gates(self, third: str) -> dict[str, tuple[str, str]]:
        found = {}
        for sample in self.samples:
            sent, local = split_third(third, broadcast_names(self.rule))
            names = self._with_modulators(sample)
            found[sample.suffix] = (self.rename(sent, names), self.rename(local, names))
        return found

    @property
    def decay(self) -> str:
        """The decay of the feedforward synapses."""
        return self.rename(self.feedforward.decay, self.samples[0].names)

    def context_factors(self) -> dict[str, str]:
        """Post times third of the context synapses, by the suffix of each contrast sample."""
        assert self.context is not None
        found = {}
        for sample in self.samples:
            post = self.rename(self.context.post, sample.names)
            found[sample.suffix] = f"({post}) * ({self.rename(self.context.third, self._with_modulators(sample))})"
        return found

    def feedback_factors(self) -> tuple[str, str] | None:
        """Post times third, and the decay, of plastic feedback weights, read by the synapse; None where fixed."""
        if (plasticity := self.rule.feedback) is None:
            return None
        names = {signal: f"{variable}_post" for signal, variable in VARIABLES.items()}
        post, third, decay = (
            self.rename(text, names, "_post") for text in (plasticity.post, plasticity.third, plasticity.decay)
        )
        return f"({post}) * ({third})", f"({decay})"

    @property
    def passes_error(self) -> bool:
        """Whether the error of the output passes from each layer to the one below."""
        return self.rule.path is not None and self.rule.path.route == "layered"

    @property
    def passed_error(self) -> str:
        """What a cell passes on to the layer below: the error of its drive."""
        return f"-(({self.rename(self.feedforward.third, VARIABLES)}) * ({self.graded_post}))"

    @property
    def graded_post(self) -> str:
        """The postsynaptic factor of the eligibility, read from the cell at the end of a fixation."""
        return self.rename(self.feedforward.post, VARIABLES)

    def context_decay(self) -> str:
        """The decay of the context synapses."""
        assert self.context is not None
        return self.rename(self.context.decay, self.samples[0].names)

    def score(self, modulator: Modulator, sample: ContrastSample) -> str:
        """What a cell adds to a modulator's score, read at the presynaptic end of its synapse onto the modulator."""
        names = {signal: f"{variable}_pre" for signal, variable in self._with_modulators(sample).items()}
        return self.rename(modulator.score, names, "_pre")

    def value(self, modulator: Modulator, sample: ContrastSample) -> str:
        """The value that a modulator broadcasts, before any control of it."""
        names = {
            "score_all": f"score{sample.suffix}",
            "contrast_all": f"({sample.sign})",
            "share_all": self._share(sample),
            "output_all": "probability",
            "label_all": "target",
            **{other.read_as: f"read_{other.name}{sample.suffix}" for other in self.sources(modulator)},
        }
        return f"gain_{modulator.name} * ({self.rename(modulator.value, names)})"

    def sources(self, modulator: Modulator) -> list[Modulator]:
        """List the modulators that the value of another reads."""
        read = parsed(modulator.value).names
        return [other for other in self.rule.modulators if other.projection == "scalar" and other.read_as in read]

    def round(self, modulator: Modulator) -> int:
        """Find the round of broadcasts in which a modulator is computed: after those that its texts read."""
        read = [self.round(other) for other in self.rule.modulators if other.read_as in modulator.reads]
        return max(read) + 1 if read else 0

    def _share(self, sample: ContrastSample) -> str:
        """The share of a sample's score in the softmax over all contrast samples."""
        others = (f"exp(clip(score{other.suffix} - score{sample.suffix}, -50, 50))" for other in self.samples)
        return f"(1 / ({' + '.join(others)}))"

    def reads(self, signal: str) -> bool:
        """Whether any of its texts reads a quantity."""
        texts = [text for entry in self._texts for text in entry.values()]
        texts += [parsed(modulator.score) for modulator in self.rule.modulators]
        return any(signal in text.names for text in texts)

    def rename(self, text: str, names: Mapping[str, str], constants_suffix: str = "") -> str:
        """Rename the quantities of a text; constants become parameters.

        Args:
            text: of a rule or modulator.
            names: variables, by what the text calls them.
            constants_suffix: such as ``_post``, where the constants are read from the cell on that side.
        """
        prefixed = {name: new + constants_suffix for name, new in self._prefixed.items()}
        known = {**names, **prefixed}
        return re.sub(r"[A-Za-z_]\w*", lambda match: known.get(match[0], match[0]), text)

    def _with_modulators(self, sample: ContrastSample) -> dict[str, str]:
        modulators = {entry.read_as: f"modulator_{entry.name}{sample.suffix}" for entry in self.rule.modulators}
        modulators.pop("feedback_post", None)
        return {**sample.names, **modulators}


def _reads_output(modulator: Modulator) -> bool:
    return bool(parsed(modulator.value).names & {"output_all", "label_all"})
