"""The house as it is drawn: every part knows only what stands left of it."""

import ast
from pathlib import Path

import pytest

import cortexsim

PACKAGE = Path(cortexsim.__file__).parent
ORDER = [
    "errors",
    "user_files",
    "processes",
    "seeds",
    "expression",
    "topology",
    "contexts",
    "tasks",
    "modulators",
    "rules",
    "rate",
    "spiking",
    "learners",
    "analysis",
    "config",
    "storage",
    "training",
    "execution",
    "report",
    "studies",
]
ORDER += ["estimator", "api", "options", "commands", "cli", "__main__"]
ENGINES = {
    "torch": {"rate", "learners", "analysis", "config", "storage", "training", "studies", "estimator", "api"},
    "sklearn": {"tasks", "estimator"},
    "matplotlib": {"analysis", "studies", "api"},
    "typer": {"options", "commands", "cli"},
    "brian2": {"spiking"},
    "mnist1d": {"tasks"},
    "scipy": {"analysis"},
    "jinja2": {"report"},
}
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_point_left(path: Path) -> None:
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "cortexsim" and len(parts) > 1 and parts[1] in ORDER:
            assert ORDER.index(parts[1]) <= ORDER.index(part(path)), name
        if parts[0] in ENGINES:
            assert part(path) in ENGINES[parts[0]], name


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in FILES}
    known = {name: imported(path) & modules.keys() for name, path in modules.items()}
    found = {name: set(others) for name, others in known.items()}
    for _ in modules:  # Until nothing is added any more: what is found on the way round a cycle too.
        for name, others in known.items():
            found[name] = found[name].union(others, *(found[other] for other in others))
    assert [name for name in modules if name in found[name]] == []


def test_every_part_has_its_place() -> None:
    assert {part(path) for path in FILES} == set(ORDER)


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if part(path) in ("rate", "spiking", "learners")],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_what_learns_knows_no_task(path: Path) -> None:
    assert not [name for name in imported(path) if name.startswith("cortexsim.tasks")]
