"""What one key of a model cannot say alone: that learner, rule, network and substrate fit each other."""

from cortexsim import contexts
from cortexsim.config.schema import Model
from cortexsim.config.unused import check_used
from cortexsim.config.values import SpikingTable, settings
from cortexsim.errors import UserError, nearest
from cortexsim.learners.contrast import SACCADES
from cortexsim.rules import Rule
from cortexsim.spiking import Settings, Translation
from cortexsim.spiking.cells import Cell


def check(model: Model) -> None:
    """Hold a model to what can be, and to keys that are read.

    Raises:
        UserError: where learner and rule, or rule and network, do not fit each other; or a key would be ignored.
    """
    _check_fit(model)
    check_used(model)


def _check_fit(model: Model) -> None:
    """Hold learner, rule and network to each other."""
    model.own_task()
    check_brian(model)
    _check_sending(model)
    if model.training.loss != "labels":
        _check_loss(model)
    if model.learner in ("backprop", "untrained"):
        if model.rule is not None:
            raise UserError(f"rule: learner = '{model.learner}' follows no rule (leave the table out)")
        return
    if model.rule is None:
        raise UserError(f"rule: missing; learner = '{model.learner}' needs a table [rule] with a name")
    rule = model.plasticity_rule()
    if rule.needs_output != (model.learner == "feedback"):
        right = "feedback" if rule.needs_output else "local"
        heard = "is taught by the output" if rule.needs_output else "is not taught by the output"
        raise UserError(f"learner = '{model.learner}': rule '{rule.name}' {heard} (learner = '{right}')")
    if model.rule.top == "label" and rule.context is None:
        raise UserError(f"rule.top = 'label': rule '{rule.name}' has no context synapses (top = 'readout')")
    if model.rule.top == "label" and model.learner == "feedback":
        raise UserError("rule.top = 'label': a feedback learner has an output of its own (top = 'readout')")
    _check_context(model, rule)
    _check_feedback(model, rule)


def _check_context(model: Model, rule: Rule) -> None:
    """Hold what dendrites are to hear to what there is."""
    assert model.rule is not None
    asked, names = f"rule.context = '{model.rule.context}'", contexts.split(model.rule.context)
    heard = {name: contexts.find(name) for name in names or [model.rule.context]}
    for name, found in heard.items():
        if found is None:
            said = nearest(name, [*contexts.CONTEXTS, "offset(1)", "offset(1,0)"])
            raise UserError(f"{asked}: '{name}' is not known ({said}; join several by +)")
    if len(set(names)) < len(names):
        raise UserError(f"{asked}: the same twice (name each once)")
    if model.rule.context == "sibling":
        return
    inside = {found.name for found in contexts.in_layer(model.rule.context)}
    if rule.context is None and not ("context" in rule.requires and set(names) <= inside):
        raise UserError(f"{asked}: rule '{rule.name}' has no context synapses ('sibling')")
    if contexts.second_views(model.rule.context) and model.learner != "local":
        raise UserError(f"{asked}: learner = '{model.learner}' sees every sample in one view ('sibling')")
    if "top" in names and model.rule.schedule == "greedy":
        raise UserError(f"{asked}: the top must learn at once with those that hear it (schedule = 'simultaneous')")
    if "top" in names and model.rule.top == "label":
        raise UserError(f"{asked}: with rule.top = 'label' the top is one column, above all others (top = 'readout')")
    here = set(model.network.substrate)
    for name, found in heard.items():
        if found is not None and (beyond := sorted(here - found.substrates)):
            raise UserError(f"{asked}: layers of substrate '{beyond[0]}' cannot hear '{name}' ({_hearable(beyond[0])})")
    if model.in_brian and len(names) > 1:
        raise UserError(f"{asked}: cells in Brian2 hear one context ({_hearable(min(here - {'rate'}))})")


def _hearable(substrate: str) -> str:
    """List the contexts that a substrate can hear."""
    return ", ".join(f"'{name}'" for name, found in contexts.CONTEXTS.items() if substrate in found.substrates)


def _check_sending(model: Model) -> None:
    """Hold what layers are to send to what they have."""
    if model.network.sends == "activity":
        return
    asked = "network.sends = 'prediction'"
    if model.network.units != "scalar":
        raise UserError(f"{asked}, with units = 'vector': the components of a cell stand for classes ('activity')")
    if model.in_brian and (set(model.network.substrate) != {"spiking"} or model.learner != "local"):
        raise UserError(f"{asked}: in Brian2, spiking cells that learn locally do (sends = 'activity')")
    if model.in_brian and model.spiking.dendrite == "psp":
        raise UserError(f"{asked}: dendrites that hear spikes all along do not (spiking.dendrite = 'trace')")
    rule = None if model.rule is None else model.plasticity_rule()
    if model.learner == "feedback" or (rule is not None and rule.context is None):
        raise UserError(f"{asked}: rule '{model.rule_name}' has no context synapses to predict by (sends = 'activity')")
    if model.rule is not None and not contexts.in_layer(model.rule.context):
        raise UserError(f"{asked}: no column hears another (context = 'sibling')")


