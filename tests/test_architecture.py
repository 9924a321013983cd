"""The parts of the package have an order: each imports only from parts before it."""

import ast
from pathlib import Path

import pytest

import cortexsim

PACKAGE = Path(cortexsim.__file__).parent
ORDER = [
    "errors",
    "verbosity",
    "user_files",
    "processes",
    "seeds",
    "expression",
    "quantities",
    "topology",
    "contexts",
    "tasks",
    "modulators",
    "rules",
    "rate",
    "spiking",
    "learners",
    "protocols",
    "analysis",
    "config",
    "storage",
    "training",
    "execution",
    "report",
    "studies",
]
ORDER += ["estimator", "api", "examples", "completion", "options", "export", "commands", "card_commands", "cli"]
ORDER += ["__main__"]
ENGINES = {
    "torch": {"tasks", "rate", "learners", "analysis", "config", "storage", "training", "studies", "estimator", "api"},
    "sklearn": {"tasks", "estimator"},
    "skimage": {"tasks"},
    "torchvision": {"tasks"},
    "matplotlib": {"analysis", "studies", "api"},
    "typer": {"options", "export", "commands", "card_commands", "cli"},
    "brian2": {"spiking", "protocols"},
    "mnist1d": {"tasks"},
    "scipy": {"analysis", "protocols", "tasks"},
    "jinja2": {"report"},
    "pandas": {"api"},
    "pyarrow": {"api"},
    "pynwb": {"api"},
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
def test_parts_import_only_earlier_parts(path: Path) -> None:
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "cortexsim" and len(parts) > 1 and parts[1] in ORDER:
            assert ORDER.index(parts[1]) <= ORDER.index(part(path)), name
        if parts[0] in ENGINES:
            assert part(path) in ENGINES[parts[0]], name


def test_there_are_no_import_cycles() -> None:
    modules = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in FILES}
    known = {name: imported(path) & modules.keys() for name, path in modules.items()}
    reachable = {name: set(others) for name, others in known.items()}
    for _ in modules:  # As many rounds as the longest possible chain of imports.
        for name, others in known.items():
            reachable[name] = reachable[name].union(others, *(reachable[other] for other in others))
    assert [name for name in modules if name in reachable[name]] == []


def test_the_order_lists_every_part() -> None:
    assert {part(path) for path in FILES} == set(ORDER)


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if part(path) in ("rate", "spiking", "learners")],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_networks_and_learners_import_no_task(path: Path) -> None:
    assert not [name for name in imported(path) if name.startswith("cortexsim.tasks")]
