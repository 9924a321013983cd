"""LPL in spiking cells, Halvagal & Zenke 2023, Figures 5 and 6: ``cortexsim experiment lpl_spiking``.

The rule, the network and the pairings, with the source of every constant, are in ``cortexsim/spiking/lpl``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cortexsim.analysis.plots import COLOURS
from cortexsim.report.markdown import table
from cortexsim.spiking.lpl.circuit import EXCITATORY, INHIBITING, INHIBITORY
from cortexsim.spiking.lpl.constants import CELL, INHIBITION, POSTSYNAPTIC, PRESYNAPTIC, SYNAPSE, TRACE
from cortexsim.spiking.lpl.pairing import Pairings, pair
from cortexsim.spiking.lpl.signals import POPULATIONS
from cortexsim.spiking.lpl.simulation import Condition, Simulation, Spikes, mean_weights
from cortexsim.spiking.network_spec import INPUT
from cortexsim.studies.chunks import Arrays, Chunked
from cortexsim.studies.program_experiment import Program, Row

SECONDS, PRIMING, CHUNK = 10_000, 1800, 100  # Published: 100,000 s of learning after as much priming.
FAST = "LPL, eta 0.05"  # Five times the published learning rate.
CONDITIONS = {
    "LPL": Condition(),
    "fixed inhibition": Condition("fixed"),
    "no inhibition": Condition("none"),
    "not predictive": Condition(predictive=0.0),
    "not Hebbian": Condition(hebbian=0.0),
    FAST: Condition(eta=5e-2),
}
BIN, HELD_OUT, PENALTY = 25e-3, 0.05, 0.1  # Seconds; share of the bins, 5 s of 100 s; of the Lasso.
SILENT = 0.1  # Hz.
EVERY = 20  # Chunks from one entry of the history to the next.
MEASURED = ("correlation", *(f"r2 {name}" for name in POPULATIONS), *(f"folds {name}" for name in POPULATIONS))
HISTORY = ("seconds", EXCITATORY, INHIBITORY, "inhibitory weight", *POPULATIONS, *MEASURED)

VARIANCES, FREQUENCIES = (0.1, 1.0, 100.0), (0.1, 1.0, 10.0, 20.0, 30.0, 40.0, 50.0)  # Hz.

COURSE = (100, 2000, 4000, 6000, 8000, 10_000)  # Seconds; learning begins after 1800.
CONSTANTS = (CELL, PRESYNAPTIC, POSTSYNAPTIC, SYNAPSE, INHIBITION, TRACE)
NETWORK_COLUMNS = (
    "", "learning (s)", "correlation before", "after", "after, published", "selectivity 1", "selectivity 2",
    "excitatory rate (Hz)", "silent cells", "inhibitory rate (Hz)", "participation ratio",
)  # fmt: skip

# As the notebooks of the released code print them, and, for pairings, as read off the figures that they store.
PUBLISHED_R2 = {
    "LPL": (0.000, 0.807, 0.002, 0.837, -0.007),
    "fixed inhibition": (0.016, 0.585, 0.143, 0.644, 0.206),
    "no inhibition": (0.016, 0.777, 0.180, 0.823, 0.192),
}
PUBLISHED_CORRELATION = {"LPL": "0.773", "no inhibition": "0.790"}
PUBLISHED_PAIRINGS = {
    0.1: ("+0.42", "+13 ms", "-0.26", "-31 ms"),
    1.0: ("+0.11", "-5 ms", "-0.06", "-45 ms"),
    100.0: ("+0.14", "-9 ms", "-0.08", "+22 ms"),
}
PUBLISHED_FREQUENCIES = {
    0.1: ("+0.10", "-0.17"), 1.0: ("+0.13", "-0.40"), 10.0: ("+0.11", "-0.45"), 20.0: ("+0.57", "+0.55"),
    30.0: ("+0.57", "+0.50"), 40.0: ("+0.46", "+0.44"), 50.0: ("+0.31", "+0.30"),
}  # fmt: skip


def measure(case: Mapping[str, Any]) -> Sequence[Row] | Chunked:
    """Measure a case: a protocol of pairings, or the network in one condition.

    Args:
        case: with ``variance``, and ``steps`` of 0.1 ms between updates of the eligibility traces, or with
            ``frequency``, pairings; with ``condition``, ``seed``, ``seconds`` and ``priming``, the network.

    Returns:
        Rows: of pairings with ``delays`` in ms and relative ``changes`` of weights; of the network, see `summary`.
    """
    if "condition" in case:
        return simulated(case)
    if "frequency" in case:
        protocol = Pairings(case["frequency"], widest=20e-3, mean=20.0, variance=0.1)
    else:
        protocol = Pairings(10.0, widest=50e-3, mean=10.0, variance=case["variance"])
    changes = pair(protocol, case.get("steps", 1))
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


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Make the README's tables, each published number beside ours."""
    pairings, frequencies, networks = parted(rows)
    lobes = [[f"variance {row['variance']:g}, update {row['steps'] / 10:g} ms", *extremes(row)] for row in pairings]
    lobes += [[f"variance {variance:g}, published", *values] for variance, values in PUBLISHED_PAIRINGS.items()]
    at = {row["frequency"]: [f"{changed(row, delay):+.2f}" for delay in (10, -10)] for row in frequencies}
    rates = [[f"{frequency:g} Hz", *found, *PUBLISHED_FREQUENCIES[frequency]] for frequency, found in at.items()]
    decoding, course = [], []
    for row in networks:
        name, history = row["condition"], row["history"]
        for kind, label in (("r2", "last 5 s"), ("folds", "20 blocks of 5 s")):
            decoding.append([f"{name}, {label}", *(f"{history[f'{kind} {each}'][-1]:.3f}" for each in POPULATIONS)])
        decoding += [[f"{name}, published", *(f"{v:.3f}" for v in PUBLISHED_R2[name])]] if name in PUBLISHED_R2 else []
        found = dict(zip(history["seconds"], history["correlation"], strict=True))
        course.append([name, *(f"{found[each]:.2f}" if each in found else "" for each in COURSE)])
    return {
        "pairings": table(["", "largest change", "at", "smallest change", "at"], sorted(lobes)),
        "frequencies": table(["", "+10 ms", "-10 ms", "+10 ms, published", "-10 ms, published"], rates),
        "decoding": table(["", *POPULATIONS], decoding),
        "network": table(NETWORK_COLUMNS, [described(row) for row in networks]),
        "course": table(["", *(f"{seconds} s" for seconds in COURSE)], course),
        "constants": table(
            ["", "value", "unit", "what it is", "source"],
            [[name, f"{c.value:g}", c.unit, c.meaning, c.source] for part in CONSTANTS for name, c in part.items()],
        ),
    }


