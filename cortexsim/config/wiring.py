"""The connectivity of a model's network on a task: receptive fields, and the context of each layer."""

from dataclasses import replace

from cortexsim import contexts, topology
from cortexsim.config.schema import LayerTable, Model
from cortexsim.errors import UserError, error_prefix
from cortexsim.tasks import Layout
from cortexsim.topology import Columns, Topology


def topology_on(model: Model, task: Layout) -> Topology:
    """Return the receptive fields of a model's network on the grid of a task.

    They are those of the tables ``layer``, or else form a tree: that of the task's hierarchy, or one over its grid.

    >>> from cortexsim.config.registry import find_model
    >>> from cortexsim.tasks.digits import Digits
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> model = find_model("clapp")
    >>> topology_on(model, Hierarchy(depth=3)).positions, topology_on(model, Digits()).positions
    ((4, 2, 1), (16, 4, 1))

    Raises:
        UserError: the layers do not fit on the grid.
    """
    for name in ("layers", "top_cells"):
        if model.layer and (value := getattr(model.network, name)) is not None:
            raise UserError(f"network.{name} = {value}: the model lists its layers (leave it out)")
    wired = _layers_on(model, task)
    if model.network.top_cells is None:
        return wired
    *lower, highest = wired.layers
    return replace(wired, layers=(*lower, replace(highest, cells=model.network.top_cells)))


def _layers_on(model: Model, task: Layout) -> Topology:
    channels = task.channels * model.afferents
    if not model.layer and model.network.layers is None and task.depth is not None and len(task.grid) == 1:
        return topology.tree(task.depth, task.branching, channels)
    if not model.layer:
        with error_prefix("network.layers"):
            return topology.pyramid(task.grid, channels, model.layers_on(task), task.branching)
    layers: list[Columns] = []
    grid = task.grid
    for number, table in enumerate(model.layer, 1):
        with error_prefix(f"layer {number}"):
            layers.append(_columns(table, grid))
        grid = layers[-1].sent_grid
    return topology.stacked(task.grid, channels, tuple(layers))


def _columns(table: LayerTable, grid: tuple[int, ...]) -> Columns:
    if table.pooling != "mean" and table.pool == 1:
        raise UserError(f"pooling = '{table.pooling}': no columns are pooled (pool = 2 or more, or leave it out)")
    if table.size == "all":
        if table.stride is not None or table.pool > 1 or table.padding:
            raise UserError("size = 'all': the layer is a single column (leave stride, padding and pool out)")
        columns = topology.all_to_all(grid, table.cells)
        return columns if table.places is None else topology.with_places(columns, table.places)
    if table.size > max(grid) + 2 * table.padding:
        raise UserError(
            f"size = {table.size}: the layer below has {' x '.join(map(str, grid))} positions ('all', or less)"
        )
    if table.padding >= table.size:
        raise UserError(f"padding = {table.padding}: a column would see nothing (less than size = {table.size})")
    columns = topology.convolution(grid, table.size, table.stride or table.size, table.cells, table.padding)
    columns = columns if table.pool == 1 else topology.pooled(columns, table.pool, table.pooling)
    return columns if table.places is None else topology.with_places(columns, table.places)


def learning_layers(model: Model, wired: Topology) -> int:
    """Return how many layers, from the lowest, a local rule trains.

    A single column at the top is not trained, since no other column provides context for it, unless its context is the
    label or its own activity in the next fixation.

    Args:
        model: the model, with a rule.
        wired: its receptive fields.
    """
    assert model.rule is not None
    alone = wired.layers[-1].positions == 1 and not contexts.trains_single_column(model.rule.context)
    return wired.depth - (alone and model.rule.top != "label")


def contexts_on(model: Model, wired: Topology) -> tuple[str, ...]:
    """Return the context of each layer; empty if no layer has context synapses.

    Args:
        model: the model.
        wired: its receptive fields.

    Returns:
        For each layer, from the lowest, a context such as ``sibling``, several joined by ``+``, or ``none``.

    Raises:
        UserError: a layer that the rule trains has no context.
    """
    depth = wired.depth
    if model.training.context == "view":
        return (*["none"] * (depth - 1), "view") if model.training.loss == "clapp" else ()
    if model.training.loss == "clapp":
        return (*["none"] * (depth - 2), "sibling", "none")[-depth:]
    if model.rule is None:
        if model.network.sends != "prediction":
            return ()
        return tuple(_first_available(("sibling", "neighbour"), wired, k) for k in range(1, depth + 1))
    rule, labelled, trained = model.plasticity_rule(), model.rule.top == "label", learning_layers(model, wired)
    if "context" in rule.requires and trained == 0:
        raise UserError(
            f"rule.context = '{model.rule.context}': rule '{rule.name}' learns from other columns, but there are none"
            " (two layers or more)"
        )
    if model.learner == "local" and trained == 0:
        raise UserError(
            f"rule.name = '{rule.name}': the network is a single column, which the rule does not train"
            " (two layers or more)"
        )
    if rule.context is None and model.rule.context == "sibling":
        for number in range(1, trained + 1) if "context" in rule.requires else ():
            _context_of(model, wired, number, trained)
        return ()
    assigned = []
    for number in range(1, depth + 1):
        if number > trained:
            assigned.append("none")
        elif number == depth and labelled:
            assigned.append("label")
        else:
            assigned.append(_context_of(model, wired, number, trained - labelled))
    wanted, used = contexts.split(model.rule.context), {name for each in assigned for name in contexts.split(each)}
    if len(wanted) > 1 and (missing := [name for name in wanted if name not in used]):
        raise UserError(f"rule.context = '{model.rule.context}': no trained layer has a '{missing[0]}' (leave it out)")
    return tuple(assigned)


