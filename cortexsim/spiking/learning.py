"""What the cells of a layer work out at a saccade, and the dendrites that hear the context."""

from cortexsim.spiking.description import Connection, Operation
from cortexsim.spiking.parts import FOLLOW, HEAR, LEARN, SIGNAL, THIRD, Parts, Plan, dedent
from cortexsim.spiking.plasticity import Translation
from cortexsim.spiking.settings import Settings


def add_plasticity(plan: Plan, settings: Settings, translation: Translation, parts: Parts) -> None:
    """Let the cells of a layer work out their third factors, and their means and biases follow."""
    at = plan.name
    parts.operations.append(Operation(at, SIGNAL, "signal = activity"))
    third = [f"change = {translation.modulation}", f"forget = {translation.forgetting}"]
    follow = [
        "mean += schedule(t, 1) * mean_rate * (output - mean)",
        "bias += schedule(t, 1) * homeostasis * (target_activity - output)",
    ]
    if translation.context:
        third += [f"change_context{ending} = {text}" for ending, text in translation.context_modulation().items()]
        third.append(f"forget_context = {translation.context_forgetting()}")
        follow.append("before += schedule(t, 1) * (signal - before)")
        parts.state.append((at, "before"))
    parts.operations.append(Operation(at, THIRD, "\n".join(third)))
    parts.operations.append(Operation(at, FOLLOW, "\n".join(follow)))


def add_context(plan: Plan, settings: Settings, tuple_size: int, classes: int, parts: Parts) -> None:
    """Connect the dendrites of a layer with what they hear."""
    name = f"context{plan.number}"
    shared = {
        "eta": settings.eta * settings.context_eta,
        "weight_decay": settings.weight_decay,
        "bound": settings.bound,
    }
    model = """
        b : 1
        dendrite_post = b * signal_pre : 1 (summed)
        lagged_post = b * before_pre : 1 (summed)
    """
    bounded = " * (1 - sign(step) * b / bound)" if settings.bound else ""
    learn = f"""
        given = change_context_post * signal_pre + change_context_after_post * before_pre
        step = eta * schedule(t, 0) * (given - (forget_context_post + weight_decay) * b)
        b += step{bounded}
    """
    if plan.context == "label":
        source, wiring = "labels", ("broadcast", {"sources": classes, "targets": plan.size})
    else:
        source, wiring = (
            plan.name,
            ("siblings", {"positions": plan.positions, "cells": plan.cells, "tuple_size": tuple_size}),
        )
    parts.connections.append(
        Connection(
            name, source, plan.name,
            "\n".join([dedent(model), *(f"{key} : 1 (shared, constant)" for key in shared)]),
            wiring, row=plan.cells if plan.context == "sibling" else plan.size, sums={"dendrite": HEAR, "lagged": HEAR},
        )
    )  # fmt: skip
    parts.set(name, shared)
    parts.operations.append(Operation(name, LEARN, dedent(learn)))
    parts.state.append((name, "b"))
