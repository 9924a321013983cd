"""Code on pages of the documentation, as tests run it."""

import re
from pathlib import Path

import cortexsim

ROOT = Path(cortexsim.__file__).parent.parent
DOCS = ROOT / "docs"
CELL = re.compile(r"^```\{code-cell\} ipython3\n(?::[^\n]*\n+)*(.*?)^```$", re.DOTALL | re.MULTILINE)


def cells(page: str) -> list[str]:
    """The cells of a page that run, but for those that begin with a magic command."""
    found = CELL.findall((DOCS / page).read_text(encoding="utf-8"))
    return [cell for cell in found if not cell.startswith(("%%", "!"))]


def files(page: str) -> dict[str, str]:
    """The files that a page writes, by name."""
    found = [cell.partition("\n") for cell in CELL.findall((DOCS / page).read_text(encoding="utf-8"))]
    return {first.removeprefix("%%writefile "): text for first, _, text in found if first.startswith("%%writefile ")}
