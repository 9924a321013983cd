"""Keys of a model that its learner never reads: they are refused, since one that is ignored misleads."""

from collections.abc import Iterator

from cortexsim import contexts
from cortexsim.config.schema import Model
from cortexsim.errors import UserError
from cortexsim.rules import Rule

OF_STEPS = ("epochs", "batch", "optimizer", "eta", "context_eta", "feedback_eta", "weight_decay", "warm_up")
Unused = Iterator[tuple[str, str]]
"""Dotted keys, each with why nothing reads it."""


def check_used(model: Model) -> None:
    """Hold a model to keys that are read.

    Raises:
        UserError: where a key that nothing reads has another value than its default.
    """
    rule = None if model.rule is None else model.plasticity_rule()
    learned = f"learner = '{model.learner}'" if rule is None else f"rule '{rule.name}'"
    groups = (_of_learning(model), _in_brian(model), _of_cells(model, rule, learned), _of_labels(model))
    for key, why in (found for group in groups for found in group):
        name, _, last = key.partition(".")
        table = getattr(model, name)
        value = getattr(table, last)
        if value != type(table).model_fields[last].default:
            shown = f"'{value}'" if isinstance(value, str) else value
            raise UserError(f"{key} = {shown}: {why} (leave it out)")


def _of_learning(model: Model) -> Unused:
    """Name what learners that never learn do not read."""
    if model.learner == "untrained":
        why = "learner = 'untrained' learns nothing"
        if model.network.input_scaling == "synaptic":
            yield "network.input_rms", f"{why}, and synaptic scaling is learned"
        for name in OF_STEPS:
            yield f"training.{name}", why


def _in_brian(model: Model) -> Unused:
    """Name what layers in Brian2 do not read, where there are no others."""
    if "rate" in model.network.substrate:
        return
    yield "network.transfer", "cells in Brian2 have a transfer function of their own"
    for name in ("input_rms", "input_scaling"):
        yield f"network.{name}", "layers in Brian2 do not scale their input"
    yield "training.batch", "layers in Brian2 learn fixation by fixation"
    yield "training.optimizer", "layers in Brian2 take plain steps"
    for name in ("eta", "context_eta", "weight_decay"):
        if getattr(model.spiking, name) is not None:
            yield f"training.{name}", f"spiking.{name} stands in its place"


def _of_cells(model: Model, rule: Rule | None, learned: str) -> Unused:
    """Name what the cells and synapses of a model, or what is followed of them, do not read."""
    vector = model.network.units == "vector"
    if vector:
        yield "network.transfer", "vector cells have gates"
    if model.learner == "feedback":
        yield "network.input_scaling", "an error path runs back through one gain a layer, not one a sample"
    if model.network.input_rms is None:
        yield "network.input_scaling", "without network.input_rms no input is scaled"
    if model.learner != "backprop" or vector:
        yield "network.normalisation", "scalar cells that learn by backpropagation can be normalised, and no others"
    follows = rule is not None and "rate" in model.network.substrate
    if rule is None or not follows or "mean" not in rule.requires:
        yield "network.mean_rate", f"{learned} reads no running means of rate layers"
    if rule is None or not follows or "covariance" not in rule.requires:
        yield "network.covariance_rate", f"{learned} reads no running covariances"
    if rule is None or rule.feedback is None:
        yield "training.feedback_eta", f"{learned} has no feedback weights that learn"
    predicts = model.learner == "backprop" and model.network.sends == "prediction"
    if not (predicts or model.training.loss == "clapp" or (rule is not None and rule.context is not None)):
        loss = "" if model.learner == "local" else f", with loss = '{model.training.loss}',"
        yield "training.context_eta", f"{learned}{loss} has no context synapses that learn"
    if model.learner == "feedback":
        yield "rule.schedule", "learner = 'feedback' teaches all layers at once"


def _of_labels(model: Model) -> Unused:
    """Name what is not read of a readout, where a model answers or is taught itself."""
    supervised = model.learner in ("backprop", "feedback") and model.training.loss == "labels"
    top = model.rule is not None and model.rule.top == "label"
    if supervised or top:
        yield "readout.kind", "the answer is the learner's own"
    if supervised or top or (model.rule is not None and "label" in contexts.split(model.rule.context)):
        yield "readout.labels", "the layers are taught all labels"
