"""Every rule on one page: plasticity experiments that it passes, and samples that it needs: ``experiment scorecard``.

The cards are measured here, within seconds. How many samples a rule needs is taken from the committed rows of other
experiments, when the tables and the figure are made: of each rule the learner that needed fewest.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from cortexsim.analysis.estimates import geometric_mean
from cortexsim.analysis.sample_complexity import Threshold, brackets
from cortexsim.analysis.scorecard_panels import Line, scorecard
from cortexsim.config.registry import find_experiment_folder
from cortexsim.protocols.cards import known_cards
from cortexsim.report.markdown import table
from cortexsim.rules import Rule, SpikeTiming, known_rules
from cortexsim.storage.committed_rows import ROWS, read_rows
from cortexsim.studies.program_experiment import Program, Row

SOURCES = ("sample_complexity", "projection", "masking", "self_supervised", "substrates", "spiking_hierarchy")
# Of bounds that are the same, that of the first is shown.
HIERARCHY = {"features": 8, "multiplicity": 4}
PRIVILEGED = ("label", "synonym")  # Contexts that tell a rule more than the sample.
REFERENCE, CONTROL = "backprop", "untrained"
FAMILIES = (
    "single synapses: timing of spikes",
    "Hebbian: two cells and their averages",
    "self-supervised: a context, or negative inputs",
    "output error, straight to each layer",
    "output error, passed from layer to layer",
)
MISSING = "not measured"


class Measured(NamedTuple):
    """P* of a learner.

    Attributes:
        experiment: that measured it.
        part: of the experiment.
        learner: its name.
        depth: levels of the hierarchy.
        spiking: whether its cells are spiking.
        rule: that it follows.
        curves: by grammar, brackets of P*.
    """

    experiment: str
    part: str
    learner: str
    depth: int
    spiking: bool
    rule: str
    curves: Mapping[int, Any]

    @property
    def threshold(self) -> Threshold:
        """P* over all grammars."""
        return Threshold.of(self.curves)


def measure(case: Mapping[str, Any]) -> list[Row]:
    """Put a rule to every card.

    Args:
        case: ``rule``, its name.

    Returns:
        One row, with the ``verdicts`` by card, the ``family`` of the rule, and the ``substrates`` of layers.
    """
    rule = known_rules()[case["rule"]]
    verdicts = {name: card.examine(rule).verdict for name, card in known_cards().items()}
    return [{"rule": rule.name, "family": family(rule), "verdicts": verdicts, "substrates": list(rule.substrates)}]


def family(rule: Rule) -> str:
    """Name the family of a rule by what it reads."""
    if isinstance(rule.feedforward, SpikeTiming):
        return FAMILIES[0]
    if rule.needs_output:
        return FAMILIES[3 if rule.path is None or rule.path.route == "direct" else 4]
    return FAMILIES[2 if "context" in rule.requires or rule.negative_inputs else 1]


@cache
def measured() -> tuple[Measured, ...]:
    """P* of every learner of other experiments, on the hierarchy of all of them, in contexts that every sample has."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for experiment in SOURCES:
        for row in read_rows(find_experiment_folder(experiment) / ROWS):
            varied = "," in row["learner"] or any(name in row["context"] for name in PRIVILEGED)
            if not varied and HIERARCHY.items() <= row["task"].items():
                key = experiment, row["part"], row["learner"], row["task"]["depth"], "spikes" in row, row["rule"]
                groups.setdefault(key, []).append(row)
    return tuple(Measured(*key, brackets(_first_seeds(rows))) for key, rows in groups.items())


def _first_seeds(rows: Sequence[Row]) -> list[Row]:
    """Rows of the first seed of each grammar, since few grammars were learned with several."""
    first = {row["grammar_seed"]: row["seed"] for row in sorted(rows, key=lambda row: -row["seed"])}
    return [row for row in rows if row["seed"] == first[row["grammar_seed"]]]


