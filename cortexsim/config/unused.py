"""Keys of a model that would have no effect: they are errors, since a setting that is ignored misleads."""

from collections.abc import Iterator

from cortexsim import contexts
from cortexsim.config.schema import Model
from cortexsim.errors import UserError
from cortexsim.rules import Rule

OF_SPIKES = ("cell", "encoding", "input_rate", "unit_rate", "tau_activity")
OF_STEPS = ("epochs", "batch", "optimizer", "eta", "context_eta", "feedback_eta", "weight_decay", "warm_up", "schedule")
Unused = Iterator[tuple[str, str]]
"""Dotted keys, each with the reason why it has no effect."""


def check_used(model: Model) -> None:
    """Check that every key of a model has an effect, unless it has its default value.

    >>> from cortexsim.config.registry import find_model
    >>> spiking = find_model("clapp-spiking")
    >>> linear = spiking.network.model_copy(update={"transfer": "linear"})
    >>> check_used(spiking.model_copy(update={"network": linear}))
    Traceback (most recent call last):
    cortexsim.errors.UserError: network.transfer = 'linear': cells in Brian2 have their own transfer function (leave ...

    Raises:
        UserError: a key has no effect.
    """
    rule = None if model.rule is None else model.plasticity_rule()
    subject = f"learner = '{model.learner}'" if rule is None else f"rule '{rule.name}'"
    groups = (_of_learning(model), _in_brian(model), _of_cells(model, rule, subject), _of_labels(model))
    for key, why in (unused for group in groups for unused in group):
        name, _, last = key.partition(".")
        table = getattr(model, name)
        value = getattr(table, last)
        if value != type(table).model_fields[last].default:
            shown = f"'{value}'" if isinstance(value, str) else value
            raise UserError(f"{key} = {shown}: {why} (leave it out)")


def _of_learning(model: Model) -> Unused:
    """List keys without effect in untrained models."""
    if model.learner == "untrained":
        why = "learner = 'untrained' learns nothing"
        if model.network.input_scaling == "synaptic":
            yield "network.input_rms", f"{why}, and synaptic scaling is learned"
        for name in OF_STEPS:
            yield f"training.{name}", why


def _in_brian(model: Model) -> Unused:
    """List keys without effect in models whose layers are all in Brian2."""
    if "rate" in model.network.substrate:
        return
    yield "network.transfer", "cells in Brian2 have their own transfer function"
    for name in ("input_rms", "input_scaling"):
        yield f"network.{name}", "layers in Brian2 do not scale their input"
    yield "training.batch", "layers in Brian2 learn fixation by fixation"
    yield "training.optimizer", "layers in Brian2 take plain steps"
    for name in ("eta", "context_eta", "weight_decay"):
        if getattr(model.spiking, name) is not None:
            yield f"training.{name}", f"spiking.{name} is used instead"
    if not model.spiking.w_max:
        yield "spiking.bound_exponent", "weights have no bound (w_max)"
    if model.rule is None or model.rule.top != "label":
        yield "spiking.labels", "no layer in Brian2 has labels as its context (rule.top)"
    if not model.spiking.dale:
        yield "spiking.inhibition", "cells excite and inhibit (dale)"
    if model.spiking.release_probability == 1:
        for name in ("release_sites", "release_gain"):
            yield f"spiking.{name}", "synapses are reliable (release_probability)"
    if model.network.sends != "prediction":
        for name in ("prediction_rest", "prediction_synapses"):
            yield f"spiking.{name}", "no layer sends a prediction (network.sends)"
    if "spiking" not in model.network.substrate:
        for name in OF_SPIKES:
            yield f"spiking.{name}", "no layer spikes (network.substrate)"
    if model.spiking.dendrite == "trace":
        yield "spiking.tau_dendrite", "dendrites read activity (dendrite = 'psp')"
    rule = None if model.rule is None else model.plasticity_rule()
    if not model.modulator:
        yield "spiking.tag_stages", "no modulator is late (modulator.NAME.delay)"
    if rule is None or "covariance" not in rule.requires:
        yield "spiking.covariance_rate", "no rule reads running variances or covariances"


def _of_cells(model: Model, rule: Rule | None, subject: str) -> Unused:
    """List keys of cells, synapses and running statistics without effect."""
    vector = model.network.units == "vector"
    if vector:
        yield "network.transfer", "vector cells have gates"
    if model.learner == "feedback":
        yield "network.input_scaling", "errors are propagated through one gain per layer, not per sample"
    if model.network.input_rms is None:
        yield "network.input_scaling", "without network.input_rms no input is scaled"
    if model.learner != "backprop" or vector:
        yield "network.normalisation", "only scalar cells trained by backpropagation can be normalised"
    follows = rule is not None and "rate" in model.network.substrate
    if rule is None or not follows or "mean" not in rule.requires:
        yield "network.mean_rate", f"{subject} uses no running means of rate layers"
    if rule is None or not follows or "covariance" not in rule.requires:
        yield "network.covariance_rate", f"{subject} uses no running covariances"
    below = model.rule_below_projection()
    if below is None and rule is not None:
        yield "rule.below_projection", "layers have no projection"
    if (rule is None or rule.feedback is None) and (below is None or below.feedback is None):
        yield "training.feedback_eta", f"{subject} has no feedback weights that learn"
    if model.network.sends != "prediction":
        yield "network.on_off", "no layer sends a prediction (network.sends)"
    if model.network.projection and rule is None and model.network.sends != "projection":
        yield "network.projection", f"{subject} does not use it, and no layer sends it"
    predicts = model.learner == "backprop" and model.network.sends == "prediction"
    if not (predicts or model.training.loss == "clapp" or (rule is not None and rule.context is not None)):
        loss = "" if model.learner == "local" else f", with loss = '{model.training.loss}',"
        yield "training.context_eta", f"{subject}{loss} has no context synapses that learn"
    if model.training.loss == "labels":
        yield "training.context", "loss = 'labels' has none"
    if model.learner == "feedback":
        yield "rule.schedule", "learner = 'feedback' trains all layers simultaneously"


def _of_labels(model: Model) -> Unused:
    """List keys of the readout without effect in models that learn from labels themselves."""
    supervised = model.learner in ("backprop", "feedback") and model.training.loss == "labels"
    top = model.rule is not None and model.rule.top == "label"
    if supervised or top:
        for name in ("kind", "layers", "places"):
            yield f"readout.{name}", "the learner has its own output"
    if supervised or top or (model.rule is not None and "label" in contexts.split(model.rule.context)):
        yield "readout.labels", "the layers learn from all labels"
