"""Where the files are that pages are made of, and which page each becomes."""

from pathlib import Path

from cortexsim.config.registry import experiment_paths

ROOT = Path(__file__).parents[2]
"""Of the project."""

DOCS = ROOT / "docs"
GENERATED = DOCS / "generated"
FILES = ("REPRODUCING.md", "CHANGELOG.md", "CONTRIBUTING.md")
"""Of the project that are pages too."""


def experiment_folders() -> dict[str, Path]:
    """Folders of all experiments by name, and that of parameter searches."""
    return {path.parent.name: path.parent for path in [*experiment_paths().values(), ROOT / "experiments/tuning/x"]}


def page_of_experiment(name: str) -> Path:
    """The page of an experiment."""
    return GENERATED / "experiments" / f"{name}.md"


def pages() -> dict[Path, Path]:
    """The page of every file that becomes one."""
    experiments = {folder / "README.md": page_of_experiment(name) for name, folder in experiment_folders().items()}
    project = {ROOT / name: GENERATED / "project" / name.lower() for name in FILES}
    overview = {ROOT / "experiments/README.md": DOCS / "gallery/experiments.md", ROOT / "README.md": DOCS / "index.md"}
    return experiments | project | overview
