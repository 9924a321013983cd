"""Validation across the keys of a model: learner, rule, network and substrate have to fit together."""

from cortexsim import contexts
from cortexsim.config.schema import Model
from cortexsim.config.unused import check_used
from cortexsim.config.values import SpikingTable, settings
from cortexsim.config.views import check_views
from cortexsim.errors import UserError, nearest
from cortexsim.learners.contrast import SACCADES
from cortexsim.rules import Rule
from cortexsim.spiking import Settings, Translation
from cortexsim.spiking.cells import Cell
from cortexsim.spiking.tags import Tags


def check(model: Model) -> None:
    """Check that the settings of a model fit together, and that none of them would be ignored.

    >>> from cortexsim.config.registry import find_model
    >>> check(find_model("clapp").model_copy(update={"rule": None}))
    Traceback (most recent call last):
    cortexsim.errors.UserError: rule: missing; learner = 'local' needs a table [rule] with a name

    Raises:
        UserError: learner, rule, network or substrate do not fit together, or a key has no effect.
    """
    _check_learner(model)
    check_used(model)


def _check_learner(model: Model) -> None:
    """Check a model against the requirements of its learner."""
    model.own_task()
    check_brian(model)
    _check_sending(model)
    check_views(model)
    if model.training.loss != "labels":
        _check_loss(model)
    if model.learner in ("backprop", "untrained"):
        if model.rule is not None:
            raise UserError(f"rule: learner = '{model.learner}' uses no rule (leave the table out)")
        return
    if model.rule is None:
        raise UserError(f"rule: missing; learner = '{model.learner}' needs a table [rule] with a name")
    rule = model.plasticity_rule()
    if lacking := rule.missing_on("rate"):
        raise UserError(f"rule.name: rule '{rule.name}' needs {lacking[0]}")
    if rule.needs_output != (model.learner == "feedback"):
        right = "feedback" if rule.needs_output else "local"
        reads = "needs the output error" if rule.needs_output else "does not use the output error"
        raise UserError(f"learner = '{model.learner}': rule '{rule.name}' {reads} (learner = '{right}')")
    if model.rule.top == "label" and rule.context is None:
        raise UserError(f"rule.top = 'label': rule '{rule.name}' has no context synapses (top = 'readout')")
    if model.rule.top == "label" and model.learner == "feedback":
        raise UserError("rule.top = 'label': a feedback learner has its own output (top = 'readout')")
    _check_context(model, rule)
    _check_feedback(model, rule)


def _check_context(model: Model, rule: Rule) -> None:
    """Check that rule, learner and substrate support the context."""
    assert model.rule is not None
    setting, names = f"rule.context = '{model.rule.context}'", contexts.split(model.rule.context)
    known = {name: contexts.find(name) for name in names or [model.rule.context]}
    for name, context in known.items():
        if context is None:
            suggestion = nearest(name, [*contexts.CONTEXTS, "offset(1)", "offset(1,0)"])
            raise UserError(f"{setting}: '{name}' is not known ({suggestion}; join several by +)")
    if len(set(names)) < len(names):
        raise UserError(f"{setting}: a context is named twice (name each once)")
    if model.rule.context == "sibling":
        return
    inside = {context.name for context in contexts.in_layer(model.rule.context)}
    if rule.context is None and not ("context" in rule.requires and set(names) <= inside):
        raise UserError(f"{setting}: rule '{rule.name}' has no context synapses ('sibling')")
    if (contexts.second_views(model.rule.context) or model.sees_pairs) and model.learner != "local":
        raise UserError(f"{setting}: learner = '{model.learner}' uses a single view of every sample ('sibling')")
    if {"top", "view-top"} & set(names) and model.rule.schedule == "greedy":
        raise UserError(
            f"{setting}: layers must learn together with the top that they receive (schedule = 'simultaneous')"
        )
    if "top" in names and model.rule.top == "label":
        raise UserError(
            f"{setting}: with rule.top = 'label' the top is a single column that receives the label (top = 'readout')"
        )
    used = set(model.network.substrate)
    for name, context in known.items():
        if context is not None and (lacking := sorted(used - context.substrates)):
            choices = _contexts_for(lacking[0])
            raise UserError(f"{setting}: layers of substrate '{lacking[0]}' do not support '{name}' ({choices})")
    if model.in_brian and len(names) > 1:
        choices = _contexts_for(min(used - {"rate"}))
        raise UserError(f"{setting}: layers in Brian2 support a single context ({choices})")
    if model.in_brian and contexts.second_views(model.rule.context):
        _check_next_in_brian(model, rule, setting)


