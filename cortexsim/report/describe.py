"""Descriptions of models, rules, tasks and contexts for the command line."""

from dataclasses import MISSING, fields

from rich.console import Console
from rich.table import Table

from cortexsim import contexts
from cortexsim.config.building import assemble
from cortexsim.config.consistency import brian_settings
from cortexsim.config.overrides import at_depth
from cortexsim.config.registry import find_model, model_paths
from cortexsim.config.schema import Model
from cortexsim.config.tasks import task_title
from cortexsim.learners import HybridNetwork, Learner
from cortexsim.rate import Layer
from cortexsim.report.console import new_table, print_table
from cortexsim.rules import MASKS, SUBSTRATES, Rule, SpikeTiming, known_rules
from cortexsim.tasks import TASKS
from cortexsim.training.measurement import context_name, substrate_name

LONGEST = 30  # Characters of a third factor in the table of rules.
STEP_COST, SYNAPSE_COST = 7e-9, 1e-9  # Seconds per cell and time step, and per synapse and fixation; fitted to runs.


def models_table() -> Table:
    """Tabulate the available models."""
    table = new_table("Models", ["model", "learner", "rule", "substrate", "context", "description"], left=9)
    for name in model_paths():
        model = find_model(name)
        table.add_row(
            name, model.learner, model.rule_name, substrate_name(model), context_name(model), model.description
        )
    return table


def rules_table() -> Table:
    """Tabulate the plasticity rules: three factors of all synapses, requirements, locality violations, source."""
    columns = ["rule", "synapses", "pre", "post", "third", "needs", "substrates", "breaks locality", "source"]
    caption = "Third factors are shortened; `cortexsim show MODEL` writes them out."
    table = new_table("Rules", columns, caption, left=9)
    for name, rule in known_rules().items():
        for index, (synapses, pre, post, third, _) in enumerate(factors(rule)):
            first = index == 0
            table.add_row(
                name if first else "",
                synapses,
                pre,
                post,
                third if len(third) <= LONGEST else third[: LONGEST - 3] + "...",
                "; ".join(rule.needs) if first else "",
                (", ".join(rule.substrates) or "protocols") if first else "",
                ("; ".join(rule.locality_violations) or "-") if first else "",
                rule.source if first else "",
            )
    return table


def factors(rule: Rule) -> list[tuple[str, str, str, str, str]]:
    """List kind of synapse, pre, post, third and decay; of single spikes, what each spike adds as pre and post.

    >>> from cortexsim.rules import load_rule
    >>> for name, pre, post, third, decay in factors(load_rule("clapp")):
    ...     print(f"{name}: {third} * {post} * {pre}")
    feedforward: surprise_all * dendrite_post * derivative_post * activity_pre
    context: surprise_all * activity_post * activity_pre
    """
    lines = []
    for name, factor in rule.synapses.items():
        if isinstance(factor, SpikeTiming):
            always = (f"; always: {term.always}" if term.always != "0" else "" for term in factor.terms)
            lines += [
                (name, f"at a spike: {term.at_pre}", f"at a spike: {term.at_post}{more}", term.third, "0")
                for term, more in zip(factor.terms, always, strict=True)
            ]
        else:
            lines.append((name, factor.pre, factor.post, factor.third, factor.decay))
    return lines


def tasks_table() -> Table:
    """Tabulate the tasks, with their fields and defaults."""
    table = new_table("Tasks", ["task", "samples", "fields"], left=9)
    for name, kind in TASKS.items():
        settings = [
            field.name if field.default is MISSING else f"{field.name} = {field.default!r}" for field in fields(kind)
        ]
        table.add_row(name, (kind.__doc__ or "").strip().splitlines()[0], ", ".join(settings) or "-")
    return table


def contexts_table() -> Table:
    """Tabulate the contexts that dendrites can receive, and the substrates that support them."""
    table = new_table("Contexts", ["context", "input to the dendrite", "substrates"], left=9)
    for context in contexts.CONTEXTS.values():
        substrates = [name for name in SUBSTRATES if name in context.substrates]
        table.add_row(context.name, context.meaning, ", ".join(substrates))
    return table


