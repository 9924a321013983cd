"""cortexsim: can a local plasticity rule learn a hidden hierarchy, and how many samples does it need?"""

from importlib.metadata import PackageNotFoundError, version

from cortexsim.errors import UserError

__all__ = ["UserError", "__version__"]

try:
    __version__ = version("cortexsim")
except PackageNotFoundError:  # A checkout that was not installed.
    __version__ = "0+unknown"