def _check_next_in_brian(model: Model, rule: Rule, setting: str) -> None:
    """Check that layers in Brian2 can have themselves in the fixation before as their context."""
    assert model.rule is not None
    if rule.context is None or rule.saccades != 1 or rule.negatives != "saccade":
        needed = "context synapses, and the context of the same object and that of one other alike ('clapp')"
        raise UserError(f"{setting}: in Brian2 a rule needs {needed}; rule '{rule.name}' has not")
    for key, value, right in (
        ("spiking.dendrite", model.spiking.dendrite, "trace"),
        ("network.sends", model.network.sends, "activity"),
        ("network.projection", model.network.projection, 0),
        ("rule.top", model.rule.top, "readout"),
    ):
        if value != right:
            raise UserError(
                f"{key} = {value!r}: layers in Brian2 whose context is themselves do not support it ({right!r})"
            )
    if len(set(model.network.substrate)) > 1:
        raise UserError(f"{setting}: layers in Brian2 and others differ in this context (one substrate for all)")


def _contexts_for(substrate: str) -> str:
    """List the contexts that layers of a substrate support."""
    return ", ".join(f"'{name}'" for name, context in contexts.CONTEXTS.items() if substrate in context.substrates)


def _check_sending(model: Model) -> None:
    """Check that layers that send predictions have context synapses to predict with."""
    _check_projection(model)
    if model.network.sends != "prediction":
        return
    setting = "network.sends = 'prediction'"
    if model.network.units != "scalar":
        raise UserError(f"{setting}, with units = 'vector': the components of a cell stand for classes ('activity')")
    if model.in_brian and (len(set(model.network.substrate)) > 1 or model.learner != "local"):
        raise UserError(
            f"{setting}: in Brian2 only layers of one substrate with a local learner support it (sends = 'activity')"
        )
    synapses = f"spiking.prediction_synapses = '{model.spiking.prediction_synapses}'"
    if model.spiking.prediction_synapses != "copied" and "brian-rate" in model.network.substrate:
        raise UserError(f"{synapses}: cells without spikes have copies of weights ('copied')")
    rule = None if model.rule is None else model.plasticity_rule()
    decays = rule is not None and rule.context is not None and rule.context.decay != "0"
    if model.spiking.prediction_synapses == "kolen-pollack" and decays:
        raise UserError(f"{synapses}: context synapses of rule '{model.rule_name}' decay by themselves ('taught')")
    if model.learner == "feedback" or (rule is not None and rule.context is None):
        raise UserError(
            f"{setting}: rule '{model.rule_name}' has no context synapses to predict with (sends = 'activity')"
        )
    if model.rule is not None and not contexts.in_layer(model.rule.context):
        raise UserError(f"{setting}: no column receives another one as context (context = 'sibling')")


def _check_projection(model: Model) -> None:
    """Check that layers with a projection can have one."""
    network, setting = model.network, f"network.projection = {model.network.projection}"
    if network.sends == "projection" and not network.projection:
        raise UserError("network.sends = 'projection': there is none (network.projection = 64)")
    if not network.projection:
        return
    if network.sends == "prediction":
        raise UserError(f"{setting}, with sends = 'prediction': the context predicts the projection ('projection')")
    if model.learner not in ("local", "untrained"):
        raise UserError(
            f"{setting}: learner = '{model.learner}' has its error from the layers above (learner = 'local', or none)"
        )
    if model.in_brian:
        _check_projection_in_brian(model, setting)
    if network.units != "scalar":
        raise UserError(f"{setting}, with units = 'vector': the components of a cell stand for classes (0)")
    if model.rule is not None and not contexts.in_layer(model.rule.context):
        raise UserError(f"{setting}: no column receives another one as context (context = 'sibling')")
    model.rule_below_projection()


