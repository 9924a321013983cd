"""Find models and experiments by name or path."""

from pathlib import Path

from cortexsim.config.consistency import check
from cortexsim.config.overrides import at_depth
from cortexsim.config.places import folders
from cortexsim.config.schema import Model
from cortexsim.config.validation import read
from cortexsim.errors import UserError, error_prefix, nearest

COMPARISONS, THRESHOLDS, PROGRAM = "comparisons.toml", "thresholds.toml", "experiment.py"  # One per folder.


def model_paths() -> dict[str, Path]:
    """Return the paths of all models by name; see `places.folders` for where they are."""
    paths = {path.stem: path for folder in folders("models") for path in folder.glob("*.toml")}
    return dict(sorted(paths.items()))


def read_model(path: Path) -> Model:
    """Read and validate the TOML file of a model.

    >>> path = Path("mine.toml")
    >>> _ = path.write_text('learner = "local"\\n[rule]\\nname = "hebb"\\n')
    >>> read_model(path).rule_name
    'hebb'

    Raises:
        UserError: the file cannot be read, or a setting is invalid; the message names the file, the key, the value,
            and what would be right.
    """
    try:
        path.stem.encode()
    except UnicodeEncodeError:
        raise UserError(f"{str(path)!a}: the file name is not valid UTF-8 (rename the file)") from None
    model = read(path, Model)
    model._name, model._path = path.stem, path
    with error_prefix(str(path)):
        check(model)
    return model


def find_model(name: str, base: Path = Path()) -> Model:
    """Read a model by its name, or by the path of a TOML file.

    >>> find_model("clapp").learner
    'local'

    Args:
        name: a name listed by ``cortexsim models``, or a path.
        base: folder that a relative path starts from.

    Raises:
        UserError: there is no such model, or a setting is invalid.
    """
    if name.endswith(".toml") or "/" in name:
        return _checked_at_depths(read_model(base / name))
    paths = model_paths()
    if name not in paths:
        raise UserError(f"model '{name}' is not known ({nearest(name, paths)}; or give the path of a .toml file)")
    return _checked_at_depths(read_model(paths[name]))


def _checked_at_depths(model: Model) -> Model:
    """Check that the settings of a model are valid at every depth for which it has its own."""
    with error_prefix(str(model._path)):
        for depth in model.depth:
            at_depth(model, depth)
    return model


def experiment_paths() -> dict[str, Path]:
    """Return the files of all experiments by name; see `places.folders` for where they are."""
    names = (COMPARISONS, THRESHOLDS, PROGRAM)
    files = [path for at in folders("experiments") for name in names for path in sorted(at.glob(f"*/{name}"))]
    return dict(sorted((path.parent.name, path) for path in files))


def find_experiment_folder(name: str) -> Path:
    """Find the folder of an experiment, or of parameter searches, by its name or path.

    Raises:
        UserError: there is no such folder.
    """
    if "/" in name:
        return Path(name)
    for folder in folders("experiments"):
        if (folder / name).is_dir():
            return folder / name
    return find_experiment_file(name).parent


def find_experiment_file(name: str) -> Path:
    """Find the file of an experiment by the name or path of its folder.

    Raises:
        UserError: there is no such experiment.
    """
    if "/" in name:
        files = [Path(name) / file for file in (THRESHOLDS, PROGRAM)]
        return next((path for path in files if path.exists()), Path(name) / COMPARISONS)
    paths = experiment_paths()
    if name not in paths:
        raise UserError(f"experiment '{name}' is not known ({nearest(name, paths)}; or give the path of its folder)")
    return paths[name]
