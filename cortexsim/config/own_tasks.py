"""Models are configured for a task: they are not trained on another one by mistake."""

from collections.abc import Iterable, Sequence

from cortexsim.config.schema import Model
from cortexsim.config.tasks import content_digest, task_table
from cortexsim.errors import UserError
from cortexsim.tasks import Task
from cortexsim.tasks.rhm import Hierarchy


def shared_task(models: Sequence[Model]) -> Task | None:
    """Return the task that models are configured for, or None if no model names one.

    >>> from pathlib import Path
    >>> from cortexsim.config.registry import find_model, read_model
    >>> path = Path("mine.toml")
    >>> _ = path.write_text('learner = "untrained"\\n[task]\\nname = "digits"\\n')
    >>> shared_task([find_model("clapp"), read_model(path)])
    Digits()

    Raises:
        UserError: models are configured for different tasks.
    """
    tasks = {model.name: model.own_task() for model in models if model.task.model_dump() != {"name": Hierarchy.name}}
    others = {name: task for name, task in tasks.items() if not _same(task, next(iter(tasks.values())))}
    if others:
        first, other = next(iter(tasks)), next(iter(others))
        raise UserError(f"--model {first}, --model {other}: configured for different tasks (choose one with --task)")
    return next(iter(tasks.values()), None)


def check_model_tasks(models: Sequence[Model], task: Task) -> None:
    """Check that models are configured for the task of a study, or for none; sizes of hierarchies may differ.

    Raises:
        UserError: a model is configured for another task.
    """
    for model in models:
        unspecified = set(model.task.model_dump()) == {"name"} and model.task.name == Hierarchy.name
        own = task if unspecified else model.own_task()
        if not (isinstance(own, Hierarchy) and isinstance(task, Hierarchy)) and not _same(own, task):
            raise UserError(
                f"model '{model.name}' is configured for {_in_words(own)}, and the plan's task is {_in_words(task)}"
                " (give the plan the same table task)"
            )


def check_no_task_keys(keys: Iterable[str], where: str) -> None:
    """Check that no dotted key is of the table ``task``, which is the same for all models of a study.

    Args:
        keys: dotted keys that a study sets for individual models.
        where: what sets them, for the error message.

    Raises:
        UserError: a key is of that table.
    """
    if key := next((key for key in keys if key.partition(".")[0] == "task"), None):
        raise UserError(f"{where}: '{key}' is the same for all models (set it in the plan's table task)")


def _same(task: Task, other: Task) -> bool:
    """Whether two tasks are the same, files that have one name in two folders included."""
    return task_table(task) == task_table(other) and content_digest(task) == content_digest(other)


def _in_words(task: Task) -> str:
    return ", ".join(f"{key} = {value!r}" for key, value in task_table(task).items())