def _context_of(model: Model, wired: Topology, number: int, highest: int) -> str:
    """Return those of a model's contexts that exist for a layer, dendrite by dendrite, or else siblings."""
    assert model.rule is not None
    dendrites = []
    for name in contexts.dendrites(model.rule.context):
        if available := [source for source in contexts.split(name) if _exists(source, wired, number, highest)]:
            dendrites.append("+".join(available))
    if not dendrites and contexts.column_table("sibling", wired, number).shape[1]:
        dendrites = ["sibling"]
    if not dendrites:
        others = ", ".join(
            f"'{name}'" for name in ("sibling", "neighbour") if contexts.column_table(name, wired, number).shape[1]
        )
        raise UserError(
            f"rule.context = '{model.rule.context}': no column of layer {number} has a context of this kind"
            f" ({f'it has {others}' if others else 'add columns, or a layer above'})"
        )
    return "|".join(dendrites)


def _exists(name: str, wired: Topology, number: int, highest: int) -> bool:
    """Whether a layer has a context of this name; ``highest`` is the highest layer with one."""
    inside = contexts.column_table(name, wired, number).shape[1] > 0
    top = name == "top" and number != highest and wired.layers[highest - 1].positions > 1
    source = _known(name)
    return inside or top or source.labelled or (source.paired and not source.columns)


def _known(name: str) -> contexts.Context:
    """Return a context whose name has been validated."""
    context = contexts.find(name)
    assert context is not None
    return context


def _first_available(names: tuple[str, ...], wired: Topology, number: int) -> str:
    return next((name for name in names if contexts.column_table(name, wired, number).shape[1]), "none")


def check_wiring(model: Model, task: Layout, wired: Topology) -> None:
    """Check that topology and task support the context, loss and cells of a model.

    Args:
        model: the model.
        task: the layout of the inputs.
        wired: the receptive fields of the model on this task.

    Raises:
        UserError: they do not.
    """
    rule, several = model.rule, "the highest layer has several columns (a last [[layer]] of size 'all')"
    if model.sees_pairs and task.second_views != "view":
        key, value = ("training", model.training.context) if rule is None else ("rule", rule.context)
        raise UserError(f"{key}.context = '{value}': task '{task.name}' has no random views ('digits', 'images')")
    if model.network.substrate[0] == "spiking" and getattr(task, "signed", False):
        raise UserError(
            f"task '{task.name}': values are of both signs, and input spikes have no rate below 0"
            " (ON and OFF cells, as task.polarity = 'on-off' gives patches)"
        )
    if rule is not None:
        for name in contexts.second_views(rule.context):
            if name != task.second_views:
                raise UserError(
                    f"rule.context = '{rule.context}': task '{task.name}' has no second view of that kind"
                    f" (it has {task.second_views or 'none'})"
                )
        if rule.top == "label" and wired.layers[-1].positions > 1:
            raise UserError(f"rule.top = 'label': {several}")
        if model.spiking.prediction_synapses != "copied":
            _check_teachers(model, wired)
        if "top" in contexts.split(rule.context) and not wired.ancestors(1, wired.depth - 1).size:
            raise UserError(
                f"rule.context = '{rule.context}': receptive fields overlap, so that columns have no unique ancestor"
            )
    if (
        model.training.loss != "labels"
        and model.training.context == "sibling"
        and not (wired.depth > 1 and contexts.column_table("sibling", wired, wired.depth - 1).shape[1])
    ):
        raise UserError(
            f"training.loss = '{model.training.loss}': no column of the layer below the highest has a sibling"
            " (two layers or more, without overlap of receptive fields)"
        )
    pools = [number for number, layer in enumerate(wired.layers, 1) if layer.pools is not None]
    if pools and (model.learner == "feedback" or model.in_brian or model.network.units == "vector"):
        fed = model.learner == "feedback"
        why = "errors cannot be propagated through pooling" if fed else "only scalar rate cells can be pooled"
        raise UserError(f"layer {pools[0]}: pool: {why} (leave it out)")
    padded = [number for number, layer in enumerate(wired.layers, 1) if layer.padded]
    if padded and model.in_brian:
        raise UserError(f"layer {padded[0]}: padding: columns in Brian2 see the layer below alone (leave it out)")
    if model.network.units == "vector" and model.network.top_cells is not None:
        why = "components of the highest layer stand for classes"
        raise UserError(f"network.top_cells = {model.network.top_cells}, with units = 'vector': {why} (leave it out)")
    if model.network.units == "vector" and wired.layers[-1].positions > 1:
        raise UserError(f"network.units = 'vector': {several}")


def _check_teachers(model: Model, wired: Topology) -> None:
    """Check that each column is context of the columns in its own context, since those that are predicted teach."""
    assert model.rule is not None
    # Labels are not predicted for other columns.
    contrasting = learning_layers(model, wired) - (model.rule.top == "label")
    for number in range(1, contrasting + 1):
        context = contexts.column_table(_context_of(model, wired, number, 0), wired, number)
        pairs = {(column, int(source)) for column, row in enumerate(context) for source in row}
        if pairs != {(source, column) for column, source in pairs}:
            raise UserError(
                f"spiking.prediction_synapses = '{model.spiking.prediction_synapses}', with context ="
                f" '{model.rule.context}': not every column is context of its own context ('sibling')"
            )
