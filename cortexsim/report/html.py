"""HTML pages from the templates beside this file: everything that is put in is escaped, unless it is markup already."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cortexsim.storage.atomic_io import write_atomically

GENERATOR = Markup('<meta name="generator" content="cortexsim">')


def write_page(path: Path, template: str, **values: Any) -> Path:
    """Fill in a template, and write the page, whole or not at all.

    Args:
        path: of the page.
        template: file in ``templates/``, such as ``runs.html.j2``.
        values: by the names that the template uses.

    Returns:
        The path.
    """
    environment = Environment(
        loader=PackageLoader("cortexsim.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template(template).render(generator=GENERATOR, **values)
    write_atomically(path, f"{page}\n".encode())
    return path


def inline_svg(text: str) -> Markup:
    """Take a drawn SVG file as markup for a page, without what stands before its root element."""
    return Markup(text[text.index("<svg") :])


def cell(value: Any) -> str:
    """Write a value as a cell of a table: four digits of a number, ``-`` for None.

    >>> cell(0.123456), cell(None), cell(True)
    ('0.1235', '-', 'True')
    """
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