def best(rule: str, depth: int, spiking: bool) -> Measured | None:
    """The learner that follows a rule and needs fewest samples; None where there is none."""
    found = [each for each in measured() if (each.rule, each.depth, each.spiking) == (rule, depth, spiking)]
    return min(found, key=_needed, default=None)


def _needed(each: Measured) -> tuple[float, float]:
    """Share of grammars with P* beyond all sizes, and the mean; of bounds beyond all sizes the largest comes first."""
    threshold = each.threshold
    beyond = threshold.beyond / len(threshold.low)
    return beyond, geometric_mean(threshold.values, 0.0).mean * (-1 if beyond == 1 else 1)


def reference(depth: int) -> Measured:
    """Backpropagation, on the grammars on which the control was measured too."""
    same = [each for each in measured() if (each.experiment, each.depth) == (SOURCES[0], depth)]
    found, control = (next(each for each in same if each.learner == name) for name in (REFERENCE, CONTROL))
    return found._replace(curves={grammar: found.curves[grammar] for grammar in control.curves})


def ratio(each: Measured) -> str:
    """P* over that of backpropagation on the same grammars, in the same part of an experiment where it is there."""
    beside = (other for other in measured() if other[:2] == each[:2] and other.depth == each.depth)
    other = next((other for other in beside if other.learner == REFERENCE), reference(each.depth))
    if not each.curves.keys() <= other.curves.keys():
        return "-"
    found = each.threshold.over(Threshold.of({grammar: other.curves[grammar] for grammar in each.curves}))
    return "-" if found is None else found.text(2)


def lines(rows: Sequence[Row]) -> Iterator[Line]:
    """What the figure and the first table say of each rule, by family, those that need fewest samples first."""
    for name in FAMILIES:
        several = []
        for row in (row for row in rows if row["family"] == name):
            needed = {(depth, spiking): best(row["rule"], depth, spiking) for depth, spiking in SHOWN}
            found = {key: None if each is None else each.threshold for key, each in needed.items()}
            several.append(Line(row["rule"], name, row["verdicts"], row["substrates"], found))
        yield from sorted(several, key=lambda line: line.order)


SHOWN = ((3, False), (4, False), (3, True))  # Levels, and whether cells are spiking.


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Tabulate rules, and the cards of those that can be asked."""
    head = ["rule", "cards passed", "P*, L = 3", "of backprop", "P*, L = 4", "of backprop", "P*, L = 3, spiking"]
    body = [
        [REFERENCE, "", *(text for depth in (3, 4) for text in (reference(depth).threshold.text(), "1")), "", "", ""]
    ]
    for line in lines(rows):
        body.append([line.rule, line.passed or "none can be asked", *_samples(line), ", ".join(line.substrates) or "-"])
        body[-1].append(_sources(line))
    cards = list(rows[0]["verdicts"])
    asked = [[line.rule, *(_short(line.verdicts[card]) for card in cards)] for line in lines(rows) if line.passed]
    return {
        "rules": table([*head, "layers", "measured in"], body),
        "cards": table(["rule", *cards], asked),
    }


def _samples(line: Line) -> list[str]:
    texts = []
    for depth, spiking in SHOWN:
        found = best(line.rule, depth, spiking)
        texts.append(MISSING if found is None else found.threshold.text())
        if not spiking:
            texts.append("" if found is None else ratio(found))
    return texts


def _sources(line: Line) -> str:
    found = [best(line.rule, depth, spiking) for depth, spiking in SHOWN]
    return ", ".join(dict.fromkeys(f"{each.experiment}: {each.learner}" for each in found if each is not None))


def _short(verdict: str) -> str:
    return "" if verdict == "not applicable" else verdict


EXPERIMENT = Program(
    "Every rule: plasticity experiments that it passes, and samples that it needs",
    cases=[{"rule": name} for name in known_rules()],
    measure=measure,
    tables=tables,
    figures=lambda rows: {
        "figure": lambda: scorecard(list(lines(rows)), {depth: reference(depth).threshold for depth in (3, 4)})
    },
)
