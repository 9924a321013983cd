"""What the cells of a layer compute at an update, and the dendrites that read the context."""

import math

from cortexsim.spiking.assembly import LayerSpec, Parts, dedent, shared_constants
from cortexsim.spiking.constraints import hidden_variables, step_weight, weight_parameters
from cortexsim.spiking.delay_line import delay_line
from cortexsim.spiking.network_spec import Connection, Operation, Phase, Variable
from cortexsim.spiking.rule_translation import VARIABLES, Translation
from cortexsim.spiking.running_statistics import add_statistics, statistics_variables
from cortexsim.spiking.settings import Settings
from cortexsim.spiking.tags import Tags, add_tags

GATES = ("gate", "local")
"""Variables of a cell whose synapses hold tags: what is broadcast and what is local of a third factor."""


MEANS_OF_HALVES = ("half_mean", "psp_mean", "half_psp_mean")
"""Running means of a cell whose dendrite receives spikes, beside that of its activity at saccades."""


def context_variables(translation: Translation, tagged: bool) -> list[str]:
    """Name the variables by which a cell tells its context synapses how to change.

    Args:
        translation: of its rule.
        tagged: whether its synapses hold tags.
    """
    factors = [f"context_{name}" for name in GATES] if tagged else ["context_factor"]
    return [f"{name}{sample.suffix}" for name in factors for sample in translation.samples]


def plastic_variables(spec: LayerSpec, translation: Translation, tagged: bool) -> list[str]:
    """Declare the variables that a cell has because it learns.

    Args:
        spec: of its layer.
        translation: of its rule.
        tagged: whether its synapses hold tags.
    """
    samples = [sample.suffix for sample in translation.samples]
    found = ["decay", *([f"{name}{suffix}" for name in GATES for suffix in samples] if tagged else ["third_factor"])]
    for modulator in translation.rule.modulators:
        if modulator.projection == "scalar":
            found += [f"modulator_{modulator.name}{sample.suffix}" for sample in translation.samples]
    if spec.feedback:
        found += ["error", "passed_error"] if translation.passes_error else ["feedback"]
    found += [f"previous_signal{lag}" for lag in translation.lags]
    found += [variable for signal, variable in translation.waiting.items() if signal != "activity_post"]
    if translation.context:
        earlier = {sample.names["dendrite_post"]: None for sample in translation.samples}
        found += ["context_decay", *{"dendrite": None, **earlier}]
        found += context_variables(translation, tagged)
        if translation.psp:
            found += ["spiked", "spike_line", "delayed_spike", "psp", "delayed_signal", *MEANS_OF_HALVES]
        if _reads_dendrite_mean(translation):
            found.append("dendrite_mean")
    constants = ["tau_dendrite : second (shared, constant)", "psp_unit : 1 (shared, constant)"]
    declared = [*(f"{name} : 1" for name in found), *(constants if translation.psp else [])]
    return declared + statistics_variables(translation)


def _reads_dendrite_mean(translation: Translation) -> bool:
    """Whether the rule reads the running mean of the dendritic input, or what is computed from it."""
    signals = ("dendrite_mean_post", "predicted_rate_post", "predicted_dendrite_post")
    return any(translation.reads(signal) for signal in signals)


def add_plasticity(spec: LayerSpec, settings: Settings, translation: Translation, parts: Parts) -> None:
    """Add the third factors, running means and biases of a layer to the equations of its cells.

    Args:
        spec: of the layer.
        settings: everything else.
        translation: of its rule.
        parts: to add to.
    """
    layer = spec.name
    signal = centred_signal() if translation.psp else "activity"
    parts.operations.append(Operation(layer, spec.signal_phase, f"signal = {signal}"))
    tags = Tags.of(translation.rule, settings, parts.updates)
    third = [f"decay = {translation.decay}"]
    if tags is None:
        third.insert(0, f"third_factor = {translation.third_factor}")
    else:
        third += _gates(translation.gates())
    statistics = [f"mean += {parts.learning} * mean_rate * (output - mean)"]
    if not settings.pooled and spec.population == "layer":
        statistics.append(f"bias += {parts.learning} * homeostasis * (target_activity - output)")
    if translation.context:
        if tags is None:
            third += [f"context_factor{suffix} = {text}" for suffix, text in translation.context_factors().items()]
        else:
            third += _gates(translation.context_gates(), "context_")
        third.append(f"context_decay = {translation.context_decay()}")
        if translation.psp:
            add_potentials(layer, settings, parts)
            statistics += follow_halves()
    kept = {signal: variable for signal, variable in translation.waiting.items() if signal != "activity_post"}
    statistics += remember_signals(translation.lags)
    statistics += [f"{kept[signal]} += learning(t) * ({VARIABLES[signal]} - {kept[signal]})" for signal in kept]
    parts.carry(layer, *(f"previous_signal{lag}" for lag in translation.lags), *kept.values())
    parts.operations.append(Operation(layer, spec.third_phase, "\n".join(third)))
    parts.operations.append(Operation(layer, Phase.STATISTICS, "\n".join(statistics)))
    add_statistics(spec, translation, parts)


def _gates(found: dict[str, tuple[str, str]], kind: str = "") -> list[str]:
    """Write what a cell computes for synapses that hold tags: what has arrived, and what is local."""
    return [
        f"{kind}{name}{suffix} = {text}"
        for suffix, texts in found.items()
        for name, text in zip(GATES, texts, strict=True)
    ]


