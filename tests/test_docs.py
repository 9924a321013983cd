"""The documentation: it has every public name, its links lead somewhere, and pages are made of objects."""

import ast
import doctest
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import cortexsim
import generator
from cortexsim.config.registry import experiment_paths, model_paths
from cortexsim.examples import EXAMPLES
from cortexsim.protocols.cards import known_cards
from cortexsim.report.describe import factors
from cortexsim.report.markdown import PLACE
from cortexsim.rules import SIGNALS, known_rules, load_rule
from generator import cards, commands, components, experiments, keys, models, project, rules
from generator.outcomes import variants
from generator.paths import GENERATED, pages
from generator.text import relinked
from tests.pages import DOCS, ROOT, cells

PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"generated", "_build"} & set(path.parts))
INCLUDED = re.compile(r'^```\{include\} (\S+)\n:start-after: "<!-- table: (.+) -->"$', re.MULTILINE)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """All generated pages by path; of two rules with the verdicts of every card, of the others without."""
    asked = {
        name: [card.examine(load_rule(name)) for card in known_cards().values()] for name in ("stdp_pair", "clapp")
    }
    silent = {name: [] for rule in known_rules() for name in (rule, *variants(rule))}
    made = {**rules.pages({**silent, **asked}), **cards.pages(asked)}
    for part in (experiments, project, models, components, keys, commands):
        made |= part.pages()
    return made


def test_every_public_name_is_documented() -> None:
    text = (DOCS / "reference/api.md").read_text(encoding="utf-8")
    groups = re.split(r"\.\. currentmodule:: ", text)
    named = {
        name
        for group in groups
        if group.startswith("cortexsim\n")
        for name in re.findall(r"^\.\. auto\w+:: (\w+)$", group, re.MULTILINE)
    }
    assert named == set(cortexsim.__all__)


def test_what_public_functions_return_is_documented() -> None:
    text = (DOCS / "reference/api.md").read_text(encoding="utf-8")
    assert all(f":: {name}\n" in text for name in import_module("cortexsim.api").__all__)


def test_every_documented_name_exists() -> None:
    module = ""
    for kind, name in re.findall(
        r"^\.\. (currentmodule|auto\w+):: (\S+)$", (DOCS / "reference/api.md").read_text(encoding="utf-8"), re.MULTILINE
    ):
        if kind == "currentmodule":
            module = name
            continue
        owner, _, last = (name if name.startswith("cortexsim.") else f"{module}.{name}").rpartition(".")
        assert hasattr(import_module(owner), last), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_lead_to_files_or_pages_that_are_made(page: Path, made: dict[str, str]) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", text) + re.findall(
        r"^```\{include\} (\S+)$", text, re.M
    )
    for target in targets:
        path = Path(os.path.normpath(page.parent / target))
        known = path.relative_to(GENERATED).as_posix() in made if path.is_relative_to(GENERATED) else path.exists()
        assert known, f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_names_that_pages_import_are_there(page: Path) -> None:
    for cell in cells(str(page.relative_to(DOCS))):
        for node in ast.walk(ast.parse(re.sub(r"^%.*$", "", cell, flags=re.MULTILINE))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "cortexsim":
                module = import_module(node.module or "")
                assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)


def test_links_of_the_readme_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    assert all((ROOT / link).is_file() for link in links)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_tables_that_pages_include_are_there(page: Path) -> None:
    for target, name in INCLUDED.findall(page.read_text(encoding="utf-8")):
        text = (page.parent / target).read_text(encoding="utf-8")
        assert name in {match["name"] for match in PLACE.finditer(text)}


def test_every_page_is_in_the_contents() -> None:
    listed = set()
    for page in PAGES:
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            lines = [line for line in tree.splitlines() if line and not line.startswith(":")]
            names = [re.sub(r".* <(.*)>", r"\1", line) for line in lines]
            listed |= {Path(os.path.normpath(page.parent / f"{name}.md")) for name in names}
    assert {page for page in PAGES if page != DOCS / "index.md"} <= listed


def test_links_of_generated_pages_lead_somewhere(made: dict[str, str]) -> None:
    for name, text in made.items():
        folder = (GENERATED / name).parent
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", text):
            path = Path(os.path.normpath(folder / target))
            if name.rpartition("/")[2].startswith("_"):  # Included by a page in a folder beside.
                path = Path(os.path.normpath(DOCS / "gallery" / target))
            if path.suffix == ".png" and path.parent == GENERATED / "cards":
                continue  # Drawn when the site is built.
            known = path.relative_to(GENERATED).as_posix() in made if path.is_relative_to(GENERATED) else path.exists()
            assert known, f"{name}: {target}"


@pytest.mark.parametrize("name", known_rules())
def test_every_rule_has_a_page_with_its_factors(name: str, made: dict[str, str]) -> None:
    page, rule = made[f"rules/{name}.md"], known_rules()[name]
    assert rule.equation in page
    assert rule.source in page
    for _, *texts in factors(rule):
        assert all(f"`{text}`" in page for text in texts)
    assert all(reason.split(":")[0] in page for reason in rule.locality_violations)
    assert f"../generated/rules/{name}.md" in made["rules/_table.md"]


