"""From the specifications of layers to the description of a whole network."""

from cortexsim.rules import Rule
from cortexsim.spiking.assembly import NEXT, LayerSpec, Parts
from cortexsim.spiking.encoding import ENCODINGS
from cortexsim.spiking.inhibition import add_inhibition
from cortexsim.spiking.label_population import CLASSES, LABELS, add_class_cells, add_labels
from cortexsim.spiking.layer import add_layer
from cortexsim.spiking.modulator_population import add_layer_modulator, modulator_group
from cortexsim.spiking.network_spec import INPUT, RUN, STREAMS, Description, Group, Operation, Phase, Recording
from cortexsim.spiking.output import add_feedback
from cortexsim.spiking.population import CLOCK, SEED, STIMULUS_NUMBER
from cortexsim.spiking.prediction_population import add_predictions
from cortexsim.spiking.projection_population import add_on_off, add_projection
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Settings


def describe(
    specs: list[LayerSpec],
    classes: int,
    rule: Rule | None,
    settings: Settings,
    capacity: int,
    traced_cell: int | None = None,
    below_projection: Rule | None = None,
) -> tuple[Description, dict[str, float]]:
    """Describe a stack of layers.

    >>> from cortexsim.spiking import LayerSpec, Settings
    >>> settings = Settings()
    >>> layer = LayerSpec(1, positions=2, cells=3, patch=4, substrate="spiking", plastic=False, context="none",
    ...     feedback=False, presynaptic_rate=settings.input_rate)
    >>> description, parameters = describe([layer], classes=2, rule=None, settings=settings, capacity=10)
    >>> [(group.name, group.size) for group in description.groups]
    [('simulation', 1), ('input', 8), ('layer1', 6)]

    Args:
        specs: its layers from below, all of one substrate.
        classes: n_c, labels.
        rule: what its plastic layers follow.
        settings: everything else.
        capacity: most fixations in one chunk.
        traced_cell: record every spike, the modulators, and the voltage and dendrite of this cell of each layer.
        below_projection: what layers with a projection follow, on which the rule acts in their place.

    Returns:
        The description, and the values of its parameters by ``owner.name``.
    """
    plastic = [spec for spec in specs if spec.plastic]
    without_spikes = ("none",) if settings.labels == "spikes" else ("none", "label")
    psp = settings.dendrite == "psp" and any(spec.learning_cells.context not in without_spikes for spec in plastic)
    parts = Parts(updates=2 if psp else 1)
    inputs, spikes = specs[0].inputs, specs[0].presynaptic_rate > 0
    _add_input(inputs, spikes, settings, parts)
    below, learning = INPUT, False  # From here up.
    for spec in specs:
        learning = learning or spec.plastic
        cells = spec.learning_cells
        translation = None
        if rule is not None and spec.plastic:
            translation = Translation(rule, cells.context != "none", psp, successive=cells.context == NEXT)
        if translation is None or spec.projection is None or below_projection is None:
            add_layer(spec, settings, translation, below, classes, parts)
        else:
            own = Translation(below_projection, False)
            add_layer(spec, settings, own, below, classes, parts)
            add_projection(spec, settings, translation, own, classes, parts)
        if settings.pooled:
            add_inhibition(spec, settings, below, rule is not None and learning, parts)
        if spec.sends == "prediction":
            add_predictions(spec, settings, translation, parts)
        if spec.sends == "projection":
            add_on_off(spec, settings, parts)
        below = spec.output
        if translation is not None:
            for modulator in translation.rule.modulators:
                if modulator.projection == "scalar":
                    add_layer_modulator(cells, settings, modulator, translation, parts)
    named = [spec for spec in plastic if spec.learning_cells.context == "label"]
    if named:
        add_labels(classes, settings, Translation(rule, True, psp).lags if rule is not None else [], psp, parts)
        if settings.labels == "spikes":
            add_class_cells(named[0], classes, settings, parts)
    if rule is not None and plastic:
        add_feedback(plastic, classes, settings, Translation(rule, False), parts)
    answers = (CLASSES,) if named and settings.labels == "spikes" else ()
    recorded, modulators = (*(spec.output for spec in specs), *answers), []
    tracing = traced_cell is not None and spikes
    if tracing:
        recorded = (*dict.fromkeys(name for spec in specs for name in (spec.name, spec.output)), *answers)
        recorded += (LABELS,) if answers else ()
        modulators = [
            Recording(f"{modulator.name}{spec.number}", modulator_group(modulator, spec), "value", Phase.THIRD_FACTOR)
            for spec in plastic
            for modulator in (rule.modulators if rule else ())
            if modulator.score != "0"
        ]
    description = Description(
        dt=settings.timing.dt,
        period=settings.timing.steps // parts.updates,
        updates=parts.updates,
        capacity=capacity,
        groups=(Group(RUN, 1, "steps : integer (shared)"), *parts.groups),
        connections=tuple(parts.connections),
        operations=tuple(sorted(parts.operations, key=lambda operation: operation.phase)),
        streams={"stimulus": inputs // settings.afferents, "label": classes, **dict.fromkeys(STREAMS)},
        state=tuple(parts.state),
        activity=tuple(Recording(name, name, "output", Phase.RECORD) for name in recorded),
        modulators=tuple(modulators),
        recorded=(INPUT, *recorded) if tracing else (),
        traced={spec.name: (_traced(spec), traced_cell or 0) for spec in specs} if tracing else {},
    )
    return description, parts.parameters


def _traced(spec: LayerSpec) -> tuple[str, ...]:
    return ("v", "dendrite") if spec.plastic and spec.context != "none" else ("v",)


def _add_input(size: int, spikes: bool, settings: Settings, parts: Parts) -> None:
    if not spikes:
        parts.groups.append(Group(INPUT, size, "output : 1"))
        parts.operations.append(Operation(INPUT, Phase.STIMULUS, "output = stimulus(t, i)"))
        return
    model = f"""{CLOCK}
        {SEED}
        {STIMULUS_NUMBER}
        rate : Hz
        spikes : 1
        input_rate : Hz (shared, constant)
        blank : second (shared, constant)
    """
    silence, begin = "blank", ""
    if parts.updates == 2:  # Only every other update is a saccade, with a blank after it.
        model, silence = model + "silence : second (shared)\n", "silence"
        begin = "silence = blank * is_saccade(t)\n"
    threshold = f"rate > 0*Hz and age > {silence} - dt/2 and {ENCODINGS[settings.encoding]}"
    parts.groups.append(Group(INPUT, size, model, threshold=threshold, reset="spikes += 1", seeded=True))
    n = settings.afferents
    shown = "stimulus(t, i)" if n == 1 else f"stimulus(t, i // {n})"
    parts.set(INPUT, {"input_rate": settings.input_rate / n, "blank": settings.timing.blank})
    show = f"last_update = t\n{begin}stimulus_number = int(stimulus_id(t))\nrate = input_rate * {shown}"
    parts.operations.append(Operation(INPUT, Phase.STIMULUS, show))
