"""What the cells of a layer work out at a saccade, and the dendrites that hear the context."""

import math

from cortexsim.spiking.assembly import FOLLOW, HEAR, LEARN, SIGNAL, THIRD, Parts, Plan, dedent
from cortexsim.spiking.constraints import stepped, weight_parameters
from cortexsim.spiking.network_spec import Connection, Operation
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Settings


def plastic_variables(plan: Plan, translation: Translation) -> list[str]:
    """Name what a cell has because it learns."""
    found = ["change", "forget"]
    for modulator in translation.rule.modulators:
        if modulator.projection == "scalar":
            found += [f"said_{modulator.name}{ending}" for _, ending, _ in translation.moments]
    if plan.feedback:
        found.append("feedback")
    if translation.context:
        found += ["dendrite", "change_context", "forget_context"]
        if translation.halves:
            return [*found, "spiked", "history", "heard", "told"]
        found += ["lagged", "before", "change_context_after"]
    return found


def add_plasticity(plan: Plan, settings: Settings, translation: Translation, parts: Parts) -> None:
    """Let the cells of a layer work out their third factors, and their means and biases follow."""
    at = plan.name
    whole = "schedule(t, 1)" if parts.ticks == 1 else "schedule(t, 1) * identity(t, 1)"
    parts.operations.append(Operation(at, SIGNAL, "signal = activity"))
    third = [f"change = {translation.modulation}", f"forget = {translation.forgetting}"]
    follow = [
        f"mean += {whole} * mean_rate * (output - mean)",
        *([] if settings.dale else [f"bias += {whole} * homeostasis * (target_activity - output)"]),
    ]
    if translation.context:
        third += [f"change_context{ending} = {text}" for ending, text in translation.context_modulation().items()]
        third.append(f"forget_context = {translation.context_forgetting()}")
        if translation.halves:
            _add_relay(plan, settings, parts)
        else:
            follow.append("before += schedule(t, 1) * (signal - before)")
            parts.state.append((at, "before"))
    parts.operations.append(Operation(at, THIRD, "\n".join(third)))
    parts.operations.append(Operation(at, FOLLOW, "\n".join(follow)))


def _add_relay(plan: Plan, settings: Settings, parts: Parts) -> None:
    """Let cells tell of their spikes half a fixation later: they remember them as the digits of a binary number."""
    steps, dt, tau = settings.timing.steps // 2, settings.timing.dt, settings.tau_dendrite
    oldest = repr(2.0 ** (steps - 1))
    relay = f"""
        echo = 1.0 * int(history >= {oldest})
        history = 2 * (history - {oldest} * echo) + spiked
        spiked = 0
        heard = heard * exp(-dt / tau_dendrite) + echo
    """
    window = dt * (1 - math.exp(-steps * dt / tau)) / (1 - math.exp(-dt / tau))
    parts.set(plan.name, {"told_unit": 1 / (settings.unit_rate * window)})
    parts.operations.append(Operation(plan.name, SIGNAL, dedent(relay), every_step=True))
    parts.operations.append(Operation(plan.name, SIGNAL, "told = told_unit * heard - centred * mean"))
    parts.state += [(plan.name, "history"), (plan.name, "heard")]


def add_context(plan: Plan, settings: Settings, translation: Translation, classes: int, parts: Parts) -> None:
    """Connect the dendrites of a layer with what they hear."""
    name = f"context{plan.number}"
    shared = {
        "eta": settings.eta * settings.context_eta,
        "weight_decay": settings.weight_decay,
        **weight_parameters(settings),
    }
    heard = {"dendrite": "signal_pre", "lagged": "before_pre"}
    given = "change_context_post * signal_pre + change_context_after_post * before_pre"
    if translation.halves:
        heard, given = {"dendrite": "told_pre"}, "change_context_post * told_pre"
    model = ["b : 1", *(f"{key} : 1 (shared, constant)" for key in shared)]
    model += [f"{variable}_post = b * {signal} : 1 (summed)" for variable, signal in heard.items()]
    learn = f"""
        given = {given}
        step = eta * schedule(t, 0) * (given - (forget_context_post + weight_decay) * b)
        {stepped("b", "context", plan, settings)}
    """
    own = {"sources": plan.heard, "below": plan.positions, "width": plan.cells, "cells": plan.cells}
    source, row, wiring = plan.name, plan.cells, ("table", own)
    if plan.context == "label":
        source, row, wiring = "labels", plan.size, ("broadcast", {"sources": classes, "targets": plan.size})
    sums = dict.fromkeys(heard, HEAR)
    parts.connections.append(Connection(name, source, plan.name, "\n".join(model), wiring, row=row, sums=sums))
    parts.set(name, shared)
    parts.operations.append(Operation(name, LEARN, dedent(learn)))
    parts.state.append((name, "b"))
