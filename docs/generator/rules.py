"""A page per plasticity rule, and a table of all of them."""

from collections.abc import Mapping, Sequence
from importlib import import_module

from cortexsim.config.registry import find_model, model_paths
from cortexsim.modulators import Modulator
from cortexsim.protocols.cards import Outcome
from cortexsim.report.describe import factors
from cortexsim.rules import MASKS, SUBSTRATES, Rule, SpikeTiming, known_rules, load_rule
from generator.experiments import experiments_of_rules
from generator.outcomes import variants
from generator.text import about, code, fence, listed, page, prose, section, table

FACTORS = ("synapses", "presynaptic factor", "postsynaptic factor", "third factor", "decay")
KINDS = {
    "single spikes": "Rules of single spikes, which run in plasticity experiments on single synapses",
    "local": "Rules of layers that follow no output error",
    "direct": "The error, or the label, straight from the output",
    "layered": "The error passed from layer to layer",
}
"""Headings of the table of rules."""


def kind(rule: Rule) -> str:
    """The kind of a rule, by its key in `KINDS`."""
    if isinstance(rule.feedforward, SpikeTiming):
        return "single spikes"
    if rule.path is not None and rule.path.route != "direct":
        return "layered"
    return "direct" if rule.needs_output else "local"


def pages(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, str]:
    """Write the page of every rule, and the table of all rules by kind.

    Args:
        outcomes: of each rule and variant, by its name.
    """
    experiments = experiments_of_rules()
    texts = {
        f"rules/{name}.md": _page(name, rule, outcomes, experiments.get(name, []))
        for name, rule in known_rules().items()
    }
    return {"rules/_table.md": _overview(), **texts}


def _overview() -> str:
    parts = []
    for name, title in KINDS.items():
        rules = [rule for rule in known_rules().values() if kind(rule) == name]
        rows = [(_link(rule.name), code(rule.equation), "; ".join(rule.needs) or "-", rule.source) for rule in rules]
        parts.append(section(title, table(["rule", "change of weight", "needs beyond its two cells", "source"], rows)))
    return "\n".join(parts)


def _link(name: str) -> str:
    return f"[`{name}`](../generated/rules/{name}.md)"


def _page(name: str, rule: Rule, outcomes: Mapping[str, Sequence[Outcome]], experiments: Sequence[str]) -> str:
    used = [f"[`{each}`](../experiments/{each}.md)" for each in experiments]
    return page(
        code(name),
        f"*{rule.source}*",
        fence(rule.equation),
        about(import_module(f"cortexsim.rules.{name}")),
        section("Three factors", _factors(rule)),
        section("What it needs beyond its two cells", listed(rule.needs) or "Nothing."),
        section("What breaks locality", listed(rule.locality_violations) or "Nothing."),
        section("Substrates", _substrates(rule)),
        section("Models that follow it", _models(name)),
        section("Experiments that use it", ", ".join(used) or "None of the experiments trains layers by it."),
        section("Cards that can be asked", _cards(name, outcomes)),
        section("File", fence(f'from cortexsim.rules import load_rule\n\nrule = load_rule("{name}")', "python")),
    )


def _factors(rule: Rule) -> str:
    rows = [(name, *map(code, rest)) for name, *rest in factors(rule)]
    parts = [table(FACTORS, rows), _modulators(rule), _traces(rule), _signals(rule), _path(rule)]
    constants = [(code(name), f"{value:g}") for name, value in rule.constants.items()]
    return "\n\n".join(part for part in [*parts, table(["constant", "value"], constants)] if part)


def _modulators(rule: Rule) -> str:
    return "\n\n".join(_modulator(modulator) for modulator in rule.modulators)


def _modulator(modulator: Modulator) -> str:
    lines = [f"{modulator.read_as} = {modulator.value}"]
    if modulator.score != "0":
        lines.append(f"score_all = sum over the {modulator.scope} of {modulator.score}")
    constants = ", ".join(f"{name} = {value:g}" for name, value in modulator.constants.items())
    reaches = "" if modulator.projection == "scalar" else f", projected ({modulator.projection})"
    return f"Modulator {code(modulator.name)}, one per {modulator.scope}{reaches}:\n\n{fence(chr(10).join(lines))}" + (
        f"\n\nwith {constants}." if constants else ""
    )


def _traces(rule: Rule) -> str:
    timing = rule.feedforward
    if not isinstance(timing, SpikeTiming):
        return ""
    traces = [
        (code(read), t.tau, f"{t.of} of the {t.side}synaptic cell", t.pairing) for read, t in timing.read_traces.items()
    ]
    broadcast = [(code(read), m.tau or "none", f"{m.baseline:g}") for read, m in timing.read_modulators.items()]
    eligibility = [
        f"Time constant of the eligibility: {term.tau_eligibility}." for term in timing.terms if term.seconds
    ]
    bounds = [f"Bounds of the weight: {timing.bounds[0]:g} to {timing.bounds[1]:g}."]
    return "\n\n".join(
        [
            table(["trace", "time constant", "of", "spikes that count"], traces),
            table(["broadcast", "time constant", "baseline"], broadcast),
            *dict.fromkeys(eligibility),
            *(bounds if timing.bounds != (float("-inf"), float("inf")) else []),
        ]
    )


def _signals(rule: Rule) -> str:
    return table(["it reads", "which is"], [(code(signal.name), prose(signal.meaning)) for signal in rule.signals])


def _path(rule: Rule) -> str:
    if rule.path is None:
        return ""
    masks = f"{rule.path.masks} ({MASKS[rule.path.effective_masks]})"
    return f"Error path: {rule.path.route}; feedback weights: {rule.path.feedback}; masks: {masks}."


def _substrates(rule: Rule) -> str:
    missing = {name: rule.missing_on(name) for name in SUBSTRATES}
    rows = [(code(name), prose("; ".join(lacks)) or "runs") for name, lacks in missing.items()]
    return table(["substrate", "runs, or what it lacks"], rows)


def _models(name: str) -> str:
    models = [find_model(model) for model in model_paths()]
    rows = [(f"[`{m.name}`](../models/{m.name}.md)", m.description) for m in models if m.rule_name == name]
    return table(["model", "what it is"], rows) or "None in `models/`."


def _cards(name: str, outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    several = [name, *variants(name)]
    rows = [
        (code(each), f"[`{o.card.name}`](../cards/{o.card.name}.md)", o.verdict, prose(o.number))
        for each in several
        for o in outcomes[each]
        if o.points
    ]
    if rows:
        return table(["rule", "card", "verdict", "the number that decides"], rows) + _variants(several[1:])
    reasons = dict.fromkeys(o.number for o in outcomes[name])
    return "None: " + "; ".join(prose(reason) for reason in reasons) + "."


def _variants(names: Sequence[str]) -> str:
    rows = [
        (code(name), ", ".join(f"{key} = {value:.4g}" for key, value in load_rule(name).constants.items()))
        for name in names
    ]
    return "\n\n" + table(["variant", "constants"], rows) if rows else ""
