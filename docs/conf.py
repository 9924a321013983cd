"""The documentation: hand-written pages in Markdown, executed, and pages that the package's own objects make."""

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]
os.environ["PYTHONPATH"] = os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")])  # Of pages' kernels.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["PYTHONSTARTUP"] = str(FOLDER / "kernel_startup.py")
os.environ |= {"COLUMNS": "100", "TTY_COMPATIBLE": "0"}  # Of tables that commands print: plain text.

from docutils import nodes
from sphinx.application import Sphinx

import cortexsim
import generator

project = "cortexsim"
author = "the authors of cortexsim"
version = release = cortexsim.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "sphinx_design"]
exclude_patterns = ["_build", "generated/**/_*.md"]
default_role = "code"  # Single backticks in docstrings.

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "myst-nb.lexer"]  # READMEs begin at any level; pages may not be run.

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_show_tb = True
nb_execution_timeout = 1800
nb_merge_streams = True
nb_kernel_rgx_aliases = {".*": "python3"}

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_use_ivar = True

copybutton_exclude = ".linenos, .gp, .go"  # Copied are the lines that one types, without prompts and results.

smartquotes = False  # Options of commands begin with two dashes.

html_theme = "pydata_sphinx_theme"
html_title = "cortexsim"
html_static_path = ["_static"]
html_css_files = ["cortexsim.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "first_result": [], "results": []}
copyright = "the authors of cortexsim, BSD 3-Clause"


def set_dashes(app: Sphinx, page: nodes.document) -> None:
    """Set a dash between an argument and its meaning, where Sphinx leaves two hyphens to smart quotes."""
    for text in list(page.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" \N{EN DASH} "))


def setup(app: Sphinx) -> None:
    """Make the pages that follow from the package before any page is read."""
    app.connect("builder-inited", lambda app: generator.write(Path(app.srcdir) / "generated"))
    app.connect("doctree-read", set_dashes)
