"""LPL in spiking cells, Halvagal & Zenke 2023, Figures 5 and 6: ``cortexsim experiment lpl_spiking``.

The rule, the network and the pairings, with the source of every constant, are in ``cortexsim/spiking/lpl``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cortexsim.spiking.lpl.circuit import EXCITATORY, INHIBITING, INHIBITORY
from cortexsim.spiking.lpl.pairing import Pairings, pair
from cortexsim.spiking.lpl.signals import POPULATIONS
from cortexsim.spiking.lpl.simulation import Condition, Simulation, Spikes, mean_weights
from cortexsim.spiking.network_spec import INPUT
from cortexsim.studies.chunks import Arrays, Chunked
from cortexsim.studies.program_experiment import Program, Row

ETA, SECONDS, PRIMING, CHUNK = 5e-2, 10_000, 1800, 100  # Volt; seconds. Published: 0.01 for 100,000 s.
CONDITIONS = {
    "LPL": Condition(eta=ETA),
    "fixed inhibition": Condition("fixed", eta=ETA),
    "no inhibition": Condition("none", eta=ETA),
    "not predictive": Condition(predictive=0.0, eta=ETA),
    "not Hebbian": Condition(hebbian=0.0, eta=ETA),
}
BIN, HELD_OUT, PENALTY = 25e-3, 0.05, 0.1  # Seconds; share of the bins, 5 s of 100 s; of the Lasso.
EVERY = 10  # Chunks from one entry of the history to the next.
MEASURED = ("correlation", *(f"r2 {name}" for name in POPULATIONS), *(f"folds {name}" for name in POPULATIONS))
HISTORY = ("seconds", EXCITATORY, INHIBITORY, "inhibitory weight", *POPULATIONS, *MEASURED)

VARIANCES, FREQUENCIES = (0.1, 1.0, 100.0), (0.1, 1.0, 10.0, 20.0, 30.0, 40.0, 50.0)  # Hz.


def measure(case: Mapping[str, Any]) -> Sequence[Row] | Chunked:
    """Measure a case: a protocol of pairings, or the network in one condition.

    Args:
        case: with ``variance`` and ``steps``, or with ``frequency``, pairings; with ``condition``, ``seed``,
            ``seconds`` and ``priming``, the network.

    Returns:
        Rows: of pairings with ``delays`` in ms and relative ``changes`` of weights; of the network, see `summary`.
    """
    if "condition" in case:
        return simulated(case)
    if "frequency" in case:
        protocol = Pairings(case["frequency"], widest=20e-3, mean=20.0, variance=0.1)
    else:
        protocol = Pairings(10.0, widest=50e-3, mean=10.0, variance=case["variance"])
    changes = pair(protocol, case.get("steps", 10))
    return [{**case, "pairings": protocol.given, "delays": rounded(protocol.delays * 1e3), "changes": rounded(changes)}]


def simulated(case: Mapping[str, Any]) -> Chunked:
    """Simulate the network in one condition, and keep what is needed of its first chunk, its last, and its history."""
    simulation = Simulation(CONDITIONS[case["condition"]], seed=case["seed"], chunk=CHUNK)
    priming = case["priming"] // CHUNK
    chunks = priming + case["seconds"] // CHUNK

    def begin() -> Arrays:
        return {**simulation.begin(), "history": np.zeros((0, len(HISTORY))), "rates": np.zeros(0)}

    def advance(number: int, state: Arrays) -> Arrays:
        kept = {key: state[key] for key in ("history", "rates")}
        network = {key: array for key, array in state.items() if key not in kept}
        spikes, after = simulation.run(network, number, plastic=number >= priming)
        if number == 0 or (number + 1) % EVERY == 0 or number == chunks - 1:
            entry = history_entry((number + 1) * CHUNK, spikes, mean_weights(simulation, after), after)
            kept["history"] = np.vstack([kept["history"], entry])
        if number == chunks - 1:
            kept["rates"] = spikes.rates(EXCITATORY)
            kept["participation"] = np.array(participation(spikes.binned(EXCITATORY, BIN)))
            kept["last"] = mean_weights(simulation, after)
        return {**after, **kept}

    return Chunked(chunks, begin, advance, lambda state: [summary(case, state)])


def history_entry(seconds: float, spikes: Spikes, weights: np.ndarray, state: Arrays) -> np.ndarray:
    """Measure a chunk: what `HISTORY` names, (quantities,)."""
    found = decoded(spikes)
    rates = [spikes.rates(group).mean() for group in (EXCITATORY, INHIBITORY)]
    inhibition = state[f"{INHIBITING}.w"].mean()
    return np.array([seconds, *rates, inhibition, *weights.mean(1), *(found[name] for name in MEASURED)])


def decoded(spikes: Spikes) -> dict[str, float]:
    """Read the input from the output, by a Lasso from spike counts of cells to spike counts of input populations.

    Returns:
        ``correlation`` of the held-out counts of all populations, read at once, with the true ones; and for each
        population R², of the last 5 s as published (``r2``), and as the mean of 20 blocks of 5 s (``folds``).
    """
    from sklearn.linear_model import Lasso

    output = spikes.binned(EXCITATORY, BIN)
    of_inputs = spikes.binned(INPUT, BIN)
    inputs = of_inputs.reshape(len(output), len(POPULATIONS), -1).sum(2)  # (bins, populations)
    blocks = np.array_split(np.arange(len(output)), round(1 / HELD_OUT))
    predicted = np.empty_like(inputs)
    for block in blocks:
        rest = np.delete(np.arange(len(output)), block)
        predicted[block] = Lasso(alpha=PENALTY).fit(output[rest], inputs[rest]).predict(output[block])
    each = np.array([explained(inputs[block], predicted[block]) for block in blocks])  # (blocks, populations)
    correlation = np.corrcoef(predicted[blocks[-1]].ravel(), inputs[blocks[-1]].ravel())[0, 1]
    return {"correlation": correlation} | dict(zip(MEASURED[1:], [*each[-1], *each.mean(0)], strict=True))


def explained(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Share of the variance that is predicted, R², of each column, (populations,)."""
    return 1 - ((true - predicted) ** 2).sum(0) / ((true - true.mean(0)) ** 2).sum(0)


