"""Neuromodulators as small populations, and what may happen to their broadcast on its way to the synapses."""

from cortexsim.expression import Expression
from cortexsim.modulators import Modulator
from cortexsim.spiking.assembly import LayerSpec, Parts, shared_constants
from cortexsim.spiking.network_spec import Connection, Group, Operation, Phase, Variable
from cortexsim.spiking.rule_translation import ContrastSample, Translation
from cortexsim.spiking.settings import Control, Settings

SAMPLE_DRAW, SLOT_DRAW = 1, 2  # Which random numbers of a fixation decide on a shuffled broadcast.
OUTPUT = "classes"
"""Group of the output: one cell a class."""


def modulator_group(modulator: Modulator, spec: LayerSpec) -> str:
    """Name the group of a modulator of one layer."""
    return f"modulator_{modulator.name}{spec.number}"


def add_layer_modulator(
    spec: LayerSpec, settings: Settings, modulator: Modulator, translation: Translation, parts: Parts
) -> None:
    """Add the modulator of one layer: one cell for each column, or one for all where they share its value.

    Args:
        spec: of the layer.
        settings: everything else.
        modulator: what it broadcasts.
        translation: of the layer's rule.
        parts: to add to.
    """
    name, units = modulator_group(modulator, spec), spec.positions if modulator.scope == "column" else 1
    samples = translation.samples
    suffixes = [sample.suffix for sample in samples]
    model = [f"score{suffix} : 1\nvalue{suffix} : 1" for suffix in suffixes]
    model += _constants(name, modulator, settings, translation, parts)
    parts.groups.append(Group(name, units, "\n".join(model)))
    if Expression(modulator.score).names:
        scores = [
            f"score{sample.suffix}_post = {translation.score(modulator, sample)} : 1 (summed)" for sample in samples
        ]
        wiring = ("gather", {"positions": units, "cells": spec.size // units})
        sums = {f"score{suffix}": Phase.SCORE for suffix in suffixes}
        parts.connections.append(Connection(f"score_{name}", spec.name, name, "\n".join(scores), wiring, sums=sums))
    values = [f"value{sample.suffix} = {_value(modulator, settings, translation, sample)}" for sample in samples]
    parts.operations.append(Operation(name, Phase.MODULATOR, "\n".join(values)))
    sender, slots, selection = _add_delay_line(name, units, modulator, settings, suffixes, parts)
    read = [f"modulator_{modulator.name}{s}_post = value{s}_pre{selection} : 1 (summed)" for s in suffixes]
    sizes = {"positions": units, "cells": spec.size // units, "slots": slots}
    parts.connections.append(
        Connection(
            f"broadcast_{name}",
            sender,
            spec.name,
            "\n".join(read),
            ("scatter", sizes),
            row=spec.size // units,
            sums={f"modulator_{modulator.name}{suffix}": Phase.BROADCAST for suffix in suffixes},
        )
    )


def add_output(
    specs: list[LayerSpec],
    classes: int,
    settings: Settings,
    modulator: Modulator,
    translation: Translation,
    parts: Parts,
) -> None:
    """Add an output of one cell a class, which learns by the delta rule, and broadcast its error to all layers.

    Args:
        specs: of the layers that learn, from below.
        classes: n_c, labels.
        settings: everything else.
        modulator: the output error.
        translation: of the rule.
        parts: to add to.
    """
    top, (sample,) = specs[-1], translation.samples
    names = ("logit", "exponential", "normaliser", "probability", "target", "bias", "value")
    model = [*(f"{name} : 1" for name in names), *shared_constants(["bias_eta"])]
    model += _constants(OUTPUT, modulator, settings, translation, parts)
    parts.groups.append(Group(OUTPUT, classes, "\n".join(model)))
    parts.connections += [
        Connection(
            "readout",
            top.name,
            OUTPUT,
            "\n".join(["w : 1", *shared_constants(["eta"]), "logit_post = w * signal_pre : 1 (summed)"]),
            ("broadcast", {"sources": top.size, "targets": classes}),
            row=classes,
            sums={"logit": Phase.LOGIT},
        ),
        Connection(
            "normalisation",
            OUTPUT,
            OUTPUT,
            "normaliser_post = exponential_pre : 1 (summed)",
            ("broadcast", {"sources": classes, "targets": classes}),
            row=classes,
            sums={"normaliser": Phase.NORMALISER},
        ),
    ]
    parts.set(OUTPUT, {"bias_eta": settings.readout_eta})
    parts.set("readout", {"eta": settings.readout_eta})
    parts.operations += [
        Operation(OUTPUT, Phase.EXPONENTIAL, "exponential = exp(clip(logit + bias, -50, 50))"),
        Operation(OUTPUT, Phase.OUTPUT, "probability = exponential / normaliser\ntarget = label(t, i)"),
        Operation(OUTPUT, Phase.MODULATOR, f"value = {_value(modulator, settings, translation, sample)}"),
        Operation(OUTPUT, Phase.LEARNING, "bias -= eta_factor(t) * bias_eta * (probability - target)"),
        Operation(
            "readout",
            Phase.LEARNING,
            "w -= eta_factor(t) * eta * (probability_post - target_post) * signal_pre",
        ),
    ]
    parts.state += [Variable(OUTPUT, "bias", tensor="output_bias"), Variable("readout", "w", tensor="output")]
    sender, slots, selection = _add_delay_line(OUTPUT, classes, modulator, settings, [sample.suffix], parts)
    for spec in specs:
        name, model = f"feedback{spec.number}", ["w : 1", f"feedback_post = w * value_pre{selection} : 1 (summed)"]
        if (factors := translation.feedback_factors()) is not None:
            growth, decay = factors
            constants = {"eta": settings.eta * settings.feedback_eta, "weight_decay": settings.weight_decay}
            model += shared_constants(constants)
            parts.set(name, constants)
            learn = f"w += eta * eta_factor(t) * ({growth} * value_pre - ({decay} + weight_decay) * w)"
            parts.operations.append(Operation(name, Phase.LEARNING, learn))
        parts.connections.append(
            Connection(
                name,
                sender,
                spec.name,
                "\n".join(model),
                ("broadcast", {"sources": classes, "targets": spec.size, "slots": slots}),
                row=spec.size,
                sums={"feedback": Phase.BROADCAST},
            )
        )
        parts.state.append(Variable(name, "w", tensor="feedback", layer=spec.number))


def _constants(
    owner: str, modulator: Modulator, settings: Settings, translation: Translation, parts: Parts
) -> list[str]:
    """Set the gain of a modulator, which is 0 if it is lesioned, and the constants of its rule."""
    lesioned = settings.control.get(modulator.name, Control()).lesion
    values = {f"gain_{modulator.name}": 0.0 if lesioned else modulator.gain, **translation.constants}
    parts.set(owner, values)
    return shared_constants(values)


def _value(modulator: Modulator, settings: Settings, translation: Translation, sample: ContrastSample) -> str:
    """Write the value that is sent: the modulator's own, or that to which it is clamped."""
    clamp = settings.control.get(modulator.name, Control()).clamp
    return translation.value(modulator, sample) if clamp is None else f"gain_{modulator.name} * {clamp!r}"


def _add_delay_line(
    name: str, units: int, modulator: Modulator, settings: Settings, suffixes: list[str], parts: Parts
) -> tuple[str, int, str]:
    """Add the delay and the low-pass filter between a modulator and the synapses, if it has any.

    A delay line has one slot for each update of its delay, through which the values move on.

    Returns:
        The group that broadcasts, its slots, and a factor that selects the slot that arrives.
    """
    control = settings.control.get(modulator.name, Control())
    delay, slots = control.delay * parts.updates, control.slots * parts.updates if control.slots > 1 else 1
    if slots == 1 and not control.tau_filter:
        return name, 1, ""
    line = f"{name}_line"
    model = [f"value{s} : 1\nentering{s} : 1\nmoving{s} : 1" for s in suffixes]
    model += ["first : 1 (shared)", *shared_constants(["filter_rate"])]
    parts.groups.append(Group(line, units * slots, "\n".join(model)))
    dt, tau = settings.timing.period / parts.updates, control.tau_filter
    parts.set(line, {"filter_rate": dt / (dt + tau)})
    paths = [("entering", name, ("aligned", {"units": units}))]
    if slots > 1:
        paths.append(("moving", line, ("shift", {"units": units, "slots": slots})))
    for variable, source, wiring in paths:
        summed = "\n".join(f"{variable}{s}_post = value{s}_pre : 1 (summed)" for s in suffixes)
        sums = {f"{variable}{s}": Phase.DELAY_INPUT for s in suffixes}
        parts.connections.append(Connection(f"{variable}_{line}", source, line, summed, wiring, sums=sums))
    entering = {s: f"entering{s}" for s in suffixes}
    if control.shuffle and len(suffixes) == 2:
        coin = f"int(uniform(0, int(ended_id(t)), {SAMPLE_DRAW}, i) < 0.5)"
        entering = {a: f"({coin} * entering{a} + (1 - {coin}) * entering{b})" for a, b in (suffixes, suffixes[::-1])}
    first = str(delay)
    if control.shuffle:
        first = f"floor({delay} + uniform(0, int(ended_id(t)), {SLOT_DRAW}, 0) * {slots - delay})"
    lines = [f"first = {units} * {first}"]
    for s in suffixes:
        filtered = f"int(i < {units}) * (value{s} + filter_rate * ({entering[s]} - value{s}))"
        lines.append(f"value{s} += learning(t) * ({filtered} + int(i >= {units}) * moving{s} - value{s})")
    parts.operations.append(Operation(line, Phase.DELAY_LINE, "\n".join(lines)))
    parts.carry(line, *(f"value{s}" for s in suffixes))
    return line, slots, f" * int(i >= first_pre) * int(i < first_pre + {units})"
