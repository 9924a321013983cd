"""LPL's spiking network: input populations, excitatory cells with plastic input, inhibitory cells that balance them.

Halvagal & Zenke, Nature Neuroscience 2023, Figure 5. Voltages, conductances and spikes advance by 0.1 ms. Eligibility
traces advance once an update, by the mean of the surrogate derivative since the last; and weights change every 0.5 s.
"""

from dataclasses import dataclass
from math import exp

from cortexsim.spiking.assembly import Wiring
from cortexsim.spiking.lpl import equations
from cortexsim.spiking.lpl.constants import (
    CELL,
    DT,
    INHIBITION,
    POSTSYNAPTIC,
    PREDICTION_DELAY,
    PRESYNAPTIC,
    SYNAPSE,
    TRACE,
    WEIGHT_PERIOD,
    declared,
    values,
)
from cortexsim.spiking.lpl.signals import POPULATIONS
from cortexsim.spiking.network_spec import INPUT, RUN, Connection, Description, Group, Operation, Phase, Variable

EXCITATORY, INHIBITORY = "excitatory", "inhibitory"
PLASTIC, RECRUITING, INHIBITING, LATERAL = "plastic", "recruiting", "inhibiting", "lateral"
CELL_STATE = ("v", "threshold", "g_ampa", "g_nmda", "g_gaba", "trace")
TRACE_EQUATIONS = f"dtrace/dt = -trace / tau_stdp : 1\n{declared(TRACE)}"
TRACE_SPIKE = "trace += 1"
INHIBITING_MODEL = f"w : 1\n{declared(INHIBITION)}"
AT_PRE_SPIKE = "w = clip(w + zeta * (trace_post - 2 * target * tau_stdp_post), 0, w_max)"
AT_POST_SPIKE = "w = clip(w + zeta * trace_pre, 0, w_max)"
"""Symmetric STDP of inhibitory synapses; Eq. 24 with the sign of the erratum."""


@dataclass(frozen=True)
class Sizes:
    """How large the network is, and how its cells are connected before anything is learned.

    Attributes:
        population: input cells of each population.
        excitatory: cells.
        inhibitory: cells.
        input_probability: of a plastic synapse between an input cell and an excitatory cell.
        input_weight: with which plastic synapses begin.
        width: of the neighbourhood from which an inhibitory cell is excited, in excitatory cells.
        recruiting_weight: of those synapses.
        inhibiting_probability: of a synapse from an inhibitory to an excitatory cell.
        inhibiting_weight: with which they begin.
        lateral_probability: of a synapse between inhibitory cells.
        lateral_weight: of those.
    """

    population: int = 100
    excitatory: int = 100
    inhibitory: int = 25
    input_probability: float = 0.1
    input_weight: float = 0.15
    width: float = 20.0
    recruiting_weight: float = 0.5
    inhibiting_probability: float = 0.5
    inhibiting_weight: float = 0.5
    lateral_probability: float = 0.1
    lateral_weight: float = 0.4


def describe_circuit(sizes: Sizes, seed: int, capacity: int, steps: int = 10) -> tuple[Description, dict[str, float]]:
    """Describe the network.

    Args:
        sizes: of the network.
        seed: by which its cells are connected.
        capacity: most updates in one chunk.
        steps: time steps of 0.1 ms from one update to the next.

    Returns:
        The description, and the values of its constants by ``owner.name``.
    """
    delay = round(PREDICTION_DELAY / (DT * steps))
    carried = {
        INPUT: ("synapse", "psp"),
        EXCITATORY: (*CELL_STATE, *equations.POST_STATE, *equations.delayed(delay)),
        INHIBITORY: CELL_STATE,
        PLASTIC: equations.SYNAPSE_STATE,
        INHIBITING: ("w",),
    }
    description = Description(
        dt=DT,
        period=steps,
        updates=1,
        capacity=capacity,
        groups=(Group(RUN, 1, "steps : integer (shared)"), _input(sizes), *_cells(sizes, delay)),
        connections=_connections(sizes, seed),
        operations=_operations(sizes, delay),
        streams={"probability": len(POPULATIONS), "number": None, "learning": None, "due": None, "plastic": None},
        state=tuple(Variable(owner, name) for owner, names in carried.items() for name in names),
        activity=(),
        recorded=(INPUT, EXCITATORY, INHIBITORY),
    )
    return description, _constants(sizes, steps)