def describe(model: Model, console: Console) -> None:
    """Print a model's layers and its plasticity rule.

    Args:
        model: on its own task.
        console: where it is printed.
    """
    task = model.own_task()
    model = at_depth(model, model.layers_on(task))
    learner = assemble(model, task, seed=0)
    substrates = model.substrates(len(learner.network.layers))
    console.print(f"{model.name}: {model.description}" if model.description else model.name)
    table = new_table(
        f"Network on {task_title(task)}",
        [
            "layer",
            "substrate",
            "columns",
            "cells",
            "inputs per cell",
            "weights",
            "context weights",
            "memory [kB]",
        ],
        left=9,
    )
    for number, layer in enumerate(learner.network.layers, 1):
        context = sum(each.context.weights.numel() for each in layer.each_dendrite if each.context is not None)
        table.add_row(
            str(number),
            substrates[number - 1],
            str(layer.positions),
            str(layer.positions * layer.bias.shape[1]),
            str(layer.feedforward.weights.shape[2]),
            str(layer.feedforward.weights.numel() + layer.bias.numel()),
            str(context) if context else "-",
            f"{_bytes(layer, substrates[number - 1]) / 1000:.1f}",
        )
    print_table(table, console)
    if model.in_brian and model.learner != "untrained":
        _describe_spiking(model, learner, console)
    for name in contexts.split(context_name(model)):
        if (found := contexts.find(name)) is not None:
            console.print(f"Context {name}: {found.meaning}")
    if (below := model.rule_below_projection()) is not None:
        console.print(
            f"Projection: {model.network.projection} linear cells per column, on which the rule acts; the cells that"
            f" they receive from learn from their error by rule {below.name} ({below.source})"
        )
    if model.rule is not None:
        _describe_rule(model.plasticity_rule(), console)


def _describe_spiking(model: Model, learner: Learner, console: Console) -> None:
    """Print the cells of Brian2 layers, the time course of a fixation, and an estimate of the training time."""
    network, chosen = learner.network, brian_settings(model)
    assert isinstance(network, HybridNetwork)
    for segment in network.segments:
        cell = chosen.cell_of(segment.substrate)
        values = ", ".join(f"{name} = {chosen.parameters.get(name, value)}" for name, value in cell.parameters.items())
        console.print(f"Cell {cell.name} ({cell.source}): {values}")
    timing = chosen.timing
    console.print(
        f"Fixation {timing.fixation * 1e3:g} ms after a blank of {timing.blank * 1e3:g} ms, time step"
        f" {timing.dt * 1e3:g} ms; {chosen.encoding} input of {chosen.input_rate:g} Hz; dendrite {chosen.dendrite}"
    )
    fixations = model.training.samples * model.training.epochs
    cells = [layer.positions * layer.bias.shape[1] for layer in network.layers]
    seconds = sum(
        fixations * (timing.steps * STEP_COST * sum(cells[: stage + 1]) + SYNAPSE_COST * cells[stage] ** 2 / 8)
        for stage in learner.streaming_stages
    )
    console.print(
        f"Training: {fixations} fixations a stage, stages in Brian2: {len(learner.streaming_stages)}, about"
        f" {seconds:.0f} s on one core (and half a minute for the compiler, once)"
    )


def _describe_rule(rule: Rule, console: Console) -> None:
    console.print(f"Rule {rule.name} ({rule.source}): {rule.equation}")
    table = new_table("Three factors", ["synapses", "pre", "post", "third", "decay"], left=9)
    for line in factors(rule):
        table.add_row(*line)
    print_table(table, console)
    for modulator in rule.modulators:
        constants = ", ".join(f"{name} = {value:g}" for name, value in modulator.constants.items())
        score = f", score: sum of {modulator.score}" if modulator.score != "0" else ""
        console.print(
            f"Modulator {modulator.name} (one per {modulator.scope}, gain {modulator.gain:g}): {modulator.value}{score}"
            + (f", {constants}" if constants else ""),
        )
    if rule.path is not None:
        path = rule.path
        met = (
            f"{path.masks} ({MASKS[path.effective_masks]})"
            if path.masks == "own"
            else f"{path.masks} ({MASKS[path.masks]})"
        )
        console.print(f"Error path: {path.route}; feedback weights: {path.feedback}; masks: {met}")
    for signal in rule.signals:
        console.print(f"  {signal.name}: {signal.meaning}")
    console.print(f"Substrates: {', '.join(rule.substrates)}")
    for reason in rule.locality_violations:
        console.print(f"Breaks locality: {reason}")


def _bytes(layer: Layer, substrate: str) -> int:
    """Bytes of a layer's state: its tensors; in Brian2, doubles, with an eligibility trace for each weight."""
    if substrate == "rate":
        return sum(tensor.numel() * tensor.element_size() for tensor in layer.state().values())
    traces = layer.feedforward.weights.numel()
    return 8 * (traces + sum(tensor.numel() for tensor in layer.state().values()))
