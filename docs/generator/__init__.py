"""Pages that follow from the package: a page per rule, card, experiment and model, and tables of all the rest.

Nothing is typed twice: a new rule, card, experiment, model, task, context, cell or command appears by itself.
"""

import shutil
from pathlib import Path

from generator import cards, commands, components, experiments, keys, models, project, rules
from generator.outcomes import examined


def write(folder: Path) -> list[Path]:
    """Write all pages anew.

    Args:
        folder: of the pages; what it held before is deleted.

    Returns:
        The paths of the pages.
    """
    shutil.rmtree(folder, ignore_errors=True)
    outcomes = examined()
    texts = {
        **rules.pages(outcomes),
        **cards.pages(outcomes),
        **experiments.pages(),
        **project.pages(),
        **models.pages(),
        **components.pages(),
        **keys.pages(),
        **commands.pages(),
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    cards.draw(outcomes, folder)
    return [folder / name for name in texts]
