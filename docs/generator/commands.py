"""The commands, as their help describes them."""

import re

import typer

from cortexsim.cli import app
from cortexsim.examples import EXAMPLES
from generator.text import code, fence, prose, section, table


def pages() -> dict[str, str]:
    """Write the part of the reference that has every command."""
    group = typer.main.get_command(app)
    commands = getattr(group, "commands", {})
    return {"reference/_commands.md": "\n".join(_section(name, command) for name, command in commands.items())}


def _section(name: str, command: object) -> str:
    help_text = re.sub(r"\s*\x08.*", "", str(getattr(command, "help", "") or ""), flags=re.DOTALL)
    rows = [
        (_names(parameter), prose(str(getattr(parameter, "help", "") or "")), _default(parameter))
        for parameter in getattr(command, "params", [])
        if not getattr(parameter, "hidden", False)
    ]
    lines = "\n".join(line.strip() for line in EXAMPLES[name].strip().splitlines())
    options = table(["argument or option", "what it is", "default"], rows)
    return section(f"`cortexsim {name}`", f"{prose(help_text)}\n\n{fence(lines, 'sh')}\n\n{options}")


def _names(parameter: object) -> str:
    if getattr(parameter, "param_type_name", "") == "argument":
        return code(str(getattr(parameter, "name", "")).upper())
    return ", ".join(code(option) for option in getattr(parameter, "opts", []))


def _default(parameter: object) -> str:
    value = getattr(parameter, "default", None)
    if value is None or callable(value) or value is False or value == []:
        return "-"
    return code(",".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