def _input(sizes: Sizes) -> Group:
    """Poisson cells: of each update it is drawn once whether a cell spikes, and in which step."""
    model = f"""{equations.PRE_EQUATIONS}
        spike_step : integer
        seed : integer (shared, constant)
        update_steps : integer (shared, constant)
    """
    threshold = "spike_step == timestep(t, dt) % update_steps"
    size = sizes.population * len(POPULATIONS)
    return Group(INPUT, size, model, threshold, equations.PRE_SPIKE, method="euler", seeded=True)


def _cells(sizes: Sizes, delay: int) -> tuple[Group, Group]:
    earlier = "\n".join(f"{name} : Hz" for name in equations.delayed(delay))
    plain, spike = f"{equations.CELL_EQUATIONS}\n{TRACE_EQUATIONS}", f"{equations.CELL_SPIKE}\n{TRACE_SPIKE}"
    learning, learned = f"{plain}\n{equations.POST_EQUATIONS}\n{earlier}", f"{spike}\n{equations.POST_SPIKE}"
    return (
        Group(EXCITATORY, sizes.excitatory, learning, "v > threshold", learned, method="euler"),
        Group(INHIBITORY, sizes.inhibitory, plain, "v > threshold", spike, method="euler"),
    )


def _connections(sizes: Sizes, seed: int) -> tuple[Connection, ...]:
    inputs, e, i = sizes.population * len(POPULATIONS), sizes.excitatory, sizes.inhibitory

    def random(sources: int, targets: int, probability: float, place: int, itself: bool = True) -> Wiring:
        arguments = {"sources": sources, "targets": targets, "probability": probability, "itself": itself}
        return "random", {**arguments, "seed": seed + place}

    near = ("neighbourhood", {"sources": e, "targets": i, "width": sizes.width, "seed": seed})
    fixed = "w : 1 (shared, constant)"
    return (
        Connection(PLASTIC, INPUT, EXCITATORY, plastic_model(), random(inputs, e, sizes.input_probability, 0),
                   on_pre="g_ampa_post += w"),
        Connection(RECRUITING, EXCITATORY, INHIBITORY, fixed, near, on_pre="g_ampa_post += w"),
        Connection(INHIBITING, INHIBITORY, EXCITATORY, INHIBITING_MODEL, random(i, e, sizes.inhibiting_probability, 1),
                   on_pre=f"g_gaba_post += w\n{AT_PRE_SPIKE}", on_post=AT_POST_SPIKE),
        Connection(LATERAL, INHIBITORY, INHIBITORY, fixed, random(i, i, sizes.lateral_probability, 2, itself=False),
                   on_pre="g_gaba_post += w"),
    )  # fmt: skip


def plastic_model() -> str:
    """Write the model of plastic synapses."""
    return f"""
        w : 1
        elig_rise : 1/volt
        elig : 1/volt
        total : Hz/volt
        share_rise : 1 (shared, constant)
        share_fall : 1 (shared, constant)
        updates : 1 (shared, constant)
        {declared(SYNAPSE)}
    """


def rule_constants(steps: int) -> dict[str, float]:
    """Give the constants of the rule by ``owner.name``, for updates after so many steps."""
    interval, rise, fall = DT * steps, POSTSYNAPTIC["tau_rise"].value, POSTSYNAPTIC["tau_fall"].value
    return {
        **values(INPUT, PRESYNAPTIC),
        **values(EXCITATORY, POSTSYNAPTIC),
        f"{EXCITATORY}.interval": interval,
        **values(PLASTIC, SYNAPSE),
        f"{PLASTIC}.share_rise": 1 - exp(-interval / rise),
        f"{PLASTIC}.share_fall": 1 - exp(-interval / fall),
        f"{PLASTIC}.updates": WEIGHT_PERIOD / interval,
    }


def _operations(sizes: Sizes, delay: int) -> tuple[Operation, ...]:
    draw = f"uniform(seed, int(number(t)), 0, i) / probability(t, i // {sizes.population})"
    return (
        Operation(PLASTIC, Phase.LEARNING, equations.LEARN),
        Operation(EXCITATORY, Phase.STATISTICS, equations.remember(delay)),
        Operation(INPUT, Phase.STIMULUS, f"spike_step = int(update_steps * {draw})"),
    )


def _constants(sizes: Sizes, steps: int) -> dict[str, float]:
    return {
        **rule_constants(steps),
        f"{INPUT}.update_steps": steps,
        **values(EXCITATORY, CELL),
        **values(INHIBITORY, CELL),
        **values(EXCITATORY, TRACE),
        **values(INHIBITORY, TRACE),
        **values(INHIBITING, INHIBITION),
        f"{RECRUITING}.w": sizes.recruiting_weight,
        f"{LATERAL}.w": sizes.lateral_weight,
    }
