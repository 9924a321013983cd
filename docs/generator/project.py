"""The files of the project that are pages too."""

from generator.paths import FILES, ROOT
from generator.paths import pages as pages_of_files
from generator.text import relinked


def pages() -> dict[str, str]:
    """Write the pages of the files in `FILES`."""
    known = pages_of_files()
    return {
        f"project/{name.lower()}": relinked(
            (ROOT / name).read_text(encoding="utf-8"), ROOT / name, known[ROOT / name], known
        )
        for name in FILES
    }
