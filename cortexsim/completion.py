"""Names that a shell completes, found without loading any engine."""

from collections.abc import Iterable
from pathlib import Path

from cortexsim.config.places import folders

TASKS = ("rhm", "arrays", "digits", "images", "mnist1d", "patches", "sequence")


def models(incomplete: str) -> list[str]:
    """Complete the name of a model; the shell itself completes paths."""
    return _beginning(incomplete, (path.stem for folder in folders("models") for path in folder.glob("*.toml")))


def experiments(incomplete: str) -> list[str]:
    """Complete the name of an experiment."""
    readmes = (path for folder in folders("experiments") for path in folder.glob("*/README.md"))
    return _beginning(incomplete, (path.parent.name for path in readmes))


def tasks(incomplete: str) -> list[str]:
    """Complete the name of a task."""
    return _beginning(incomplete, TASKS)


def recordable(incomplete: str) -> list[str]:
    """Complete what can be recorded while a model learns."""
    return _beginning(incomplete, ("weights",))


def synapses(incomplete: str) -> list[str]:
    """Complete which synapses are recorded; numbers are the user's own."""
    return _beginning(incomplete, ("all",))


def runs(incomplete: str) -> list[str]:
    """Complete the folder of a run."""
    return _beginning(incomplete, (str(path) for path in Path("runs").glob("*") if path.is_dir()))


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
