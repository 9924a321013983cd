"""A page per experiment, its README; and the experiments that use each rule."""

import ast
from pathlib import Path

from cortexsim.config.registry import PROGRAM
from cortexsim.rules import known_rules
from cortexsim.storage.committed_rows import ROWS, read_rows
from generator.paths import ROOT, experiment_folders, page_of_experiment
from generator.paths import pages as pages_of_files
from generator.text import relinked, table


def pages() -> dict[str, str]:
    """Write the page of every experiment: its README, the rules that it uses, and its files."""
    rules = experiments_of_rules()
    texts = {}
    for name, folder in experiment_folders().items():
        readme, page = folder / "README.md", page_of_experiment(name)
        text = relinked(readme.read_text(encoding="utf-8"), readme, page, pages_of_files())
        used = [f"[`{rule}`](../rules/{rule}.md)" for rule, several in rules.items() if name in several]
        text += f"\n\nRules that it uses: {', '.join(used)}.\n" if used else ""
        texts[f"experiments/{name}.md"] = text + f"\nIts files are in `{folder.relative_to(ROOT).as_posix()}`.\n"
    return texts | {"experiments/_table.md": _overview()}


def _overview() -> str:
    """The table of `experiments/README.md`, with links."""
    lines = (ROOT / "experiments/README.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return table(
        ["experiment", "claim"],
        [(f"[{name}](../generated/experiments/{name.strip('`')}.md)", claim) for name, claim in cells],
    )


def experiments_of_rules() -> dict[str, list[str]]:
    """List, by the name of a rule, the experiments whose rows or program name it."""
    named = {name: _named(folder) for name, folder in experiment_folders().items()}
    return {rule: [name for name, rules in named.items() if rule in rules] for rule in known_rules()}


def _named(folder: Path) -> set[str]:
    rows = read_rows(folder / ROWS) if (folder / ROWS).exists() else []
    found = {str(row["rule"]) for row in rows if "rule" in row}
    if (folder / PROGRAM).exists():
        nodes = ast.walk(ast.parse((folder / PROGRAM).read_text(encoding="utf-8")))
        found |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    return found
