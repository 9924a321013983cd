"""What there is, and what it consists of: models, rules, layers."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from torch import Tensor

from cortexsim.hierarchy.contexts import CONTEXTS
from cortexsim.rules import SIGNALS, Rule, known_rules
from cortexsim.runs.assemble import assemble
from cortexsim.runs.configuration import Model
from cortexsim.runs.locate import find_model, model_paths
from cortexsim.runs.tell import new_table
from cortexsim.runs.trial import context_name, substrate_name


def models_table() -> Table:
    """List the package's models."""
    table = new_table("Models", ["model", "learner", "rule", "substrate", "context", "description"], left=9)
    for name in model_paths():
        model = find_model(name)
        table.add_row(
            name, model.learner, model.rule_name, substrate_name(model), context_name(model), model.description
        )
    return table


def rules_table() -> Table:
    """List the package's rules with their three factors."""
    table = new_table("Rules", ["rule", "equation", "modulators", "source"], left=9)
    for name, rule in known_rules().items():
        table.add_row(name, rule.equation, ", ".join(modulator.name for modulator in rule.modulators), rule.source)
    return table


def describe(model: Model, console: Console) -> None:
    """Print a model's layers, and its rule."""
    hierarchy = model.task()
    learner, substrates = assemble(model, hierarchy, seed=0), model.substrates(hierarchy.depth)
    console.print(f"{model.name}: {model.description}")
    table = new_table(
        f"Network on a hierarchy of depth {hierarchy.depth}",
        [
            "layer",
            "substrate",
            "columns",
            "cells",
            "inputs a cell",
            "weights",
            "context weights",
            "memory [kB]",
        ],
        left=9,
    )
    for number, layer in enumerate(learner.network.layers, 1):
        heard = layer.context.weights if layer.context is not None else None
        table.add_row(
            str(number),
            substrates[number - 1],
            str(layer.positions),
            str(layer.positions * layer.bias.shape[1]),
            str(layer.feedforward.weights.shape[2]),
            str(layer.feedforward.weights.numel() + layer.bias.numel()),
            str(heard.numel()) if heard is not None else "-",
            f"{_bytes(layer.state()) / 1000:.1f}",
        )
    console.print(table)
    for name in context_name(model).split("+"):
        console.print(f"Context {name}: {CONTEXTS[name]}")
    if model.rule is not None:
        _describe_rule(model.plasticity_rule(), console)


def _describe_rule(rule: Rule, console: Console) -> None:
    console.print(f"Rule {rule.name} ({rule.source}): {rule.equation}")
    table = new_table("Three factors", ["synapses", "pre", "post", "third", "decay"], left=9)
    for name, factor in (("feedforward", rule.feedforward), ("context", rule.context)):
        if factor is not None:
            table.add_row(name, factor.pre, factor.post, factor.third, factor.decay)
    console.print(table)
    for modulator in rule.modulators:
        constants = ", ".join(f"{name} = {value:g}" for name, value in modulator.constants.items())
        score = f", score: sum of {modulator.score}" if modulator.score != "0" else ""
        console.print(
            f"Modulator {modulator.name} (one a {modulator.scope}, gain {modulator.gain:g}): {modulator.value}{score}"
            + (f", {constants}" if constants else ""),
        )
    read = sorted(
        {name for f in (rule.feedforward, rule.context) if f for text in f.texts().values() for name in text.names}
    )
    for name in read:
        if name in SIGNALS:
            console.print(f"  {name}: {SIGNALS[name]}")
    for name, reason in rule.breaks.items():
        console.print(f"Breaks locality: {name}: {reason}")


def _bytes(state: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in state.values())