def test_a_rule_names_its_experiments_and_an_experiment_its_rules(made: dict[str, str]) -> None:
    assert "../experiments/ocular_dominance.md" in made["rules/bcm.md"]
    assert "../rules/bcm.md" in made["experiments/ocular_dominance.md"]
    assert "../experiments/ocular_dominance.md" not in made["rules/clapp.md"]


def test_cards_say_who_passes_and_who_cannot_be_asked(made: dict[str, str]) -> None:
    window, rewarded = made["cards/pair_window.md"], made["cards/dopamine.md"]
    assert "| [`stdp_pair`](../rules/stdp_pair.md) | pass | " in window
    assert "0.7625" in window  # A measured point.
    assert "it has no dopamine" in rewarded
    assert "| `stdp_pair` | [`pair_window`](../cards/pair_window.md) | pass | " in made["rules/stdp_pair.md"]
    assert "which the spikes of two cells do not give" in made["rules/clapp.md"]


def test_everything_that_is_known_has_a_page(made: dict[str, str]) -> None:
    for kind, names in (("cards", known_cards()), ("experiments", experiment_paths()), ("models", model_paths())):
        assert all(f"{kind}/{name}.md" in made and f"/{kind}/{name}.md" in made[f"{kind}/_table.md"] for name in names)
    assert all(f"`cortexsim {name}`" in made["reference/_commands.md"] for name in EXAMPLES)
    assert all(f"`{name}`" in made["reference/_signals.md"] for name in SIGNALS)


@pytest.mark.parametrize(
    "file", [file for files in keys.FILES.values() for file in files], ids=lambda file: file.__name__
)
def test_every_key_of_a_file_is_described(file: type, made: dict[str, str]) -> None:
    pages = made["reference/_keys.md"] + made["reference/_study_keys.md"]
    for _, table, fields in keys.parts(file):
        assert fields.keys() <= keys.meanings(table).keys()
        assert all(f"| `{name}` | " in pages for name in fields)


def test_a_key_has_its_type_bounds_unit_and_default(made: dict[str, str]) -> None:
    page = made["reference/_keys.md"]
    assert "| `eta` | learning rate of the feedforward weights. | number, above 0 | `0.001` |" in page
    assert "| `fixation` | duration of the input. | time, with its unit | `60 ms` |" in page


def test_links_of_readmes_lead_to_pages_where_there_are_any() -> None:
    readme, page = ROOT / "experiments/swap/README.md", GENERATED / "experiments/swap.md"
    text = "[a](../tuning/README.md#three-levels) [b](../tuning) [c](figure.png) [d](https://x.org/a)"
    assert relinked(text, readme, page, pages()) == (
        "[a](tuning.md#three-levels) [b](tuning.md) [c](../../../experiments/swap/figure.png) [d](https://x.org/a)"
    )


def test_examples_on_pages_run_as_they_are_shown(made: dict[str, str]) -> None:
    kinds = (("rules", known_rules()), ("cards", known_cards()))
    for page in (f"{kind}/{name}.md" for kind, names in kinds for name in names):
        shown = "\n\n".join(re.findall(r"^```pycon\n(.*?)^```$", made[page], re.DOTALL | re.MULTILINE))
        example = doctest.DocTestParser().get_doctest(shown, {}, page, None, 0)
        assert example.examples, page
        assert not doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed, page


def test_pages_name_the_extras_that_their_cells_need() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    uses = {
        "results": r"import pandas|load_results\(|\.frame\(",
        "sklearn": r"from sklearn",
        "nwb": r"import pynwb|from pynwb",
    }
    assert {*uses} <= {*extras}
    needed = {
        (page, extra)
        for page in PAGES
        for extra, use in uses.items()
        if re.search(use, "\n".join(cells(str(page.relative_to(DOCS)))))
    }
    assert (DOCS / "tutorials/6_your_own_data.md", "sklearn") in needed
    for page, extra in needed:
        assert re.search(rf"pip install [^`]*\b{extra}\b", page.read_text(encoding="utf-8")), (page, extra)


@pytest.mark.parametrize("name", ["text", "outcomes", "keys"])
def test_examples_of_the_generator(name: str) -> None:
    results = doctest.testmod(import_module(f"{generator.__name__}.{name}"))
    assert results.attempted
    assert not results.failed


@pytest.mark.slow
def test_the_site_is_built_without_warnings(tmp_path: Path) -> None:
    for needed in ("sphinx", "myst_nb", "sphinx_design", "sphinx_copybutton", "pydata_sphinx_theme"):
        pytest.importorskip(needed)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3000)
    assert found.returncode == 0, found.stderr[-3000:]
    assert all((tmp_path / f"generated/rules/{name}.html").exists() for name in known_rules())
