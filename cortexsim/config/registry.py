"""Find models and experiments by name, here or in the package, or any by its path."""

from pathlib import Path

import cortexsim
from cortexsim.config.consistency import check
from cortexsim.config.overrides import at_depth
from cortexsim.config.schema import Model
from cortexsim.config.validation import read
from cortexsim.errors import UserError, error_prefix, nearest

COMPARISONS, THRESHOLDS = "comparisons.toml", "thresholds.toml"  # An experiment's folder holds one of them.


def folders(name: str) -> list[Path]:
    """List where ``models`` or ``experiments`` are: in the package or its checkout, and in one that is stood in.

    Those of a checkout go before what was installed: a file that is edited there is used by what runs there.
    """
    package = Path(cortexsim.__file__).parent
    installed = package / name if (package / name).is_dir() else package.parent / name
    here = Path(name)
    stood_in = here.is_dir() and Path("cortexsim/__init__.py").is_file() and not here.samefile(installed)
    return [installed, here] if stood_in else [installed]


def model_paths() -> dict[str, Path]:
    """List models by name: those of the package, and of a checkout that is stood in."""
    found = {path.stem: path for folder in folders("models") for path in folder.glob("*.toml")}
    return dict(sorted(found.items()))


def read_model(path: Path) -> Model:
    """Read and validate a model file.

    Raises:
        UserError: one line naming file, key, value, and what would be right.
    """
    try:
        path.stem.encode()
    except UnicodeEncodeError:
        raise UserError(f"{str(path)!a}: the name of the file is no UTF-8 (rename it)") from None
    model = read(path, Model)
    model._name, model._path = path.stem, path
    with error_prefix(str(path)):
        check(model)
    return model


def find_model(name: str, beside: Path = Path()) -> Model:
    """Read a model by its name, or by the path of a TOML file, which starts from the folder ``beside``.

    Raises:
        UserError: where there is no such model, or it is not valid.
    """
    if name.endswith(".toml") or "/" in name:
        return _whole(read_model(beside / name))
    paths = model_paths()
    if name not in paths:
        raise UserError(f"model '{name}' is not known ({nearest(name, paths)}; or give the path of a .toml file)")
    return _whole(read_model(paths[name]))


def _whole(model: Model) -> Model:
    """See that a model can be at every depth that it has values for."""
    with error_prefix(str(model._path)):
        for depth in model.depth:
            at_depth(model, depth)
    return model


def experiment_paths() -> dict[str, Path]:
    """List the files of experiments by name: of the package, and of a checkout that is stood in."""
    names = (COMPARISONS, THRESHOLDS)
    files = [path for at in folders("experiments") for name in names for path in sorted(at.glob(f"*/{name}"))]
    return dict(sorted((path.parent.name, path) for path in files))


def find_experiment_folder(name: str) -> Path:
    """Find the folder of an experiment, or of searches alone, by its name or its path.

    Raises:
        UserError: where there is none.
    """
    if "/" in name:
        return Path(name)
    for folder in folders("experiments"):
        if (folder / name).is_dir():
            return folder / name
    return find_experiment_file(name).parent


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
