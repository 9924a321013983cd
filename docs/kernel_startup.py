"""What kernels of pages run first: `%%bash` that stops at the first error, and shows its output at once."""

import subprocess
import sys

from IPython.core.magic import register_cell_magic


@register_cell_magic
def bash(line: str, cell: str) -> None:
    """Run commands; their output would come in pieces otherwise, between which lines break anywhere."""
    found = subprocess.run(["bash", "-e", "-c", cell], capture_output=True, text=True, check=False)
    sys.stdout.write(found.stdout)
    sys.stderr.write(found.stderr)
    found.check_returncode()
