"""From layers planned to the description of a whole network."""

from cortexsim.rules import Rule
from cortexsim.spiking.assembly import FOLLOW, SHOW, SIGNAL, THIRD, WATCH, Parts, Plan
from cortexsim.spiking.broadcast import add_column_modulator, add_output
from cortexsim.spiking.encoding import ENCODINGS
from cortexsim.spiking.inhibition import add_inhibition
from cortexsim.spiking.layer import AGE, add_layer
from cortexsim.spiking.network_spec import Description, Group, Operation
from cortexsim.spiking.prediction_population import add_senders
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Settings


def describe(
    plans: list[Plan],
    classes: int,
    rule: Rule | None,
    settings: Settings,
    capacity: int,
    traced_cell: int | None = None,
) -> tuple[Description, dict[str, float]]:
    """Describe a stack, and give its parameters their values.

    Args:
        plans: its layers from below, all of one substrate.
        classes: n_c, labels.
        rule: what its plastic layers follow.
        settings: everything else.
        capacity: most fixations in one chunk.
        traced_cell: keep every spike, what modulators say, and the voltage and dendrite of this cell of each layer.
    """
    plastic = [plan for plan in plans if plan.plastic]
    halves = settings.dendrite == "psp" and any(plan.context not in ("none", "label") for plan in plastic)
    parts = Parts(ticks=2 if halves else 1)
    size = plans[0].inputs_below
    _add_input(size, bool(plans[0].below_rate), settings, parts)
    below, streams = "input", {"stimulus": size}
    streams |= ({"identity": 2} if plans[0].below_rate else {}) | ({"schedule": 4} if plastic and rule else {})
    learning = False  # From here up.
    for plan in plans:
        learning = learning or plan.plastic
        says = Translation(rule, plan.context != "none", halves) if rule is not None and plan.plastic else None
        add_layer(plan, settings, says, below, classes, parts)
        if settings.dale:
            add_inhibition(plan, settings, below, rule is not None and learning, parts)
        if plan.sends == "prediction":
            add_senders(plan, settings, parts)
        below = plan.sender
        if says is not None:
            for modulator in says.rule.modulators:
                if modulator.projection == "scalar":
                    add_column_modulator(plan, settings, modulator, says, parts)
    if any(plan.context == "label" for plan in plastic):
        _add_labels(classes, settings, parts)
        streams["labels_of"] = classes
    if rule is not None and plastic:
        for modulator in rule.modulators:
            if modulator.projection == "random":
                add_output(plastic, classes, settings, modulator, Translation(rule, False), parts)
                streams["labels_of"] = classes
    spying = traced_cell is not None and bool(plans[0].below_rate)
    cell = traced_cell or 0
    modulated = [
        f"modulator_{m.name}{plan.number}"
        for plan in plastic
        for m in (rule.modulators if rule else ())
        if m.score != "0"
    ]
    populations = dict.fromkeys(name for plan in plans for name in (plan.name, plan.sender))
    watched = [(name, "value", THIRD) for name in modulated] if spying else []
    description = Description(
        dt=settings.timing.dt,
        period=settings.timing.steps // parts.ticks,
        ticks=parts.ticks,
        capacity=capacity,
        groups=(Group("stream", 1, "steps : integer (shared)"), *parts.groups),
        connections=tuple(parts.connections),
        operations=tuple(sorted(parts.operations, key=lambda operation: operation.turn)),
        streams=streams,
        state=tuple(parts.state),
        watched=(
            *((name, "output", WATCH) for name in (populations if spying else [plan.sender for plan in plans])),
            *watched,
        ),
        recorded=("input", *populations) if spying else (),
        traced={plan.name: (_traced(plan), cell) for plan in plans} if spying else {},
    )
    return description, parts.parameters


def _traced(plan: Plan) -> tuple[str, ...]:
    return ("v", "dendrite") if plan.plastic and plan.context != "none" else ("v",)


def _add_input(size: int, spikes: bool, settings: Settings, parts: Parts) -> None:
    if not spikes:
        parts.groups.append(Group("input", size, "output : 1"))
        parts.operations.append(Operation("input", SHOW, "output = stimulus(t, i)"))
        return
    model = f"""{AGE}
        rate : Hz
        spikes : 1
        fixation : integer (shared)
        seed : integer (shared, constant)
        unit_rate : Hz (shared, constant)
        blank : second (shared, constant)
    """
    quiet, opens = "blank", ""
    if parts.ticks == 2:  # Only every other tick is a saccade, with a blank after it.
        model, quiet, opens = model + "quiet : second (shared)\n", "quiet", "quiet = blank * identity(t, 1)\n"
    threshold = f"rate > 0*Hz and age > {quiet} - dt/2 and {ENCODINGS[settings.encoding]}"
    parts.groups.append(Group("input", size, model, threshold=threshold, reset="spikes += 1"))
    parts.set("input", {"unit_rate": settings.input_rate, "blank": settings.timing.blank})
    show = f"saccade = t\n{opens}fixation = int(identity(t, 0))\nrate = unit_rate * stimulus(t, i)"
    parts.operations.append(Operation("input", SHOW, show))


def _add_labels(classes: int, settings: Settings, parts: Parts) -> None:
    """Add the labels that dendrites hear, less their mean where plasticity is centred.

    A context that is never negative would, where a rule weakens synapses after saccades, weaken all of them.
    """
    mean = 1 / classes if settings.centred else 0
    parts.groups.append(Group("labels", classes, "signal : 1\nbefore : 1"))
    parts.operations.append(Operation("labels", SIGNAL, f"signal = labels_of(t, i) - {mean}"))
    parts.operations.append(Operation("labels", FOLLOW, "before += schedule(t, 1) * (signal - before)"))
    parts.state.append(("labels", "before"))
