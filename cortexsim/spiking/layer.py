"""From one layer to the groups, synapses and operations that make it up."""

from cortexsim.spiking.assembly import LayerSpec, Parts, dedent, shared_constants
from cortexsim.spiking.average_derivative import add_average_derivative, derivative_variables
from cortexsim.spiking.cells import Cell
from cortexsim.spiking.competition import add_competition, competition_variables
from cortexsim.spiking.constraints import hidden_variables, release_parameters, step_weight, transmit, weight_parameters
from cortexsim.spiking.network_spec import Connection, Operation, Phase, Variable
from cortexsim.spiking.plasticity_equations import add_context, add_plasticity, plastic_variables
from cortexsim.spiking.population import add_population
from cortexsim.spiking.relay import EXCITATION, INHIBITION, Pathway, add_relay
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Settings
from cortexsim.spiking.tags import Tags, add_tags


def add_layer(
    spec: LayerSpec,
    settings: Settings,
    translation: Translation | None,
    below: str,
    classes: int,
    parts: Parts,
) -> None:
    """Add a layer: its cells, the synapses that drive them, and its plasticity.

    >>> from cortexsim.rules import known_rules
    >>> siblings = ((1,), (0,))  # Two columns, each the context of the other.
    >>> spec = LayerSpec(1, 2, 64, 16, "spiking", True, "sibling", False, 400.0, context_sources=siblings)
    >>> parts, clapp = Parts(), Translation(known_rules()["clapp"], context=True)
    >>> add_layer(spec, Settings(), clapp, "input", 8, parts)
    >>> [(synapses.name, synapses.source, synapses.target) for synapses in parts.connections]
    [('feedforward1', 'input', 'layer1'), ('context1', 'layer1', 'layer1')]
    >>> [operation.owner for operation in parts.operations if operation.phase == Phase.LEARNING]
    ['feedforward1', 'context1']

    Args:
        spec: its sizes.
        settings: everything else.
        translation: of its rule; None where it does not learn.
        below: name of the presynaptic group.
        classes: n_c, cells of the label population.
        parts: to add to.
    """
    cell = settings.cell_of(spec.substrate)
    translation = translation if spec.plastic else None
    _add_cells(spec, settings, cell, translation, parts)
    _add_feedforward(spec, settings, cell, translation, EXCITATION, below, parts)
    if settings.relayed:
        relay = add_relay(spec, settings, below, parts)
        _add_feedforward(spec, settings, cell, translation, INHIBITION, relay, parts)
    if translation is not None:
        add_plasticity(spec, settings, translation, parts)
        add_average_derivative(spec, translation, parts)
        add_competition(spec, translation, parts)
        if translation.context:
            add_context(spec, settings, translation, classes, parts)


def _add_cells(spec: LayerSpec, settings: Settings, cell: Cell, translation: Translation | None, parts: Parts) -> None:
    variables = ["mean : 1", "signal : 1", "activity = output - centred * mean : 1"]
    constants, on_spike = {"centred": float(settings.centred and spec.plastic)}, []
    if translation is not None:
        variables += plastic_variables(spec, translation, tagged=settings.tag_stages > 0)
        variables += [*derivative_variables(spec, translation), *competition_variables(translation)]
        constants |= translation.constants
        constants |= {
            name: getattr(settings, name) for name in ("mean_rate", "covariance_rate", "homeostasis", "target_activity")
        }
        if translation.psp:
            on_spike = ["spiked = 1"]
    add_population(spec.name, spec.size, cell, settings, parts, variables, constants, on_spike)
    parts.state += [Variable(spec.name, name, tensor=name, layer=spec.number) for name in ("bias", "mean")]


