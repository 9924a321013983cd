"""Invalid configurations and command lines: small random changes of valid ones."""

import random
import re
import string
from dataclasses import dataclass

VALUES = [
    "0", "-1", "1", "3", "2.5", "-0.5", "1e308", "-1e308", "nan", "inf", "-inf", "1000000000", "99999999999999999999",
    "true", "false", '""', '"x"', '"1"', '"10 ms"', '"-5 ms"', '"0 Hz"', '"10 volt"', '"1e400 s"', '"nan ms"',
    '"💥"', '"../../etc"', "[]", "[1, 2]", '["rate"]', '["spiking", "rate"]', "[[]]", "{}", "{ a = 1 }",
    '{ name = "rhm" }', "{ name = 3 }", '{ name = "rmh" }', '{ name = "none.py" }', '{ name = "digits", depth = 3 }',
    '{ depth = "3" }', "{ depth = 2.5 }", '{ path = "none.csv", name = "arrays" }',
    "1979-05-27", "07:32:00", '"""two\nlines"""', '"rate"', '"spiking"', '"local"', '"clapp"', '"bp"', '"none.py"',
]  # fmt: skip
"""Replacements of values."""

WORDS = ["", "0", "-1", "1", "2", "3", "1.5", "1e9", "99999999999999999999", "x", "💥", "nan", "true", "--", "-", "a,b",
         "1,2", ",", "4,", "8,8", "cpu", "cuda", "numpy", "../x",
         "rhm", "rhm,depth=2", "rhm,depth", "rhm,depth=x", ",depth=2", "digits", "none.csv", "none.py",
         "none.npz,label=y", "/dev/null", "/dev/null/x", ".", "\t"]  # fmt: skip
"""Replacements of the words of a command line."""


@dataclass(frozen=True)
class Broken:
    """A changed configuration.

    Attributes:
        text: the contents of the file.
        change: description of the change.
        named: text that the error message must contain; None if the contents may not be TOML.
    """

    text: bytes
    change: str
    named: str | None


def broken_toml(text: str, draw: random.Random) -> Broken:
    """Make one random change in a TOML text."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    keyed = [k for k, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    tables = [k for k, line in enumerate(lines) if line.startswith("[")]
    kinds = ["value", "value", "value", "value", "misspelt", "lost", "twice", "cut", "noise", "bytes"]
    kind = draw.choice([*kinds, *(["table"] if tables else [])])
    place = draw.choice(keyed)
    name = lines[place].split(" = ")[0]
    if kind == "value":
        several = lines[place].count("[") != lines[place].count("]")  # A list of several lines is cut.
        lines[place] = f"{name} = {(value := draw.choice(VALUES))}"
        return _broken(lines, f"{name} = {value}", None if several else name)
    if kind == "misspelt":
        other = _misspelt(name, draw)
        lines[place] = lines[place].replace(name, other, 1)
        return _broken(lines, f"{name} misspelt {other}", other)
    if kind == "table":
        place = draw.choice(tables)
        name = re.sub(r"[\[\]\s#].*", "", lines[place].lstrip("[").rstrip("]")).split(".")[0]
        other = _misspelt(name, draw)
        lines[place] = lines[place].replace(name, other, 1)
        return _broken(lines, f"[{name}] misspelt {other}", other)
    if kind == "lost":
        del lines[place]
        return _broken(lines, f"{name} lost", "")
    if kind == "twice":
        return _broken([*lines[: place + 1], *lines[place:]], f"{name} twice", None)
    whole = "\n".join(lines) + "\n"
    at = draw.randrange(len(whole))
    if kind == "cut":
        return Broken(whole[:at].encode(), f"cut at {at}", None)
    if kind == "noise":
        noise = "".join(draw.choice(string.printable) for _ in range(draw.randrange(1, 9)))
        return Broken((whole[:at] + noise + whole[at:]).encode(), f"{noise!r} at {at}", None)
    return Broken(whole[:at].encode() + draw.randbytes(3) + whole[at:].encode(), f"bytes at {at}", None)


def broken_words(words: list[str], draw: random.Random) -> list[str]:
    """Make one or two random changes in the words of a command line."""
    words = list(words)
    for _ in range(draw.randrange(1, 3)):
        place = draw.randrange(len(words))
        kind = draw.choice(["replace", "replace", "replace", "misspell", "drop", "twice"])
        if kind == "replace":
            words[place] = draw.choice(WORDS)
        elif kind == "misspell" and len(words[place]) > 2:
            words[place] = _misspelt(words[place], draw)
        elif kind == "twice":
            words.insert(place, words[place])
        elif len(words) > 1:
            del words[place]
    return words


def _broken(lines: list[str], change: str, named: str | None) -> Broken:
    return Broken(("\n".join(lines) + "\n").encode(), change, named)


def _misspelt(word: str, draw: random.Random) -> str:
    place = draw.randrange(len(word))
    return word[:place] + draw.choice(["", word[place] * 2, draw.choice(string.ascii_lowercase)]) + word[place + 1 :]