def _check_loss(model: Model) -> None:
    """Hold what losses of a whole network without labels ask for."""
    asked = f"training.loss = '{model.training.loss}'"
    if model.learner not in ("backprop", "feedback"):
        raise UserError(f"{asked}: learner = '{model.learner}' follows no loss of the network (learner = 'backprop')")
    if model.rule is not None and model.learner == "feedback":
        path = model.plasticity_rule().path
        if path is None or path.route != "settled":
            raise UserError(
                f"{asked}: rule '{model.rule.name}' is taught by the labels (learner = 'backprop' without a rule, or a"
                " rule whose activity settles)"
            )
    if model.network.sends != "activity":
        raise UserError(f"{asked}: columns are told apart by their activity (network.sends = 'activity')")
    if model.network.units != "scalar":
        raise UserError(f"{asked}: the components of vector cells stand for classes (network.units = 'scalar')")
    if model.training.loss == "infonce" and model.training.batch <= SACCADES:
        raise UserError(
            f"training.batch = {model.training.batch}: {asked} contrasts with {SACCADES} other samples"
            f" ({SACCADES + 1} or more)"
        )


def _check_feedback(model: Model, rule: Rule) -> None:
    """Hold what error paths and vector cells ask for."""
    components = any(modulator.projection == "component" for modulator in rule.modulators)
    if components != (model.network.units == "vector"):
        right = "vector" if components else "scalar"
        raise UserError(f"network.units = '{model.network.units}': rule '{rule.name}' is for {right} cells ('{right}')")
    if rule.feedback is None and model.training.feedback_eta != 1:
        raise UserError(
            f"training.feedback_eta = {model.training.feedback_eta:g}: rule '{rule.name}' has feedback weights that do"
            " not learn (leave it out)"
        )


def check_brian(model: Model) -> None:
    """Hold what layers in Brian2 can and cannot do.

    Raises:
        UserError: where a model asks for what they cannot.
    """
    if not model.in_brian:
        for name, written in (("spiking", model.spiking != SpikingTable()), ("modulator", model.modulator)):
            if written:
                raise UserError(f"{name}: no layer is simulated in Brian2 (network.substrate = 'spiking')")
        return
    brian_settings(model)
    if model.rule is not None:
        rule = model.plasticity_rule()
        for substrate in dict.fromkeys(model.network.substrate):
            if lacking := rule.missing_on(substrate):
                raise UserError(
                    f"network.substrate: rule '{rule.name}' needs {lacking[0]}, which layers in Brian2 do not have"
                    f" ({' or '.join(repr(name) for name in rule.substrates)})"
                )
    if model.learner in ("local", "feedback") and model.rule is not None:
        for name in model.modulator:
            known = [modulator.name for modulator in model.plasticity_rule().modulators]
            if name not in known:
                raise UserError(f"modulator.{name}: the rule has no such modulator ({nearest(name, known)})")
        says = Translation(model.plasticity_rule(), context=True)
        if model.spiking.centred and (says.reads("mean_post") or model.learner == "feedback"):
            why = (
                "the rule reads mean_post itself"
                if says.reads("mean_post")
                else "an answer is read from activity itself"
            )
            raise UserError(f"spiking.centred = true: {why} (centred = false)")
    if model.spiking.dendrite == "psp":
        if "brian-rate" in model.network.substrate:
            raise UserError("spiking.dendrite = 'psp': cells without spikes have none ('trace')")
        if model.rule is not None and model.rule.top == "label":
            raise UserError("spiking.dendrite = 'psp': the label population has no spikes to hear ('trace')")
    if model.spiking.dale:
        _check_dale(model)
    if model.spiking.release < 1 and "brian-rate" in model.network.substrate:
        raise UserError(f"spiking.release = {model.spiking.release:g}: cells without spikes release none (1.0)")
    if model.network.units != "scalar":
        raise UserError("network.units = 'vector': cells in Brian2 have one activity ('scalar')")
    if model.learner == "backprop":
        raise UserError("learner = 'backprop': spikes have no gradient (network.substrate = 'rate')")
    named = model.network.substrate
    if model.network.shared and "rate" in named[1:]:
        raise UserError(
            f"network.shared = true, with substrate = {list(named)}: columns in Brian2 differ, and so must those that"
            " hear them (shared = false)"
        )
    mixed = len(set(named)) > 1
    if mixed and model.learner == "feedback":
        raise UserError(
            "network.substrate: an output error reaches layers of one substrate only (the same for all layers)"
        )
    if mixed and model.rule is not None and model.rule.schedule == "simultaneous":
        raise UserError("rule.schedule = 'simultaneous': layers of different substrates learn one by one ('greedy')")


def _check_dale(model: Model) -> None:
    """Hold what Dale's law asks for."""
    asked = "spiking.dale = true"
    if "brian-rate" in model.network.substrate:
        raise UserError(f"{asked}: inhibitory cells spike (network.substrate = 'spiking')")
    if model.learner != "untrained" and not model.spiking.homeostasis:
        raise UserError(
            f"spiking.homeostasis = 0: {asked}, and inhibitory weights learn at this rate (above 0, such as 0.001)"
        )


def cells_of(model: Model) -> list[Cell]:
    """List the cells that a model's layers in Brian2 consist of."""
    if not model.in_brian:
        return []
    chosen = brian_settings(model)
    return [chosen.cell_of(substrate) for substrate in sorted({*model.network.substrate} - {"rate"})]


def brian_settings(model: Model) -> Settings:
    """Set up the layers of a model that are simulated in Brian2."""
    training = model.training
    return settings(model.spiking, model.modulator, training.eta, training.context_eta, training.weight_decay)
