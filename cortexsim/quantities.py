"""Quantities as a model writes them: a number and a unit, such as "10 ms" or "200 Hz"."""

import math
import re

from cortexsim.errors import UserError

UNITS = {
    "time": {"s": 1.0, "ms": 1e-3, "us": 1e-6},
    "frequency": {"Hz": 1.0, "kHz": 1e3},
    "voltage": {"V": 1.0, "mV": 1e-3},
    "current": {"A": 1.0, "nA": 1e-9, "pA": 1e-12},
    "conductance": {"S": 1.0, "uS": 1e-6, "nS": 1e-9},
    "capacitance": {"F": 1.0, "nF": 1e-9, "pF": 1e-12},
    "conductance per voltage": {"S/V": 1.0, "nS/mV": 1e-6},
    "number": {"": 1.0},
}
"""In SI, by kind; the first of a kind is its own."""

BOUNDS = {
    "time": (1e-7, 1e4),
    "frequency": (1e-6, 1e7),
    "voltage": (1e-9, 1e3),
    "current": (1e-18, 1.0),
    "conductance": (1e-18, 1.0),
    "capacitance": (1e-18, 1.0),
    "conductance per voltage": (1e-15, 1e3),
}
"""Least and most of what is not 0: far beyond any cell, and far from where floats end."""


def kind_of(text: str | float) -> str:
    """Name the kind of a quantity by its unit, such as ``time``, ``voltage`` or, where it has none, ``number``.

    >>> kind_of("10 ms"), kind_of("-70 mV"), kind_of(0.1)
    ('time', 'voltage', 'number')

    Raises:
        UserError: where it has a unit that is not known.
    """
    unit = re.sub(r"[^A-Za-z/]|(?<=\d)[eE](?=[-+\d])", "", str(text))
    known = [kind for kind, units in UNITS.items() if unit in units]
    if not known:
        names = ", ".join(name for units in UNITS.values() for name in units if name)
        raise UserError(f"{text!r} has no unit that is known ({names})")
    return known[0]


def quantity(text: str | float, kind: str) -> float:
    """Turn a text into a number in units of SI.

    >>> quantity("10 ms", "time"), quantity("281 pF", "capacitance")
    (0.01, 2.81e-10)

    Args:
        text: a number, and its unit after it.
        kind: of `UNITS`.

    Raises:
        UserError: where it is not a number with a unit of this kind, or beyond all bounds.
    """
    match = re.fullmatch(r"\s*([-+0-9.eE]+)\s*([A-Za-z/]*)\s*", str(text))
    known = UNITS[kind]
    if match is None or match[2] not in known:
        units = f"a {kind} in {' or '.join(known)}" if kind != "number" else "a plain number"
        raise UserError(f"{text!r} is not {units}")
    try:
        found = float(match[1]) * known[match[2]]
    except ValueError:
        raise UserError(f"{text!r} does not begin with a number") from None
    if not math.isfinite(found):
        raise UserError(f"{text!r} is beyond all bounds (a finite number)")
    least, most = BOUNDS.get(kind, (0.0, math.inf))
    if found and not least <= abs(found) <= most:
        unit = next(iter(known))
        raise UserError(f"{text!r} is beyond all bounds (0, or {least:g} to {most:g} {unit})")
    return found
