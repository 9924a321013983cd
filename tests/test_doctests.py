"""Examples in docstrings, run as they stand there."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import cortexsim

PACKAGE = Path(cortexsim.__file__).parent


def module(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize("name", [module(path) for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text()])
def test_an_example_says_what_happens(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted
    assert not found.failed


def test_the_door_offers_what_it_names() -> None:
    assert all(hasattr(cortexsim, name) for name in cortexsim.__all__)
    assert set(cortexsim.__all__) <= set(dir(cortexsim))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = cortexsim.nothing


def test_the_readme_is_run_from_python_as_it_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = (PACKAGE.parent / "README.md").read_text().split("## From Python")[1].split("\n## ")[0]
    blocks = [block.split("```")[0] for block in section.split("```python\n")[1:]]
    assert len(blocks) == 3
    names: dict[str, object] = {}
    for block in blocks:
        quick = block.replace('epochs": 10', 'epochs": 1').replace("samples=512", "samples=32")
        quick = quick.replace('["clapp", "backprop", "untrained"]', '["untrained"]').replace("[64, 256]", "[16, 32]")
        exec(quick, names)
