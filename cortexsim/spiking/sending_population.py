"""Cells that send up something else than the activity of a column, in spikes of their own."""

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

    Each cell scales its drive to a root mean square of ``target_drive`` about a rest at the rheobase (synaptic scaling:
    Turrigiano 2008).

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
        bias = 1 - scale * offset
    """
    parts.operations.append(Operation(group, Phase.THIRD_FACTOR, dedent(scaling)))
    tau = settings.cell_values(cell)["tau_synapse"]
    values = {"unit": 1 / (settings.unit_rate * tau), **release_parameters(settings)}
    model = ["w : 1", *shared_constants(values)]
    model += ["expected_post = w * (output_pre - mean_pre) : 1 (summed)", "offset_post = w * mean_pre : 1 (summed)"]
    parts.connections.append(
        Connection(
            name,
            spec.name,
            group,
            "\n".join(model),
            wiring,
            row=cells,
            on_pre=transmit(["current_post += unit * scale_post * w"], "sending", spec, settings),
            sums={"expected": Phase.DENDRITE, "offset": Phase.DENDRITE},
        )
    )
    parts.set(name, values)
    parts.carry(group, "power")
    parts.state.append(Variable(name, "w", tensor=tensor, layer=spec.number, writes_back=False))
