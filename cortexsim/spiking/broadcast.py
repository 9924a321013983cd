"""Modulators as small populations, and what may happen to a broadcast on its way to the synapses."""

from cortexsim.expression import Expression
from cortexsim.modulators import Modulator
from cortexsim.spiking.assembly import ANSWER, ARRIVE, ENTER, HEAR, LEARN, LINE, LOGIT, SCORE, TOTAL, VALUE, Parts, Plan
from cortexsim.spiking.network_spec import Connection, Group, Operation
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Control, Settings

COIN, SLOT = 1, 2  # Which random numbers of a fixation decide on a shuffled broadcast.


def add_column_modulator(plan: Plan, settings: Settings, modulator: Modulator, says: Translation, parts: Parts) -> None:
    """Add the modulator of one layer: one cell for all who share its value."""
    name, units = f"modulator_{modulator.name}{plan.number}", plan.positions if modulator.scope == "column" else 1
    endings = [ending for _, ending, _ in says.moments]
    model = [f"score{ending} : 1\nvalue{ending} : 1" for ending in endings]
    parts.groups.append(Group(name, units, "\n".join([*model, *_parameters(name, modulator, settings, says, parts)])))
    if Expression(modulator.score).names:
        sums = [
            f"score{ending}_post = {says.score(modulator, names)} : 1 (summed)" for names, ending, _ in says.moments
        ]
        wiring = ("gather", {"positions": units, "cells": plan.size // units})
        turns = {f"score{ending}": SCORE for ending in endings}
        parts.connections.append(Connection(f"score_{name}", plan.name, name, "\n".join(sums), wiring, sums=turns))
    values = [f"value{ending} = {_value(modulator, settings, says, ending, sign)}" for _, ending, sign in says.moments]
    parts.operations.append(Operation(name, VALUE, "\n".join(values)))
    sender, slots, chosen = _add_line(name, units, modulator, settings, endings, parts)
    heard = [f"said_{modulator.name}{ending}_post = value{ending}_pre{chosen} : 1 (summed)" for ending in endings]
    sizes = {"positions": units, "cells": plan.size // units, "slots": slots}
    parts.connections.append(
        Connection(
            f"broadcast_{name}", sender, plan.name, "\n".join(heard), ("scatter", sizes), row=plan.size // units,
            sums={f"said_{modulator.name}{ending}": ARRIVE for ending in endings},
        )
    )  # fmt: skip


def add_output(
    plans: list[Plan], classes: int, settings: Settings, modulator: Modulator, says: Translation, parts: Parts
) -> None:
    """Add an output of one cell a class, taught by the delta rule, and bring its error to all layers."""
    top = plans[-1]
    model = [
        "logit : 1",
        "expo : 1",
        "total : 1",
        "answer : 1",
        "target : 1",
        "bias : 1",
        "value : 1",
        "readout_eta : 1 (shared, constant)",
    ]
    parts.groups.append(
        Group("classes", classes, "\n".join([*model, *_parameters("classes", modulator, settings, says, parts)]))
    )
    parts.set("classes", {"readout_eta": settings.readout_eta})
    parts.connections += [
        Connection(
            "readout", top.name, "classes",
            "w : 1\neta : 1 (shared, constant)\n" "logit_post = w * signal_pre : 1 (summed)",
            ("broadcast", {"sources": top.size, "targets": classes}), row=classes, sums={"logit": HEAR},
        ),
        Connection(
            "normalise", "classes", "classes", "total_post = expo_pre : 1 (summed)",
            ("broadcast", {"sources": classes, "targets": classes}), row=classes, sums={"total": TOTAL},
        ),
    ]  # fmt: skip
    parts.set("readout", {"eta": settings.readout_eta})
    parts.operations += [
        Operation("classes", LOGIT, "expo = exp(clip(logit + bias, -50, 50))"),
        Operation("classes", ANSWER, "answer = expo / total\ntarget = labels_of(t, i)"),
        Operation("classes", VALUE, f"value = {_value(modulator, settings, says, '', '1')}"),
        Operation("classes", LEARN, "bias -= schedule(t, 0) * readout_eta * (answer - target)"),
        Operation("readout", LEARN, "w -= schedule(t, 0) * eta * (answer_post - target_post) * signal_pre"),
    ]
    parts.state += [("classes", "bias"), ("readout", "w")]
    sender, slots, chosen = _add_line("classes", classes, modulator, settings, [""], parts)
    for plan in plans:
        sizes = {"sources": classes, "targets": plan.size, "slots": slots}
        parts.connections.append(
            Connection(
                f"feedback{plan.number}", sender, plan.name,
                f"f : 1\nfeedback_post = f * value_pre{chosen} : 1 (summed)",
                ("broadcast", sizes), row=plan.size, sums={"feedback": ARRIVE},
            )
        )  # fmt: skip
        parts.state.append((f"feedback{plan.number}", "f"))


def _parameters(owner: str, modulator: Modulator, settings: Settings, says: Translation, parts: Parts) -> list[str]:
    lesioned = settings.control.get(modulator.name, Control()).lesion
    values = {f"gain_{modulator.name}": 0.0 if lesioned else modulator.gain, **says.constants}
    parts.set(owner, values)
    return [f"{name} : 1 (shared, constant)" for name in values]


def _value(modulator: Modulator, settings: Settings, says: Translation, ending: str, contrast: str) -> str:
    """What is sent: what the modulator says, or what it is clamped to."""
    clamp = settings.control.get(modulator.name, Control()).clamp
    return says.value(modulator, ending, contrast) if clamp is None else f"gain_{modulator.name} * {clamp!r}"


def _add_line(
    name: str, units: int, modulator: Modulator, settings: Settings, endings: list[str], parts: Parts
) -> tuple[str, int, str]:
    """Add the way from a modulator to the synapses: one slot for each fixation that it takes.

    Returns:
        The group that synapses hear, its slots, and what singles out the slot that arrives.
    """
    control = settings.control.get(modulator.name, Control())
    delay, slots = control.delay * parts.ticks, control.slots * parts.ticks if control.slots > 1 else 1
    if slots == 1 and not control.tau_filter:
        return name, 1, ""
    line = f"{name}_line"
    model = [f"value{e} : 1\nfed{e} : 1\nmoved{e} : 1" for e in endings]
    model += ["first : 1 (shared)", "follow : 1 (shared, constant)"]
    parts.groups.append(Group(line, units * slots, "\n".join(model)))
    dt, tau = settings.timing.period / parts.ticks, control.tau_filter
    parts.set(line, {"follow": dt / (dt + tau)})
    fed = "\n".join(f"fed{e}_post = value{e}_pre : 1 (summed)" for e in endings)
    parts.connections.append(
        Connection(
            f"enter_{line}", name, line, fed, ("aligned", {"units": units}), sums={f"fed{e}": ENTER for e in endings}
        )
    )
    if slots > 1:
        moved = "\n".join(f"moved{e}_post = value{e}_pre : 1 (summed)" for e in endings)
        sizes = {"units": units, "slots": slots}
        sums = {f"moved{e}": ENTER for e in endings}
        parts.connections.append(Connection(f"move_{line}", line, line, moved, ("shift", sizes), sums=sums))
    enter = {e: f"fed{e}" for e in endings}
    if control.shuffle and len(endings) == 2:
        coin = f"int(uniform(0, int(schedule(t, 2)), {COIN}, i) < 0.5)"
        enter = {a: f"({coin} * fed{a} + (1 - {coin}) * fed{b})" for a, b in (endings, endings[::-1])}
    first = str(delay)
    if control.shuffle:
        first = f"floor({delay} + uniform(0, int(schedule(t, 2)), {SLOT}, 0) * {slots - delay})"
    lines = [f"first = {units} * {first}"]
    for e in endings:
        entered = f"int(i < {units}) * (value{e} + follow * ({enter[e]} - value{e}))"
        lines.append(f"value{e} += schedule(t, 1) * ({entered} + int(i >= {units}) * moved{e} - value{e})")
    parts.operations.append(Operation(line, LINE, "\n".join(lines)))
    parts.state += [(line, f"value{e}") for e in endings]
    return line, slots, f" * int(i >= first_pre) * int(i < first_pre + {units})"
