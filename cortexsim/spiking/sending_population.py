"""Cells that send up something else than the activity of a column, in spikes of their own."""

from dataclasses import replace

from cortexsim.spiking.assembly import LayerSpec, Parts, Wiring, dedent, shared_constants
from cortexsim.spiking.constraints import release_parameters, transmit
from cortexsim.spiking.network_spec import Connection, Operation, Phase, Variable
from cortexsim.spiking.population import add_population
from cortexsim.spiking.settings import Settings


def add_senders(
    spec: LayerSpec,
    cells: int,
    wiring: Wiring,
    tensor: str,
    settings: Settings,
    parts: Parts,
    polarity: str = "",
) -> None:
    """Add cells that a layer drives by copies of weights that it has elsewhere.

    Each cell scales its drive to a root mean square of ``target_drive`` about a rest at the rheobase, which is 0 for
    cells without spikes (synaptic scaling: Turrigiano 2008).

    Args:
        spec: of the layer; its ``output`` is the name of their group.
        cells: how many, of each column.
        wiring: of the synapses onto them.
        tensor: whose weights these copy.
        settings: everything else.
        parts: to add to.
        polarity: factor of the drive, +1 or -1.
    """
    cell, group = settings.cell_of(spec.substrate), spec.output
    name = f"{group.removesuffix(str(spec.number))}_input{spec.number}"
    variables = [f"{variable} : 1" for variable in ("expected", "offset", "power", "scale")]
    constants = {"target_drive": settings.target_drive, "mean_rate": settings.mean_rate}
    add_population(group, spec.positions * cells, cell, settings, parts, variables, constants)
    scaling = f"""
        power += learning(t) * mean_rate * (expected**2 - power)
        scale = {f"{polarity} * " if polarity else ""}target_drive / sqrt(power + 1e-12)
        bias = {int(cell.spikes)} - scale * offset
    """
    parts.operations.append(Operation(group, Phase.THIRD_FACTOR, dedent(scaling)))
    model = ["expected_post = w * (output_pre - mean_pre) : 1 (summed)", "offset_post = w * mean_pre : 1 (summed)"]
    connection = Connection(
        name, spec.name, group, "", wiring, row=cells, sums={"expected": Phase.DENDRITE, "offset": Phase.DENDRITE}
    )
    if cell.spikes:
        unit = 1 / (settings.unit_rate * settings.cell_values(cell)["tau_synapse"])
        values = {"unit": unit, **release_parameters(settings)}
        model += shared_constants(values)
        parts.set(name, values)
        on_pre = transmit(["current_post += unit * scale_post * w"], "sending", spec, settings)
        connection = replace(connection, on_pre=on_pre)
    else:
        drive = "w : 1\ncurrent_post = scale_post * w * output_pre : 1 (summed)"
        each_step = Connection(
            f"{name}_drive",
            spec.name,
            group,
            drive,
            wiring,
            row=cells,
            sums={"current": Phase.DENDRITE},
            every_step=True,
        )
        parts.connections.append(each_step)
        parts.state.append(Variable(each_step.name, "w", tensor=tensor, layer=spec.number, writes_back=False))
    parts.connections.append(replace(connection, model="\n".join(["w : 1", *model])))
    parts.carry(group, "power")
    parts.state.append(Variable(name, "w", tensor=tensor, layer=spec.number, writes_back=False))
