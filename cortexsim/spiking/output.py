"""The output of feedback learning, one cell a class, and the paths of its error to the layers.

The error reaches every layer directly, or passes from each layer to the one below: there a cell sends down how its own
drive should change, less the sign, after the feedback from above has reached it.
"""

from itertools import pairwise

from cortexsim.modulators import ERROR, Modulator
from cortexsim.spiking.assembly import LayerSpec, Parts, Wiring, shared_constants
from cortexsim.spiking.delayed_broadcast import Sender, add_delay_line
from cortexsim.spiking.modulator_population import modulator_constants, modulator_value
from cortexsim.spiking.network_spec import Connection, Group, Operation, Phase, Variable, in_round
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Settings

OUTPUT = "classes"
"""Group of the output."""


def add_feedback(
    specs: list[LayerSpec], classes: int, settings: Settings, translation: Translation, parts: Parts
) -> None:
    """Add an output, where a rule uses one, and bring its error to all layers.

    Direct feedback alignment sends the error to every layer, and feedback alignment from each layer to the one below:

    >>> from cortexsim.rules import known_rules
    >>> layers = [LayerSpec(k, 1, 64, 64, "spiking", True, "none", True, 280.0) for k in (1, 2)]
    >>> for name in ("dfa", "fa"):
    ...     parts = Parts()
    ...     add_feedback(layers, 8, Settings(), Translation(known_rules()[name], context=False), parts)
    ...     print([(synapses.source, synapses.target) for synapses in parts.connections[2:]])
    [('classes', 'layer1'), ('classes', 'layer2')]
    [('classes', 'layer2'), ('layer2', 'layer1')]

    Args:
        specs: of the layers that learn, from below.
        classes: n_c, labels.
        settings: everything else.
        translation: of the rule.
        parts: to add to.
    """
    layered = translation.passes_error
    vectors = [modulator for modulator in translation.rule.modulators if modulator.projection == "random"]
    for modulator in [ERROR] if layered else vectors:
        sender = _add_output(specs[-1], classes, settings, modulator, translation, parts)
        carried = f"value_pre{sender.selection}"
        for spec in specs[-1:] if layered else specs:
            wiring = ("broadcast", {"sources": classes, "targets": spec.size, "slots": sender.slots})
            arriving = ("error" if layered else "feedback", carried, in_round(Phase.BROADCAST, 0))
            add_feedback_synapses(spec, sender.group, arriving, wiring, translation, settings, parts)
    if layered:
        for number, (above, spec) in enumerate(pairwise(reversed(specs)), 1):
            code = f"passed_error = {translation.passed_error}"
            parts.operations.append(Operation(above.name, in_round(Phase.MODULATOR, number), code))
            arriving = ("error", "passed_error_pre", in_round(Phase.BROADCAST, number))
            add_feedback_synapses(spec, above.name, arriving, above.feedback_wiring(), translation, settings, parts)


def add_feedback_synapses(
    spec: LayerSpec,
    source: str,
    arriving: tuple[str, str, int],
    wiring: Wiring,
    translation: Translation,
    settings: Settings,
    parts: Parts,
) -> None:
    """Add the feedback synapses onto a layer.

    Args:
        spec: of the layer.
        source: name of the presynaptic group.
        arriving: variable that sums what they transmit, what that is, and when.
        wiring: which cells they connect.
        translation: of the rule, by which they learn if they are plastic.
        settings: everything else.
        parts: to add to.
    """
    variable, carried, phase = arriving
    name, model = f"feedback{spec.number}", ["w : 1", f"{variable}_post = w * {carried} : 1 (summed)"]
    if (factors := translation.feedback_factors()) is not None:
        growth, decay = factors
        constants = {"eta": settings.eta * settings.feedback_eta, "weight_decay": settings.weight_decay}
        model += shared_constants(constants)
        parts.set(name, constants)
        learn = f"w += eta * eta_factor(t) * ({growth} * {carried} - ({decay} + weight_decay) * w)"
        parts.operations.append(Operation(name, Phase.LEARNING, learn))
    row = wiring[1]["width"] if wiring[0] == "returning" else spec.size
    sums = {variable: phase}
    parts.connections.append(Connection(name, source, spec.name, "\n".join(model), wiring, row=row, sums=sums))
    parts.state.append(Variable(name, "w", tensor="feedback", layer=spec.number))


def _add_output(
    top: LayerSpec, classes: int, settings: Settings, modulator: Modulator, translation: Translation, parts: Parts
) -> Sender:
    """Add an output that learns by the delta rule, and the delay line of its error, if it has any."""
    (sample,) = translation.samples
    names = ("logit", "exponential", "normaliser", "probability", "target", "bias", "value")
    model = [*(f"{name} : 1" for name in names), *shared_constants(["bias_eta"])]
    model += modulator_constants(OUTPUT, modulator, settings, translation, parts)
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
    value = modulator_value(modulator, settings, translation, sample)
    delta = "w -= eta_factor(t) * eta * (probability_post - target_post) * signal_pre"
    parts.operations += [
        Operation(OUTPUT, Phase.EXPONENTIAL, "exponential = exp(clip(logit + bias, -50, 50))"),
        Operation(OUTPUT, Phase.OUTPUT, "probability = exponential / normaliser\ntarget = label(t, i)"),
        Operation(OUTPUT, Phase.MODULATOR, f"value = {value}"),
        Operation(OUTPUT, Phase.LEARNING, "bias -= eta_factor(t) * bias_eta * (probability - target)"),
        Operation("readout", Phase.LEARNING, delta),
    ]
    parts.state += [Variable(OUTPUT, "bias", tensor="output_bias"), Variable("readout", "w", tensor="output")]
    return add_delay_line(OUTPUT, classes, modulator, settings, [sample.suffix], parts)
