"""Neuromodulators as small populations: one cell for each column, or one for all cells that share its value."""

from cortexsim.expression import parsed
from cortexsim.modulators import Modulator
from cortexsim.spiking.assembly import LayerSpec, Parts, shared_constants
from cortexsim.spiking.delayed_broadcast import Sender, add_delay_line
from cortexsim.spiking.network_spec import Connection, Group, Operation, Phase, in_round
from cortexsim.spiking.rule_translation import ContrastSample, Translation
from cortexsim.spiking.settings import Control, Settings


def modulator_group(modulator: Modulator, spec: LayerSpec) -> str:
    """Name the group of a modulator of one layer."""
    return f"modulator_{modulator.name}{spec.number}"


def add_layer_modulator(
    spec: LayerSpec, settings: Settings, modulator: Modulator, translation: Translation, parts: Parts
) -> None:
    """Add the modulator of one layer, and its broadcast.

    Args:
        spec: of the layer.
        settings: everything else.
        modulator: what it broadcasts.
        translation: of the layer's rule.
        parts: to add to.
    """
    name, units, number = modulator_group(modulator, spec), _units(modulator, spec), translation.round(modulator)
    samples, others = translation.samples, translation.sources(modulator)
    suffixes = [sample.suffix for sample in samples]
    model = [f"score{suffix} : 1\nvalue{suffix} : 1" for suffix in suffixes]
    model += [f"read_{other.name}{suffix} : 1" for other in others for suffix in suffixes]
    model += modulator_constants(name, modulator, settings, translation, parts)
    parts.groups.append(Group(name, units, "\n".join(model)))
    if parsed(modulator.score).names:
        scores = [
            f"score{sample.suffix}_post = {translation.score(modulator, sample)} : 1 (summed)" for sample in samples
        ]
        wiring = ("gather", {"positions": units, "cells": spec.size // units})
        sums = {f"score{suffix}": in_round(Phase.SCORE, number) for suffix in suffixes}
        parts.connections.append(Connection(f"score_{name}", spec.name, name, "\n".join(scores), wiring, sums=sums))
    for other in others:
        source = Sender.of(modulator_group(other, spec), _units(other, spec), other, settings, parts)
        read = {f"read_{other.name}{suffix}": f"value{suffix}" for suffix in suffixes}
        first = in_round(Phase.SCORE, number)
        parts.connections.append(source.to_columns(f"{other.name}_to_{name}", name, units, read, first))
    values = [
        f"value{sample.suffix} = {modulator_value(modulator, settings, translation, sample)}" for sample in samples
    ]
    parts.operations.append(Operation(name, in_round(Phase.MODULATOR, number), "\n".join(values)))
    sender = add_delay_line(name, units, modulator, settings, suffixes, parts, number)
    arriving = {f"modulator_{modulator.name}{suffix}": f"value{suffix}" for suffix in suffixes}
    last = in_round(Phase.BROADCAST, number)
    parts.connections.append(sender.to_columns(f"broadcast_{name}", spec.name, spec.size, arriving, last))


def _units(modulator: Modulator, spec: LayerSpec) -> int:
    return spec.positions if modulator.scope == "column" else 1


def modulator_constants(
    owner: str, modulator: Modulator, settings: Settings, translation: Translation, parts: Parts
) -> list[str]:
    """Declare the gain of a modulator, which is 0 if it is lesioned, and the constants of its rule.

    Args:
        owner: name of its group.
        modulator: whose gain.
        settings: everything else.
        translation: of the rule.
        parts: which receive the values.
    """
    lesioned = settings.control.get(modulator.name, Control()).lesion
    values = {f"gain_{modulator.name}": 0.0 if lesioned else modulator.gain, **translation.constants}
    parts.set(owner, values)
    return shared_constants(values)


def modulator_value(modulator: Modulator, settings: Settings, translation: Translation, sample: ContrastSample) -> str:
    """Write the value that is sent: the modulator's own, or that to which it is clamped."""
    clamp = settings.control.get(modulator.name, Control()).clamp
    return translation.value(modulator, sample) if clamp is None else f"gain_{modulator.name} * {clamp!r}"
