"""Find models and experiments by name: those of the package, or any by its path."""

from pathlib import Path

import cortexsim
from cortexsim.errors import UserError, nearest
from cortexsim.runs.configuration import Model, read_model

COMPARISONS, THRESHOLDS = "comparisons.toml", "thresholds.toml"  # An experiment's folder holds one of them.


def folder(name: str) -> Path:
    """Find ``models`` or ``experiments``: inside an installed package, or beside it in a checkout."""
    package = Path(cortexsim.__file__).parent
    return package / name if (package / name).is_dir() else package.parent / name


def model_paths() -> dict[str, Path]:
    """List the package's models by name."""
    return {path.stem: path for path in sorted(folder("models").glob("*.toml"))}


def find_model(name: str, beside: Path = Path()) -> Model:
    """Read a model by its name, or by the path of a TOML file, which starts from the folder ``beside``.

    Raises:
        UserError: where there is no such model, or it is not valid.
    """
    if name.endswith(".toml") or "/" in name:
        return read_model(beside / name)
    paths = model_paths()
    if name not in paths:
        raise UserError(f"model '{name}' is not known ({nearest(name, paths)}; or give the path of a .toml file)")
    return read_model(paths[name])


def experiment_paths() -> dict[str, Path]:
    """List the files of the package's experiments by name."""
    files = [path for name in (COMPARISONS, THRESHOLDS) for path in folder("experiments").glob(f"*/{name}")]
    return {path.parent.name: path for path in sorted(files)}


def find_experiment_file(name: str) -> Path:
    """Find the file of an experiment by its name, or by the path of its folder.

    Raises:
        UserError: where there is no such experiment.
    """
    if "/" in name:
        written = Path(name) / THRESHOLDS
        return written if written.exists() else Path(name) / COMPARISONS
    paths = experiment_paths()
    if name not in paths:
        raise UserError(f"experiment '{name}' is not known ({nearest(name, paths)}; or give the path of its folder)")
    return paths[name]