def parted(rows: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """Part rows into pairings by variance, pairings by frequency, and networks."""
    return (
        [row for row in rows if "steps" in row],
        [row for row in rows if "frequency" in row],
        [row for row in rows if "condition" in row],
    )


def extremes(row: Row) -> list[str]:
    """Describe the largest and the smallest change of weights, and the delays of both."""
    changes, delays = np.array(row["changes"]), np.array(row["delays"])
    places = (changes.argmax(), changes.argmin())
    return [text for k in places for text in (f"{changes[k]:+.2f}", f"{delays[k]:+.0f} ms")]


def changed(row: Row, delay: float) -> float:
    """Interpolate the change of weights at a delay, in ms."""
    return float(np.interp(delay, row["delays"][::-1], row["changes"][::-1]))


def described(row: Row) -> list[str]:
    """Describe a network after learning, as the columns of its table say."""
    history = row["history"]
    others = np.array(row["weights"])[1:]
    selectivity = [selective(signal, control) for signal, control in zip(others[::2], others[1::2], strict=True)]
    return [
        row["condition"],
        str(row["seconds"]),
        f"{history['correlation'][0]:.3f}",
        f"{history['correlation'][-1]:.3f}",
        PUBLISHED_CORRELATION.get(row["condition"], "-"),
        *(f"{values.mean():.2f} ± {values.std():.2f}" for values in selectivity),
        f"{np.mean(row['rates']):.1f} ± {np.std(row['rates']):.1f}",
        str(sum(rate < SILENT for rate in row["rates"])),
        f"{history[INHIBITORY][-1]:.1f}",
        f"{row['participation']:.1f}",
    ]


def selective(signal: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Compare a cell's mean weights from a signal and from its control: (signal - control) / (signal + control)."""
    return (signal - control) / (signal + control + 1e-9)


def draw_pairings(rows: Sequence[Row]) -> Figure:
    """Draw the change of weights against the delay, for each variance, and against the frequency."""
    pairings, frequencies, _ = parted(rows)
    shown = [row for row in pairings if row["steps"] == 1] or pairings
    figure = Figure(figsize=(12, 3), layout="constrained")
    *panels, last = figure.subplots(1, len(shown) + 1)
    for axes, row in zip(panels, shown, strict=True):
        axes.plot(row["delays"], row["changes"], color="black")
        for above, colour in ((True, COLOURS[1]), (False, COLOURS[0])):
            part = [max(value, 0) if above else min(value, 0) for value in row["changes"]]
            axes.fill_between(row["delays"], part, color=colour, alpha=0.4)
        axes.set(title=f"variance {row['variance']:g} Hz", xlabel="t post - t pre (ms)", ylabel="relative change of w")
    for delay, colour in ((10, COLOURS[1]), (-10, COLOURS[0])):
        found = [changed(row, delay) for row in frequencies]
        last.plot([row["frequency"] for row in frequencies], found, marker="o", color=colour, label=f"{delay:+d} ms")
        published = [float(each[delay < 0]) for each in PUBLISHED_FREQUENCIES.values()]
        last.plot(
            list(PUBLISHED_FREQUENCIES), published, color=colour, linestyle=":", label=f"{delay:+d} ms, published"
        )
    last.set(xlabel="pairings per second", ylabel="relative change of w")
    last.legend(frameon=False, fontsize=7)
    for axes in (*panels, last):
        axes.axhline(0, color="#888888", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_networks(rows: Sequence[Row]) -> Figure:
    """Draw what can be decoded, the weights of each population, and the course of learning, by condition."""
    networks = parted(rows)[2]
    figure = Figure(figsize=(12, 6), layout="constrained")
    decoding, course = figure.add_subplot(2, 2, 1), figure.add_subplot(2, 2, 2)
    for number, (row, colour) in enumerate(zip(networks, COLOURS, strict=False)):
        name, history = row["condition"], row["history"]
        places, width = np.arange(len(POPULATIONS)), 0.8 / len(networks)
        heights = [history[f"folds {each}"][-1] for each in POPULATIONS]
        decoding.bar(places + (number + 0.5) * width - 0.4, heights, width, color=colour, label=name)
        course.plot(history["seconds"], history["correlation"], color=colour, label=name)
        axes = figure.add_subplot(2, len(networks), len(networks) + number + 1)
        axes.violinplot(np.array(row["weights"]).T, showmeans=True)
        axes.set_xticks(range(1, len(POPULATIONS) + 1), POPULATIONS, rotation=60, fontsize=7)
        axes.set_title(name, fontsize=9)
        axes.set_ylabel("" if number else "mean weight of a cell")
    decoding.set_xticks(np.arange(len(POPULATIONS)), POPULATIONS)
    decoding.set(ylabel="R², mean of 20 blocks")
    course.set(xlabel="model time (s)", ylabel="correlation with the input")
    course.axvline(PRIMING, color="#888888", linestyle=":", linewidth=0.8)
    for axes in (decoding, course):
        axes.legend(frameon=False, fontsize=7)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure


PAIRINGS: list[Mapping[str, Any]] = [{"variance": variance, "steps": 1} for variance in VARIANCES]
COARSE: Mapping[str, Any] = {"variance": VARIANCES[0], "steps": 10}
NETWORKS = [{"condition": name, "seed": 0, "seconds": SECONDS, "priming": PRIMING} for name in CONDITIONS]
EXPERIMENT = Program(
    "LPL in spiking cells: pairings of spikes, and a network that finds the signals that can be predicted",
    cases=[*PAIRINGS, COARSE, *({"frequency": frequency} for frequency in FREQUENCIES), *NETWORKS],
    measure=measure,
    tables=tables,
    figures=lambda rows: {"pairings": lambda: draw_pairings(rows), "network": lambda: draw_networks(rows)},
    quick=[COARSE, {**NETWORKS[0], "seconds": 200, "priming": 600}],
)
