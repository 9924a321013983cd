"""The examples in docstrings, in the README and on the page on Python are run; modules of the reference have some."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

import cortexsim
from tests.pages import cells

PACKAGE = Path(cortexsim.__file__).parent
PARTS = ("analysis", "learners", "modulators", "protocols", "rate", "rules", "tasks", "topology")
WITHOUT = {
    "analysis": "names its modules, which have examples",
    "learners": "names its modules, which have examples",
    "rate": "names its modules, which have examples",
    "protocols.brian_cells": "runs Brian2, as `cortexsim.protocols.respond` with engine='brian2' does",
    "protocols.brian_engine": "runs Brian2, as `cortexsim.protocols.run` with engine='brian2' does",
    "tasks.images": "names the task, whose module has an example",
    "tasks.images.library": "imports torchvision, which not every installation has",
}
"""Modules of these parts that have no example, with the reason."""


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize(
    "name", [module_name(path) for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text()]
)
def test_docstring_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.attempted
    assert not results.failed


def documented_modules() -> set[str]:
    """Modules that define what the API reference lists."""
    found, module = set(), ""
    text = (PACKAGE.parent / "docs/reference/api.md").read_text(encoding="utf-8")
    for kind, name in re.findall(r"^\.\. (currentmodule|auto\w+):: (\S+)$", text, re.MULTILINE):
        if kind == "currentmodule":
            module = name
        elif kind != "autodata":
            owner, _, last = (name if name.startswith("cortexsim.") else f"{module}.{name}").rpartition(".")
            found.add(getattr(import_module(owner), last).__module__)
    return found


def test_modules_of_the_reference_have_an_example() -> None:
    of_parts = {module_name(path) for part in PARTS for path in PACKAGE.glob(f"{part}/**/*.py")}
    listed = of_parts | {f"cortexsim.{part}" for part in PARTS} | documented_modules()
    without = {name for name in listed if ">>> " not in Path(import_module(name).__file__ or "").read_text()}
    assert without == {f"cortexsim.{name}" for name in WITHOUT}


def test_the_package_has_the_names_that_it_exports() -> None:
    assert all(hasattr(cortexsim, name) for name in cortexsim.__all__)
    assert set(cortexsim.__all__) <= set(dir(cortexsim))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = cortexsim.nothing


def test_the_python_examples_of_the_readme_and_the_documentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (first,) = (PACKAGE.parent / "README.md").read_text().split("```python\n")[1:]
    blocks = [first.split("```")[0], *cells("howto/python.md")]
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        quick = re.sub(r"samples=\d+", "samples=32", block).replace('epochs": 10', 'epochs": 1')
        quick = quick.replace('["clapp", "backprop", "untrained"]', '["untrained"]').replace("[64, 256]", "[16, 32]")
        exec(quick, names)
