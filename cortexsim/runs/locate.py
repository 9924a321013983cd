"""Find models by name: those of the package, or any file by its path."""

from pathlib import Path

import cortexsim
from cortexsim.errors import UserError, nearest
from cortexsim.runs.configuration import Model, read_model


def folder(name: str) -> Path:
    """Find ``models`` or ``experiments``: inside an installed package, or beside it in a checkout."""
    package = Path(cortexsim.__file__).parent
    return package / name if (package / name).is_dir() else package.parent / name


def model_paths() -> dict[str, Path]:
    """List the package's models by name."""
    return {path.stem: path for path in sorted(folder("models").glob("*.toml"))}


def find_model(name: str) -> Model:
    """Read a model by its name, or by the path of a TOML file.

    Raises:
        UserError: where there is no such model, or it is not valid.
    """
    if name.endswith(".toml") or "/" in name:
        return read_model(Path(name))
    paths = model_paths()
    if name not in paths:
        raise UserError(f"model '{name}' is not known ({nearest(name, paths)}; or give the path of a .toml file)")
    return read_model(paths[name])