def _add_feedforward(
    spec: LayerSpec,
    settings: Settings,
    cell: Cell,
    translation: Translation | None,
    pathway: Pathway,
    below: str,
    parts: Parts,
) -> None:
    """Connect every column with its receptive field; synapses of a layer that learns have an eligibility trace."""
    name, spikes = f"{pathway.name}{spec.number}", spec.presynaptic_rate > 0
    model, effects, values, method = ["w : 1"], [], {}, ""
    if spikes:
        tau = settings.cell_values(cell).get("tau_synapse", 0.0)
        values = {"unit": settings.gain / (spec.presynaptic_rate * tau) if tau else 0.0, **release_parameters(settings)}
        effects.append(f"current_post += {pathway.sign}unit * w")
    else:
        model.append("current_post = w * output_pre : 1 (summed)")
    if translation is not None:
        tau = settings.tau_eligibility
        values |= {
            "eta": settings.eta,
            "weight_decay": settings.weight_decay,
            **weight_parameters(settings, signed=not settings.dale),
            "carry": 0.0 if settings.reset_traces else 1.0,
            "eligibility_unit": spec.afferents / (spec.presynaptic_rate * settings.window(tau)) if spikes else 1.0,
        }
        times = {"tau_eligibility": tau, "period": settings.timing.period / parts.updates}
        model += [f"{key} : second (shared, constant)" for key in times]
        parts.set(name, times)
        if spikes:
            model.append("eligibility : 1")
            effects.append(f"eligibility += ({translation.eligibility}) * exp(age_post / tau_eligibility)")
            trace = "eligibility * exp(-period / tau_eligibility)"
        else:
            target = f"({translation.eligibility}) * output_pre"
            model.append(f"deligibility/dt = (-eligibility + {target}) / tau_eligibility : 1 (clock-driven)")
            method, trace = "exponential_euler", "eligibility"
        remaining = "carry" if parts.updates == 1 else "(1 - is_saccade(t) * (1 - carry))"
        growth, held, later = _growth(name, settings, translation, parts)
        model += held
        learn = f"""
            trace = {trace}
            step = eta * eta_factor(t) * ({pathway.sign}({growth}) - (decay_post + weight_decay) * w)
            {step_weight("w", pathway.kind, spec, settings, signed=not settings.dale)}
            {later}
            eligibility = eligibility + learning(t) * ({remaining} * trace - eligibility)
        """
        parts.operations.append(Operation(name, Phase.LEARNING, dedent(learn)))
        parts.carry(name, "eligibility", *hidden_variables(settings))
        model += [f"{variable} : 1" for variable in hidden_variables(settings)]
    parts.set(name, values)
    if pathway is EXCITATION:
        parts.state.append(Variable(name, "w", tensor="feedforward", layer=spec.number))
    else:
        parts.carry(name, "w")
    parts.connections.append(
        Connection(
            name,
            below,
            spec.name,
            "\n".join([*model, *shared_constants(values)]),
            spec.feedforward_wiring(spec.cells),
            row=spec.cells,
            on_pre=transmit(effects, pathway.kind, spec, settings),
            sums={} if spikes else {"current": Phase.DENDRITE},
            every_step=not spikes,
            method=method,
        )
    )


def _growth(name: str, settings: Settings, translation: Translation, parts: Parts) -> tuple[str, list[str], str]:
    """Write how a third factor and the eligibility change a weight.

    Args:
        name: of the synapses.
        settings: everything else.
        translation: of their rule.
        parts: to which is added what passes from chunk to chunk.

    Returns:
        The growth, declarations of what a synapse holds for it, and statements that follow its step.
    """
    eligible = "waiting" if translation.waits else "trace"
    growth, held, later = f"third_factor_post * {eligible} * eligibility_unit", [], []
    if (tags := Tags.of(translation.rule, settings, parts.updates)) is not None:
        entering = {sample.suffix: f"local{sample.suffix}_post * {eligible}" for sample in translation.samples}
        growth, later = f"({tags.growth(entering)}) * eligibility_unit", tags.moves(entering)
        held = add_tags(name, tags, entering, parts)
    if translation.waits:
        held.append("waiting : 1")
        later.append("waiting += learning(t) * (trace - waiting)")
        parts.carry(name, "waiting")
    return growth, held, "\n".join(later)
