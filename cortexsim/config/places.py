"""Where models and experiments are: beside the package, within it, or in a checkout."""

from pathlib import Path

import cortexsim


def folders(name: str) -> list[Path]:
    """List the folders of ``models`` or ``experiments``: that of the package, and that of the working directory.

    The latter is used if the working directory is a checkout of cortexsim. Its files take precedence, so that edits in
    a checkout take effect although another copy is installed.

    >>> sorted(path.stem for path in folders("models")[0].glob("clapp*.toml"))[:3]
    ['clapp', 'clapp-bidirectional', 'clapp-guided']
    """
    package = Path(cortexsim.__file__).parent
    installed = package / name if (package / name).is_dir() else package.parent / name
    here = Path(name)
    in_checkout = here.is_dir() and Path("cortexsim/__init__.py").is_file() and not here.samefile(installed)
    return [installed, here] if in_checkout else [installed]
