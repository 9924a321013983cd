"""Validation of what pairs of random views need, and dendrites that several columns share."""

from cortexsim import contexts
from cortexsim.config.schema import Model
from cortexsim.errors import UserError
from cortexsim.rules import Rule, ThreeFactor


def check_views(model: Model) -> None:
    """Check contexts of random views, several dendrites, and places.

    It checks every model that is read or changed:

    >>> from cortexsim.config.overrides import changed
    >>> from cortexsim.config.registry import find_model
    >>> changed(find_model("clapp-spiking"), {"network.initial": "uniform"})
    Traceback (most recent call last):
    cortexsim.errors.UserError: network.initial = 'uniform': only for rate layers of scalar cells (leave it out)

    Raises:
        UserError: a setting is not supported together with another.
    """
    if model.training.context == "view" and model.learner != "backprop":
        raise UserError("training.context = 'view': only backpropagation has a loss of views (learner = 'backprop')")
    if model.in_brian or model.network.units == "vector":
        for key, is_set in (
            ("network.initial = 'uniform'", model.network.initial != "normal"),
            ("training.schedule = 'constant'", model.training.schedule != "linear"),
        ):
            if is_set:
                raise UserError(f"{key}: only for rate layers of scalar cells (leave it out)")
    if model.rule is not None and model.learner == "local":
        rule = model.plasticity_rule()
        _check_dendrites(model, rule)
        if model.sees_pairs and contexts.second_views(model.rule.context):
            raise UserError(
                f"rule.context = '{model.rule.context}': other second views are not drawn in pairs (name 'view' alone)"
            )
        if model.sees_pairs and {"label", "top"} & set(contexts.split(model.rule.context)):
            raise UserError(
                f"rule.context = '{model.rule.context}': 'label' and 'top' are of one view ('view', 'view-top')"
            )
        if model.sees_pairs and rule.negative_inputs:
            raise UserError(f"rule.context = '{model.rule.context}': rule '{rule.name}' mixes inputs ('sibling')")
    _check_places(model)


def _check_dendrites(model: Model, rule: Rule) -> None:
    """Check that rule and network support several dendrites, where cells have them."""
    assert model.rule is not None
    if len(contexts.dendrites(model.rule.context)) == 1:
        return
    setting = f"rule.context = '{model.rule.context}'"
    if rule.context is None:
        raise UserError(f"{setting}: rule '{rule.name}' has no context synapses, and so no dendrites ('sibling')")
    decays = not isinstance(rule.feedforward, ThreeFactor) or rule.feedforward.decay != "0"
    if "mean" in rule.requires or decays or rule.negative_inputs:
        raise UserError(f"{setting}: rule '{rule.name}' is for cells with one dendrite (join contexts by +)")
    if model.in_brian or model.network.sends != "activity" or model.network.projection:
        raise UserError(
            f"{setting}: several dendrites are for rate layers that send their activity (network.sends = 'activity')"
        )


def _check_places(model: Model) -> None:
    """Check that layers with places have a score of the whole layer to divide among them."""
    numbers = [number for number, layer in enumerate(model.layer, 1) if layer.places is not None]
    if not numbers:
        return
    setting = f"layer {numbers[0]}: places = {model.layer[numbers[0] - 1].places}"
    if model.training.loss == "clapp" and model.training.context == "view":
        if numbers != [len(model.layer)]:
            raise UserError(f"{setting}: the loss is that of the highest layer (leave it out)")
        return
    if model.rule is None or model.learner != "local" or (rule := model.plasticity_rule()).context is None:
        raise UserError(f"{setting}: the model has no dendrites (leave it out)")
    if len(numbers) < len(model.layer):
        raise UserError(f"{setting}: and other layers have none (places in all layers, or in none)")
    if model.rule.scope != "layer":
        raise UserError(f"{setting}: the layer has one score (rule.scope = 'layer')")
    known = [contexts.find(name) for name in contexts.split(model.rule.context)]
    if not all(source is not None and source.paired for source in known):
        raise UserError(f"{setting}: only 'view' and 'view-top' bring averages of places (rule.context = 'view')")
    if "mean" in rule.requires or "returned_post" in rule.reads or model.network.sends != "activity":
        raise UserError(f"{setting}: rule '{rule.name}' needs more than shared dendrites bring (leave it out)")
    if model.rule.top == "label":
        raise UserError(f"{setting}: the label is no other view (rule.top = 'readout')")
