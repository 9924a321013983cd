"""The examples in docstrings, in the README and on the page on Python are run."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

import cortexsim
from tests.pages import cells

PACKAGE = Path(cortexsim.__file__).parent


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
