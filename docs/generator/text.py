"""Markdown from the texts of the package."""

import ast
import doctest
import inspect
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

LINK = re.compile(r"\]\((?P<target>(?!https?:|mailto:|#)[^)\s]+)\)")
SPECIAL = re.compile(r"([*<>\[\]|$])")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; nothing where it has no rows.

    >>> print(table(["a", "b"], [["1", "x | y"]]))
    | a | b |
    | --- | --- |
    | 1 | x \\| y |
    """
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in cells)} |" for cells in lines)


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split())) or " "


def code(text: str) -> str:
    """Set a text in code font."""
    return f"`{text}`" if text else ""


def fence(text: str, language: str = "text") -> str:
    """Set lines as a block of code."""
    return f"```{language}\n{text}\n```"


def section(title: str, body: str) -> str:
    """A section under a heading of the second level; nothing where it has no body."""
    return f"## {title}\n\n{body}\n" if body else ""


def page(title: str, *parts: str) -> str:
    """A page of parts, of which those that are empty are left out."""
    return "\n\n".join([f"# {title}", *(part.strip() for part in parts if part.strip())]) + "\n"


def listed(items: Sequence[str]) -> str:
    """A list of items."""
    return "\n".join(f"* {item}" for item in items)


def prose(docstring: str) -> str:
    """Turn a docstring without indentation into Markdown: indented blocks and examples become code, signs are escaped.

    >>> print(prose("Of <z>, as `w`::\\n\\n    dw = <z> * x"))
    Of \\<z\\>, as `w`:
    <BLANKLINE>
    ```text
    dw = <z> * x
    ```
    """
    blocks = re.split(r"\n\s*\n", docstring.strip())
    return "\n\n".join(_block(block) for block in blocks)


def about(module: ModuleType) -> str:
    """Turn the docstring of a module into Markdown; its example begins by importing what it uses of the module."""
    text = module.__doc__ or ""
    nodes = [node for each in doctest.DocTestParser().get_examples(text) for node in ast.walk(ast.parse(each.source))]
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    if names := sorted((read & vars(module).keys()) - bound):
        text = text.replace("\n>>> ", f"\n>>> from {module.__name__} import {', '.join(names)}\n>>> ", 1)
    return prose(text)


def _block(text: str) -> str:
    if text.startswith("    "):
        return fence(inspect.cleandoc(text))
    if text.startswith("==="):
        return fence(text)
    if text.startswith(">>> "):
        return fence(text, "pycon")
    parts = re.split(r"(``.+?``|`[^`]+`)", text.removesuffix("::") + (":" if text.endswith("::") else ""))
    return "".join(part if part.startswith("`") else SPECIAL.sub(r"\\\1", part) for part in parts)


def relinked(text: str, file: Path, page: Path, pages: Mapping[Path, Path]) -> str:
    """Point links of a file at pages of this documentation where there are any, and else at the files themselves.

    Args:
        text: of the file.
        file: that its links are relative to.
        page: that the text becomes.
        pages: by the file that each is made of.
    """

    def link(match: re.Match[str]) -> str:
        target, hash_sign, anchor = match["target"].partition("#")
        path = Path(os.path.normpath(file.parent / target))
        path = path / "README.md" if path.is_dir() else path
        to = os.path.relpath(pages.get(path, path), page.parent)
        return f"]({Path(to).as_posix()}{hash_sign}{anchor})"

    return LINK.sub(link, text)