def remember_signals(lags: list[str]) -> list[str]:
    """Write the statements by which the signal of a fixation takes the place of that before, the oldest first.

    >>> remember_signals(["", "2"])[0]
    'previous_signal2 += learning(t) * (previous_signal - previous_signal2)'

    Args:
        lags: endings of the variables, as in `Translation.lags`.
    """
    sources = ["signal", *(f"previous_signal{lag}" for lag in lags)]
    pairs = zip(reversed(lags), reversed(sources[:-1]), strict=True)
    return [f"previous_signal{lag} += learning(t) * ({source} - previous_signal{lag})" for lag, source in pairs]


def add_potentials(group: str, settings: Settings, parts: Parts) -> None:
    """Let the spikes of a group cause postsynaptic potentials in dendrites half a fixation later.

    Args:
        group: whose spikes; it has the variables that this takes.
        settings: everything else.
        parts: to add to.
    """
    steps, dt, tau = settings.timing.steps // 2, settings.timing.dt, settings.tau_dendrite
    potential = [
        *delay_line(steps, line="spike_line", spiked="spiked", delayed="delayed_spike"),
        "psp = psp * exp(-dt / tau_dendrite) + delayed_spike",
    ]
    window = dt * (1 - math.exp(-steps * dt / tau)) / (1 - math.exp(-dt / tau))
    parts.set(group, {"tau_dendrite": tau, "psp_unit": 1 / (settings.unit_rate * window)})
    parts.operations.append(Operation(group, Phase.SIGNAL, "\n".join(potential), every_step=True))
    delayed = f"delayed_signal = psp_unit * psp - centred * {_of_half('psp_mean', 'half_psp_mean')}"
    parts.operations.append(Operation(group, Phase.SIGNAL, delayed))
    parts.carry(group, "spike_line", "psp", *MEANS_OF_HALVES)


def centred_signal() -> str:
    """Write the activity of cells less its mean, of saccades or of the middle of fixations."""
    return f"output - centred * {_of_half('mean', 'half_mean')}"


def _of_half(whole: str, half: str) -> str:
    """Choose the mean of what has been read at saccades, or in the middle of fixations."""
    return f"(is_saccade(t) * {whole} + (1 - is_saccade(t)) * {half})"


def follow_halves() -> list[str]:
    """Write the statements by which means follow what is read in the middle of fixations, and postsynaptic potentials.

    Activity and potentials are not the same on average at both moments; less one mean for both, what is left of it in
    each half would be learned as if all samples had it in common.
    """
    half = "(1 - is_saccade(t))"
    means = [("half_mean", half, "output"), ("psp_mean", "is_saccade(t)", "psp_unit * psp")]
    means.append(("half_psp_mean", half, "psp_unit * psp"))
    return [f"{mean} += learning(t) * {when} * mean_rate * ({value} - {mean})" for mean, when, value in means]


def add_context(spec: LayerSpec, settings: Settings, translation: Translation, classes: int, parts: Parts) -> None:
    """Connect the dendrites of a layer with their context.

    Args:
        spec: of the layer.
        settings: everything else.
        translation: of its rule.
        classes: n_c, cells of the label population.
        parts: to add to.
    """
    name = f"context{spec.number}"
    constants = {"eta": settings.eta * settings.context_eta, "weight_decay": settings.weight_decay}
    constants |= weight_parameters(settings)
    potentials = {sample.names["dendrite_post"]: f"{sample.signal}_pre" for sample in translation.samples}
    if _reads_dendrite_mean(translation):
        potentials["dendrite_mean"] = "mean_pre"
    correlation, held, moves = correlate(name, settings, translation, parts)
    parts.carry(name, *hidden_variables(settings))
    held += [f"{variable} : 1" for variable in hidden_variables(settings)]
    model = ["w : 1", *shared_constants(constants), *held]
    model += [f"{variable}_post = w * {signal} : 1 (summed)" for variable, signal in potentials.items()]
    learn = f"""
        correlation = {correlation}
        step = eta * eta_factor(t) * (correlation - (context_decay_post + weight_decay) * w)
        {step_weight("w", "context", spec, settings)}
    """
    sizes = {"sources": spec.context_sources, "below": spec.positions, "width": spec.cells, "cells": spec.cells}
    source, row, wiring = spec.name, spec.cells, ("table", sizes)
    if spec.context == "label":
        source, row, wiring = "labels", spec.size, ("broadcast", {"sources": classes, "targets": spec.size})
    sums = dict.fromkeys(potentials, Phase.DENDRITE)
    parts.connections.append(Connection(name, source, spec.name, "\n".join(model), wiring, row=row, sums=sums))
    parts.set(name, constants)
    parts.operations.append(Operation(name, Phase.LEARNING, "\n".join([dedent(learn), *moves])))
    parts.state.append(Variable(name, "w", tensor=spec.tensor("context"), layer=spec.number))


def correlate(
    name: str, settings: Settings, translation: Translation, parts: Parts
) -> tuple[str, list[str], list[str]]:
    """Write how what a cell tells its context synapses, and what they receive, change their weights.

    Args:
        name: of the synapses; their postsynaptic cells have the variables of `context_variables`.
        settings: everything else.
        translation: of their rule.
        parts: to which is added what passes from chunk to chunk.

    Returns:
        The growth of a weight, declarations of what a synapse holds for it, and statements that follow its step.
    """
    tags = Tags.of(translation.rule, settings, parts.updates)
    kind = "context_factor" if tags is None else "context_local"
    products = {sample.suffix: f"{kind}{sample.suffix}_post * {sample.signal}_pre" for sample in translation.samples}
    if tags is None:
        return " + ".join(products.values()), [], []
    return tags.growth(products, "context_"), add_tags(name, tags, products, parts), tags.moves(products)
