"""How a model's network is wired on a task: where its columns look, and what their dendrites hear."""

from cortexsim import contexts, topology
from cortexsim.config.schema import LayerTable, Model
from cortexsim.errors import UserError, about
from cortexsim.tasks import Layout
from cortexsim.topology import Columns, Topology


def topology_on(model: Model, task: Layout) -> Topology:
    """Place the columns of a model's network on the grid of a task.

    Those of the layers that it lists; else a tree: that of the task's hierarchy, or one over its grid.

    Raises:
        UserError: where they do not fit each other.
    """
    if model.layer and model.network.layers is not None:
        raise UserError(f"network.layers = {model.network.layers}: the model lists its layers (leave it out)")
    if not model.layer and model.network.layers is None and task.depth is not None and len(task.grid) == 1:
        return topology.tree(task.depth, task.branching, task.channels)
    if not model.layer:
        with about("network.layers"):
            return topology.pyramid(task.grid, task.channels, model.layers_on(task), task.branching)
    layers: list[Columns] = []
    grid = task.grid
    for number, table in enumerate(model.layer, 1):
        with about(f"layer {number}"):
            layers.append(_columns(table, grid))
        grid = layers[-1].sent_grid
    return topology.stacked(task.grid, task.channels, tuple(layers))


def _columns(table: LayerTable, grid: tuple[int, ...]) -> Columns:
    if table.pooling != "mean" and table.pool == 1:
        raise UserError(f"pooling = '{table.pooling}': no columns are pooled (pool = 2 or more, or leave it out)")
    if table.size == "all":
        if table.stride is not None or table.pool > 1:
            raise UserError("size = 'all': one column sees everything (leave stride and pool out)")
        return topology.all_to_all(grid, table.cells)
    if table.size > max(grid):
        raise UserError(f"size = {table.size}: there are {' x '.join(map(str, grid))} positions below ('all', or less)")
    found = topology.convolution(grid, table.size, table.stride or table.size, table.cells)
    return found if table.pool == 1 else topology.pooled(found, table.pool, table.pooling)


def learning_layers(model: Model, wired: Topology) -> int:
    """Count the layers, from below, that a local rule shapes: a single column on top has nobody to hear.

    Unless it hears the label, or itself in the next fixation.
    """
    assert model.rule is not None
    alone = wired.layers[-1].positions == 1 and not contexts.trains_single_column(model.rule.context)
    return wired.depth - (alone and model.rule.top != "label")


def contexts_on(model: Model, wired: Topology) -> tuple[str, ...]:
    """Say what the dendrites of each layer hear; () where that is siblings without synapses, or nothing.

    Raises:
        UserError: where a layer that is to learn from others hears nobody.
    """
    depth = wired.depth
    if model.training.loss == "clapp":
        return (*["none"] * (depth - 2), "sibling", "none")[-depth:]
    if model.rule is None:
        if model.network.sends != "prediction":
            return ()
        return tuple(_first_heard(("sibling", "neighbour"), wired, k) for k in range(1, depth + 1))
    rule, labelled, shaped = model.plasticity_rule(), model.rule.top == "label", learning_layers(model, wired)
    if "context" in rule.requires and shaped == 0:
        raise UserError(
            f"rule.context = '{model.rule.context}': a single column hears no other, and rule '{rule.name}' learns from"
            " them (two layers or more)"
        )
    if model.learner == "local" and shaped == 0:
        raise UserError(
            f"rule.name = '{rule.name}': the network is one column, which is left to the readout, so that nothing"
            " learns (two layers or more)"
        )
    if rule.context is None and model.rule.context == "sibling":
        for number in range(1, shaped + 1) if "context" in rule.requires else ():
            _heard_of(model, wired, number, shaped)
        return ()
    found = []
    for number in range(1, depth + 1):
        if number > shaped:
            found.append("none")
        elif number == depth and labelled:
            found.append("label")
        else:
            found.append(_heard_of(model, wired, number, shaped - labelled))
    asked, heard = contexts.split(model.rule.context), {name for each in found for name in contexts.split(each)}
    if len(asked) > 1 and (missing := [name for name in asked if name not in heard]):
        raise UserError(
            f"rule.context = '{model.rule.context}': no column of any layer that learns hears a '{missing[0]}'"
            " (leave it out)"
        )
    return tuple(found)


def _heard_of(model: Model, wired: Topology, number: int, highest: int) -> str:
    """Take from a model's context what one layer can hear; siblings where that is nothing."""
    assert model.rule is not None
    left = []
    for name in contexts.split(model.rule.context):
        inside = contexts.column_table(name, wired, number).shape[1] > 0
        top = name == "top" and number != highest and wired.layers[highest - 1].positions > 1
        if inside or top or _known(name).labelled:
            left.append(name)
    if not left and contexts.column_table("sibling", wired, number).shape[1]:
        left = ["sibling"]
    if not left:
        others = ", ".join(
            f"'{name}'" for name in ("sibling", "neighbour") if contexts.column_table(name, wired, number).shape[1]
        )
        raise UserError(
            f"rule.context = '{model.rule.context}': no column of layer {number} hears another by it"
            f" ({f'there is {others}' if others else 'a layer above it, or more columns, would give it some'})"
        )
    return "+".join(left)


def _known(name: str) -> contexts.Context:
    """Find a context whose name has been checked."""
    found = contexts.find(name)
    assert found is not None
    return found


def _first_heard(names: tuple[str, ...], wired: Topology, number: int) -> str:
    return next((name for name in names if contexts.column_table(name, wired, number).shape[1]), "none")


def check_wiring(model: Model, task: Layout, wired: Topology) -> None:
    """Hold a model to what its topology and its task have.

    Raises:
        UserError: where it asks for more.
    """
    rule, several = model.rule, "the highest layer has several columns (a last [[layer]] of size 'all')"
    if rule is not None:
        for name in contexts.second_views(rule.context):
            if name != task.second_views:
                raise UserError(
                    f"rule.context = '{rule.context}': task '{task.name}' has no second view of that kind"
                    f" (it has {task.second_views or 'none'})"
                )
        if rule.top == "label" and wired.layers[-1].positions > 1:
            raise UserError(f"rule.top = 'label': {several}")
        if "top" in contexts.split(rule.context) and not wired.ancestors(1, wired.depth - 1).size:
            raise UserError(f"rule.context = '{rule.context}': receptive fields overlap, so that no part has a top")
    if model.training.loss != "labels" and not (
        wired.depth > 1 and contexts.column_table("sibling", wired, wired.depth - 1).shape[1]
    ):
        raise UserError(
            f"training.loss = '{model.training.loss}': no column of the layer below the highest has a sibling"
            " (two layers or more, with receptive fields that do not overlap)"
        )
    pools = [number for number, layer in enumerate(wired.layers, 1) if layer.pools is not None]
    if pools and (model.learner == "feedback" or model.in_brian or model.network.units == "vector"):
        fed = model.learner == "feedback"
        why = "no error path runs back through pooling" if fed else "scalar rate cells alone are pooled"
        raise UserError(f"layer {pools[0]}: pool: {why} (leave it out)")
    if model.network.units == "vector" and wired.layers[-1].positions > 1:
        raise UserError(f"network.units = 'vector': {several}")
