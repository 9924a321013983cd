"""The library torchvision, imported where it is first needed."""

from importlib import import_module
from typing import Any

from cortexsim.errors import UserError


def torchvision() -> Any:
    """Import torchvision, with its transforms and data sets.

    Raises:
        UserError: if it is not installed, or is made for another version of torch.
    """
    try:
        for module in ("datasets", "transforms.v2"):
            import_module(f"torchvision.{module}")
        return import_module("torchvision")
    except ImportError:
        raise UserError("task 'images' needs torchvision (pip install 'cortexsim[images]')") from None
    except RuntimeError as error:  # Operators of a build for another torch are missing.
        raise UserError(
            f"task 'images': torchvision does not fit the installed torch ({str(error).splitlines()[0]};"
            " install the versions that belong together)"
        ) from None