def _check_projection_in_brian(model: Model, setting: str) -> None:
    """Check that layers in Brian2 can have the projection."""
    spiking = set(model.network.substrate) == {"spiking"} and model.learner == "local"
    if model.network.sends == "projection" and not spiking:
        raise UserError(
            "network.sends = 'projection': in Brian2 only spiking layers with a local learner send it ('activity')"
        )
    if model.spiking.dendrite == "psp":
        raise UserError(f"{setting}: its cells have no postsynaptic potentials (spiking.dendrite = 'trace')")
    if model.spiking.weight_bits is not None:
        raise UserError(f"{setting}: its weights have any number of levels (leave spiking.weight_bits out)")
    if model.spiking.tag_stages:
        raise UserError(f"{setting}: its synapses hold no tags (leave spiking.tag_stages out)")
    if model.rule is not None and Translation(model.plasticity_rule(), context=True).waits:
        raise UserError(f"{setting}: in Brian2 it cannot wait for a later fixation, as '{model.rule.name}' does (0)")
    below = model.rule_below_projection()
    if below is not None and (lacking := below.missing_on("spiking")):
        raise UserError(
            f"rule.below_projection = '{below.name}': needs {lacking[0]}, which layers in Brian2 do not have"
            " ('kolen_pollack')"
        )


def _check_loss(model: Model) -> None:
    """Check a model against the requirements of an unsupervised loss of the whole network."""
    setting = f"training.loss = '{model.training.loss}'"
    if model.learner not in ("backprop", "feedback"):
        raise UserError(
            f"{setting}: learner = '{model.learner}' minimises no loss of the whole network (learner = 'backprop')"
        )
    if model.rule is not None and model.learner == "feedback":
        path = model.plasticity_rule().path
        if path is None or path.route != "settled":
            raise UserError(
                f"{setting}: rule '{model.rule.name}' learns from labels (learner = 'backprop' without a rule, or a"
                " predictive coding rule)"
            )
    if model.network.sends != "activity":
        raise UserError(f"{setting}: the loss contrasts the activity of columns (network.sends = 'activity')")
    if model.network.units != "scalar":
        raise UserError(f"{setting}: the components of vector cells stand for classes (network.units = 'scalar')")
    if model.training.loss == "infonce" and model.training.batch <= SACCADES:
        raise UserError(
            f"training.batch = {model.training.batch}: {setting} contrasts each sample with {SACCADES} others"
            f" ({SACCADES + 1} or more)"
        )


def _check_feedback(model: Model, rule: Rule) -> None:
    """Check a model against the requirements of its rule's feedback weights and of vector cells."""
    components = any(modulator.projection == "component" for modulator in rule.modulators)
    if components != (model.network.units == "vector"):
        right = "vector" if components else "scalar"
        raise UserError(f"network.units = '{model.network.units}': rule '{rule.name}' is for {right} cells ('{right}')")
    if rule.feedback is None and model.training.feedback_eta != 1:
        raise UserError(
            f"training.feedback_eta = {model.training.feedback_eta:g}: rule '{rule.name}' has fixed"
            " feedback weights (leave it out)"
        )


