"""LPL's spiking network at toy size, and its inhibitory rule by itself."""

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.spiking.lpl.circuit import (
    AT_POST_SPIKE,
    AT_PRE_SPIKE,
    INHIBITING_MODEL,
    TRACE_EQUATIONS,
    TRACE_SPIKE,
    Sizes,
)
from cortexsim.spiking.lpl.constants import DT, INHIBITION, TRACE, values
from cortexsim.spiking.lpl.simulation import Condition, Simulation, mean_weights
from cortexsim.spiking.network_spec import RUN, Connection, Description, Group, Variable
from cortexsim.spiking.simulation import Stack, State

TOY = Sizes(population=10, excitatory=6, inhibitory=3, input_probability=0.6, input_weight=0.5, width=3.0)
WEIGHTS, INHIBITORY_WEIGHTS = "plastic.w", "inhibiting.w"


def simulation(condition: Condition, chunk: float, target: str = "numpy") -> Simulation:
    return Simulation(condition, TOY, seed=2, chunk=chunk, target=target)


def carried(condition: Condition, chunk: float, chunks: int, target: str = "numpy") -> tuple[State, dict[str, int]]:
    """Run chunks, and count the spikes of each group."""
    network, counts = simulation(condition, chunk, target), {}
    state = network.begin()
    for number in range(chunks):
        spikes, state = network.run(state, number, plastic=True)
        for group, cells in spikes.cells.items():
            counts[group] = counts.get(group, 0) + len(cells)
    return state, counts


def test_a_run_in_two_parts_is_the_run_in_one_to_the_last_bit() -> None:
    (whole, spikes), (parts, counts) = (carried(Condition(), chunk, round(0.6 / chunk)) for chunk in (0.6, 0.3))
    assert spikes == counts
    assert min(spikes.values()) > 5
    assert whole.keys() == parts.keys()
    assert all(np.array_equal(parts[key], values) for key, values in whole.items())
    assert not np.allclose(whole[WEIGHTS], TOY.input_weight)
    assert not np.allclose(whole[INHIBITORY_WEIGHTS], TOY.inhibiting_weight)


@pytest.mark.slow
def test_a_compiled_run_is_that_in_numpy_and_may_be_cut_anywhere() -> None:
    (numpy, _), (whole, _) = (carried(Condition(), 0.6, 1, target) for target in ("numpy", "cpp"))
    assert all(np.allclose(whole[key], values, rtol=1e-6, atol=1e-12) for key, values in numpy.items())
    parts, _ = carried(Condition(), 0.3, 2, "cpp")
    assert all(np.array_equal(parts[key], values) for key, values in whole.items())


def test_conditions_learn_what_they_say() -> None:
    begun = simulation(Condition(), 0.5).begin()
    network = simulation(Condition("fixed"), 0.5)
    primed = network.run(network.begin(), 0, plastic=False)[1]
    assert np.array_equal(primed[INHIBITORY_WEIGHTS], begun[INHIBITORY_WEIGHTS])
    assert np.array_equal(primed[WEIGHTS], begun[WEIGHTS])
    assert primed["excitatory.mean"].any()
    none = carried(Condition("none"), 0.5, 1)[0]
    assert not none[INHIBITORY_WEIGHTS].any()
    assert not none["excitatory.g_gaba"].any()
    with pytest.raises(UserError, match="inhibition = 'some' is not known"):
        Condition("some")


def test_input_cells_spike_at_the_rates_of_their_populations() -> None:
    sizes = Sizes(population=200, excitatory=4, inhibitory=4, lateral_probability=1.0)
    network = Simulation(Condition("none"), sizes, seed=1, chunk=1.0, target="numpy")
    spikes, _ = network.run(network.begin(), 0, plastic=False)
    counts = spikes.binned("input", 1e-3).sum(0).reshape(5, 200).sum(1)
    ends = np.arange(1000) * 1e-3
    expected = 200 * np.array(
        [np.interp(ends / 10e-3, np.arange(len(r)), r, period=len(r)).mean() for r in network.rates]
    )
    assert np.all(np.abs(counts - expected) < 4 * np.sqrt(expected))
    steps = np.rint(spikes.times["input"] / DT).astype(int) % 10
    assert np.bincount(steps, minlength=10).min() > 0.7 * len(steps) / 10


def test_mean_weights_count_missing_synapses_as_zero() -> None:
    network = simulation(Condition(), 0.5)
    found = mean_weights(network, network.begin())
    assert found.shape == (5, 6)
    assert np.isclose(found.sum() * TOY.population, TOY.input_weight * len(network.targets))


@pytest.mark.slow
def test_inhibitory_weights_rest_where_cells_fire_at_the_target() -> None:
    """At independent Poisson rates the mean change is 2 zeta tau r_pre (r_post - target): zero at the target alone."""
    cells, rates = 30, np.repeat([5.0, 10.0, 20.0], 100)
    poisson = f"{TRACE_EQUATIONS}\nrate : Hz\nseed : integer (shared, constant)"
    threshold = "uniform(seed, 0, timestep(t, dt), i) < rate * dt"
    groups = (("pre", cells), ("post", len(rates)))
    description = Description(
        dt=DT,
        period=10,
        updates=1,
        capacity=1000,
        groups=(
            Group(RUN, 1, "steps : integer (shared)"),
            *(Group(name, size, poisson, threshold, TRACE_SPIKE, method="euler", seeded=True) for name, size in groups),
        ),
        connections=(
            Connection("inhibiting", "pre", "post", INHIBITING_MODEL,
                       ("broadcast", {"sources": cells, "targets": len(rates)}),
                       on_pre=AT_PRE_SPIKE, on_post=AT_POST_SPIKE),
        ),
        operations=(),
        streams={},
        state=(Variable("inhibiting", "w"),),
        activity=(),
        recorded=("pre", "post"),
    )  # fmt: skip
    given = {**values("pre", TRACE), **values("post", TRACE), **values("inhibiting", INHIBITION), f"{RUN}.steps": 10000}
    given |= {"pre.rate": np.full(cells, 10.0), "post.rate": rates, "pre.seed": 1, "post.seed": 2}
    given |= {"inhibiting.zeta": 1e-4, "inhibiting.w": np.full(cells * len(rates), 0.5)}
    stack = Stack(description, {}, "numpy")
    found = stack.engine.run(given, {}, ["inhibiting.w", "spikes_pre.i", "spikes_post.i"])
    changes = (found["inhibiting.w"] - 0.5).reshape(cells, 3, 100).mean((0, 2))
    pre = len(found["spikes_pre.i"]) / cells
    post = np.bincount(found["spikes_post.i"] // 100, minlength=3) / 100
    expected = 2 * 1e-4 * 20e-3 * pre * (post - 10)
    assert changes[0] < 0 < changes[2]
    assert np.allclose(changes, expected, atol=0.1 * np.abs(expected).max())
