"""Models and the tasks that they say they are for: they are trained on no others."""

from collections.abc import Iterable, Sequence

from cortexsim.config.schema import Model
from cortexsim.config.tasks import task_table
from cortexsim.errors import UserError
from cortexsim.tasks import Task
from cortexsim.tasks.rhm import Hierarchy


def shared_task(models: Sequence[Model]) -> Task | None:
    """Find the task that models say they are for, where one of them says any.

    Raises:
        UserError: where they are for different ones.
    """
    found = {model.name: model.own_task() for model in models if model.task.model_dump() != {"name": Hierarchy.name}}
    others = {name: task for name, task in found.items() if task_table(task) != task_table(next(iter(found.values())))}
    if others:
        first, other = next(iter(found)), next(iter(others))
        raise UserError(f"--model {first}, --model {other}: models for different tasks (name one: --task)")
    return next(iter(found.values()), None)


def check_model_tasks(models: Sequence[Model], task: Task) -> None:
    """See that models, on a plan's task, are for it, or for any; sizes of a hierarchy may be the plan's.

    Raises:
        UserError: where one is for another.
    """
    for model in models:
        silent = set(model.task.model_dump()) == {"name"} and model.task.name == Hierarchy.name
        own = task if silent else model.own_task()
        if not (isinstance(own, Hierarchy) and isinstance(task, Hierarchy)) and task_table(own) != task_table(task):
            raise UserError(
                f"model '{model.name}' is for {_written(own)}, and the plan's task is {_written(task)}"
                " (give the plan a table task that says the same)"
            )


def check_no_task_keys(keys: Iterable[str], where: str) -> None:
    """See that dotted keys are not of the task, where the plan alone chooses that.

    Raises:
        UserError: naming the first that is.
    """
    if found := next((key for key in keys if key.partition(".")[0] == "task"), None):
        raise UserError(f"{where}: '{found}' is the same for all models (give it once, in the plan's table task)")


def _written(task: Task) -> str:
    return ", ".join(f"{key} = {value!r}" for key, value in task_table(task).items())