def check_brian(model: Model) -> None:
    """Check that layers in Brian2 support the settings of a model.

    Raises:
        UserError: a setting is not supported.
    """
    if not model.in_brian:
        for name, is_set in (("spiking", model.spiking != SpikingTable()), ("modulator", model.modulator)):
            if is_set:
                raise UserError(f"{name}: no layer is simulated in Brian2 (network.substrate = 'spiking')")
        return
    brian_settings(model)
    if model.spiking.afferents > model.afferents:
        raise UserError(f"spiking.afferents = {model.spiking.afferents}: the lowest layer has no spikes to receive (1)")
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
        Tags.of(model.plasticity_rule(), brian_settings(model))
        translation = Translation(model.plasticity_rule(), context=True)
        reads_mean = translation.reads("mean_post")
        if model.spiking.centred and (reads_mean or model.learner == "feedback"):
            why = "the rule reads mean_post itself" if reads_mean else "the output is computed from uncentred activity"
            raise UserError(f"spiking.centred = true: {why} (centred = false)")
    if model.rule is not None:
        _check_statistics(model, model.plasticity_rule())
    if model.spiking.dendrite == "psp":
        if "brian-rate" in model.network.substrate:
            raise UserError("spiking.dendrite = 'psp': cells without spikes have no postsynaptic potentials ('trace')")
        if model.rule is not None and model.rule.top == "label" and model.spiking.labels == "numbers":
            raise UserError(
                "spiking.dendrite = 'psp': the label population does not spike ('trace', or labels = 'spikes')"
            )
    if model.spiking.dale:
        _check_dale(model)
    if model.spiking.labels == "spikes" and model.network.substrate[-1] != "spiking":
        raise UserError("spiking.labels = 'spikes': the highest layer does not spike ('numbers')")
    if model.spiking.release_probability < 1 and "brian-rate" in model.network.substrate:
        asked = f"spiking.release_probability = {model.spiking.release_probability:g}"
        raise UserError(f"{asked}: cells without spikes release none (1.0)")
    if model.network.units != "scalar":
        raise UserError("network.units = 'vector': cells in Brian2 have one activity ('scalar')")
    if model.learner == "backprop":
        raise UserError("learner = 'backprop': spikes have no gradient (network.substrate = 'rate')")
    named = model.network.substrate
    if model.network.shared and "rate" in named[1:]:
        raise UserError(
            f"network.shared = true, with substrate = {list(named)}: columns in Brian2 share no weights, and"
            " those above them cannot either (shared = false)"
        )
    mixed = len(set(named)) > 1
    if mixed and model.learner == "feedback":
        raise UserError("network.substrate: a feedback learner cannot combine substrates (name one for all layers)")
    if mixed and model.rule is not None and model.rule.schedule == "simultaneous":
        raise UserError(
            "rule.schedule = 'simultaneous': layers of different substrates are trained one after the other ('greedy')"
        )


def _check_statistics(model: Model, rule: Rule) -> None:
    """Check a model in Brian2 against the requirements of lateral synapses and of plastic feedback."""
    if model.spiking.dendrite == "psp" and (rule.context is None or not rule.saccades):
        why = "has no context synapses" if rule.context is None else "contrasts nothing"
        raise UserError(f"spiking.dendrite = 'psp': rule '{rule.name}' {why} ('trace')")
    if model.spiking.dendrite == "psp" and rule.negatives == "around":
        waits = f"rule '{rule.name}' waits for the context of the next fixation"
        raise UserError(f"spiking.dendrite = 'psp': {waits} ('trace')")
    if "dendrites" in rule.requires and (model.rule is not None and model.rule.top == "label"):
        raise UserError(f"rule.top = 'label': rule '{rule.name}' reads the mean of its context ('readout')")
    for name, control in brian_settings(model).control.items():
        if rule.feedback is not None and control.slots > 1:
            raise UserError(
                f"modulator.{name}: feedback synapses that learn receive it at once (leave delay, shuffle out)"
            )


def _check_dale(model: Model) -> None:
    """Check a model against the requirements of Dale's law."""
    setting = "spiking.dale = true"
    if "brian-rate" in model.network.substrate:
        raise UserError(f"{setting}: inhibitory cells spike (network.substrate = 'spiking')")
    if model.spiking.inhibition == "pooled" and model.learner != "untrained" and not model.spiking.homeostasis:
        raise UserError(
            f"spiking.homeostasis = 0: {setting}, and inhibitory weights learn at this rate (above 0, such as 0.001)"
        )


def cells_of(model: Model) -> list[Cell]:
    """List the cell models of a model's layers in Brian2, one per substrate."""
    if not model.in_brian:
        return []
    configured = brian_settings(model)
    return [configured.cell_of(substrate) for substrate in sorted({*model.network.substrate} - {"rate"})]


def brian_settings(model: Model) -> Settings:
    """Return the settings of a model's layers in Brian2, in seconds and hertz."""
    training = model.training
    rates = (training.eta, training.context_eta, training.feedback_eta, training.weight_decay)
    spikes = "spiking" in model.network.substrate
    return settings(model.spiking, model.modulator, *rates, beside=model._path.parent, spikes=spikes)