def participation(counts: np.ndarray) -> float:
    """Participation ratio of spike counts, (bins, cells): over how many dimensions they are spread."""
    spectrum = np.linalg.eigvalsh(np.cov(counts.T))
    return float(spectrum.sum() ** 2 / (spectrum**2).sum())


def summary(case: Mapping[str, Any], state: Arrays) -> Row:
    """Make the row of a condition.

    Returns:
        With ``history`` by quantity; and of the last chunk ``rates`` of excitatory cells in Hz, ``participation``, and
        ``weights`` of each population, (populations, excitatory cells).
    """
    return {
        **case,
        "eta": CONDITIONS[case["condition"]].eta,
        "history": {name: rounded(values) for name, values in zip(HISTORY, state["history"].T, strict=True)},
        "rates": rounded(state["rates"]),
        "participation": round(float(state["participation"]), 3),
        "weights": [rounded(values) for values in state["last"]],
    }


def rounded(values: np.ndarray) -> list[float]:
    """Round to five significant digits."""
    return [float(f"{value:.5g}") for value in values]


PAIRINGS: list[Mapping[str, Any]] = [{"variance": variance, "steps": 10} for variance in VARIANCES]
NETWORKS = [{"condition": name, "seed": 0, "seconds": SECONDS, "priming": PRIMING} for name in CONDITIONS]
EXPERIMENT = Program(
    "LPL in spiking cells: pairings of spikes, and a network that finds the signals that can be predicted",
    cases=[
        *PAIRINGS,
        {"variance": VARIANCES[0], "steps": 1},
        *({"frequency": frequency} for frequency in FREQUENCIES),
        *NETWORKS,
    ],
    measure=measure,
    tables=lambda rows: {},
    quick=[*PAIRINGS, {**NETWORKS[0], "seconds": 200, "priming": 600}],
)
