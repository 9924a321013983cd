"""Plastic synapse events per second, of several ways to run one network: ``cortexsim experiment throughput``.

One layer of LIF cells, all-to-all plastic synapses with eligibility traces, a modulator at the end of each fixation of
50 ms, dt = 1 ms. An event is a presynaptic spike arriving at one plastic synapse.
"""

import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np

from cortexsim.modulators import AROUSAL
from cortexsim.report.markdown import table
from cortexsim.rules import Rule, ThreeFactor
from cortexsim.spiking import LayerSpec, Settings, Stack, Stream, Timing, describe
from cortexsim.spiking.compiling import compiler
from cortexsim.spiking.network_spec import Description
from cortexsim.studies.program_experiment import Program, Row

INPUTS, SIZES = 125, (128, 1280)
FIXATIONS, SLOW_FIXATIONS, ROUNDS = 4000, 10, 5
OURS, INNER, LOOP = "cortexsim", "cortexsim, its loop alone", "C++ loop"
RULE = Rule(
    "eligibility",
    "dw = eta elig",
    "this benchmark",
    ThreeFactor("derivative_post", "arousal_all"),
    modulators=(AROUSAL,),
)
SETTINGS = Settings(
    timing=Timing(1e-3, 50e-3, 2e-3), input_rate=80.0, centred=False, homeostasis=1e-3, eta=1e-4, weight_decay=1e-3
)


def measure(case: Mapping[str, int]) -> list[Row]:
    """Measure every way to run one network, in turn.

    Args:
        case: ``cells`` of the layer.

    Returns:
        A row per way and round, with the number of ``events`` and the ``seconds`` that they took (of the two loops, CPU
        time); those of the C++ loop also have the largest difference of its final weights from those of cortexsim.
    """
    cells = case["cells"]
    draw = np.random.default_rng(0)
    weights, rates = draw.normal(0.1, 0.3, INPUTS * cells), draw.uniform(0.5, 1.5, (FIXATIONS, INPUTS))
    spec = LayerSpec(1, 1, cells, INPUTS, "spiking", True, "none", False, SETTINGS.input_rate)
    description, parameters = describe([spec], 2, RULE, SETTINGS, FIXATIONS)
    stack = Stack(description, parameters)
    state = stack.initial_state() | {"feedforward1.w": weights}
    stream = Stream(rates, np.arange(FIXATIONS), eta_factor=np.ones(FIXATIONS))
    final: dict[str, np.ndarray] = {}

    def cortexsim() -> tuple[float, float]:
        start = time.perf_counter()
        outcome, after = stack.run(stream, state, seed=0)
        final[OURS] = after["feedforward1.w"]
        return outcome.spikes["input"] * cells, time.perf_counter() - start

    with tempfile.TemporaryDirectory() as folder:
        loop = bare_loop(Path(folder), cells, weights, rates, final)
        cortexsim()
        found: dict[str, list[tuple[float, float]]] = {OURS: [], INNER: [], LOOP: []}
        for _ in range(ROUNDS):
            found[OURS].append(cortexsim())
            found[INNER].append((found[OURS][-1][0], stack.engine.loop_seconds))
            found[LOOP].append(loop())
    found["Python loop of run(), Brian2 on Cython"] = [python_loop(description, parameters, state, rates, cells)]
    if (bindsnet := bindsnet_loop(cells, rates)) is not None:
        found["BindsNET, MSTDPET on torch"] = [bindsnet]
    difference = {"weight_difference": float(np.abs(final[OURS] - final[LOOP]).max())}
    return [
        {"cells": cells, "synapses": INPUTS * cells, "way": name, "round": number, "events": events, "seconds": seconds}
        | (difference if name == LOOP else {})
        for name, several in found.items()
        for number, (events, seconds) in enumerate(several)
    ]


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Tabulate events per second, the median over rounds, and how much faster or slower cortexsim is."""
    speeds: dict[str, dict[int, float]] = {}
    for way in dict.fromkeys(row["way"] for row in rows):
        for cells in dict.fromkeys(row["cells"] for row in rows if row["way"] == way):
            several = [row for row in rows if (row["way"], row["cells"]) == (way, cells)]
            speeds.setdefault(way, {})[cells] = median(row["events"] / row["seconds"] for row in several)
    sizes = {row["cells"]: row["synapses"] for row in rows}
    head = ["", *(f"{cells} cells, {synapses} synapses" for cells, synapses in sizes.items())]
    body = [[way, *(_cell(way, speeds, cells) for cells in sizes)] for way in speeds]
    return {"throughput": table(head, body)}


def _cell(way: str, speeds: Mapping[str, Mapping[int, float]], cells: int) -> str:
    """Write the speed of a way, and how much faster or slower cortexsim is; beside C++ also its loop."""
    if cells not in speeds[way]:
        return "-"
    speed = speeds[way][cells]
    text = f"{speed:.1e} events/s".replace("e+0", "e")
    if way in (OURS, INNER):
        return text
    text += f"; cortexsim is {_times(speeds[OURS][cells] / speed)}"
    return f"{text}, its loop alone {_times(speeds[INNER][cells] / speed)}" if way == LOOP else text


def _times(ratio: float) -> str:
    return f"{float(f'{max(ratio, 1 / ratio):.2g}'):g} times {'faster' if ratio > 1 else 'slower'}"


def bare_loop(
    folder: Path, cells: int, weights: np.ndarray, rates: np.ndarray, final: dict[str, np.ndarray]
) -> Callable[[], tuple[float, float]]:
    """Compile the hand-written loop with the flags that Brian2's program has; it times itself."""
    source, binary = Path(__file__).with_name("loop.cpp"), folder / "loop"
    flags = ["-w", "-O3", "-ffast-math", "-fno-finite-math-only", "-march=native", "-std=c++11"]
    subprocess.run([*compiler(), *flags, str(source), "-o", str(binary)], check=True)
    weights.tofile(folder / "weights")
    rates.tofile(folder / "rates")
    timing = SETTINGS.timing
    sizes = [INPUTS, cells, len(rates), timing.steps, round(timing.blank / timing.dt)]
    command = [binary, *map(str, sizes), folder / "weights", folder / "rates", folder / "out"]

    def run() -> tuple[float, float]:
        spikes, seconds, _ = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        final[LOOP] = np.fromfile(folder / "out")
        return int(spikes) * cells, float(seconds)

    return run


def python_loop(
    description: Description, parameters: dict[str, float], state: dict[str, np.ndarray], rates: np.ndarray, cells: int
) -> tuple[float, float]:
    """Run the same network in Brian2's runtime mode, one call of run() a fixation, after a first one that compiles."""
    import brian2

    from cortexsim.spiking.build import BrianNetwork
    from cortexsim.spiking.network_spec import STREAMS

    brian2.prefs.codegen.target = "cython"
    streams = {name: np.ones(len(rates) + 1) for name in STREAMS}
    streams |= {"stimulus": np.vstack([rates, rates[:1]]), "stimulus_id": np.arange(len(rates) + 1.0)}
    built = BrianNetwork(description, streams)  # type: ignore[arg-type]
    for key, value in {**parameters, **state, "layer1.last_update": -0.05, "input.seed": 0}.items():
        owner, variable = key.split(".")
        built.objects[owner].variables[variable].set_value(value)
    built.network.run(built.period, namespace={})
    counter = built.objects["input"].variables["spikes"]
    before, start = float(counter.get_value().sum()), time.perf_counter()
    for _ in range(SLOW_FIXATIONS):
        built.network.run(built.period, namespace={})
    seconds = time.perf_counter() - start
    return (float(counter.get_value().sum()) - before) * cells, seconds


def bindsnet_loop(cells: int, rates: np.ndarray) -> tuple[float, float] | None:
    """Run a layer of BindsNET with reward-modulated STDP and eligibility traces, its nearest rule."""
    if not import_bindsnet():
        return None
    import torch
    from bindsnet.network import Network, nodes, topology  # isort: skip
    from bindsnet.learning import MSTDPET  # isort: skip

    torch.set_num_threads(1)
    network = Network(dt=1.0)
    source, target = nodes.Input(n=INPUTS, traces=True), nodes.LIFNodes(n=cells, traces=True)
    weights = torch.from_numpy(np.random.default_rng(0).normal(2, 3, (INPUTS, cells))).float()
    synapses = topology.Connection(source, target, w=weights, update_rule=MSTDPET, nu=1e-4, tc_plus=20.0, tc_minus=20.0)
    network.add_layer(source, "input")
    network.add_layer(target, "layer")
    network.add_connection(synapses, "input", "layer")
    generator, spikes, seconds = torch.Generator().manual_seed(0), 0.0, 0.0
    for fixation in range(SLOW_FIXATIONS + 1):
        chances = torch.from_numpy(rates[fixation]).float() * SETTINGS.input_rate * 1e-3
        shown = torch.rand(50, 1, INPUTS, generator=generator) < chances
        start = time.perf_counter()
        network.run(inputs={"input": shown.float()}, time=50, reward=1.0)
        network.reset_state_variables()
        if fixation:  # The first one warms up.
            seconds += time.perf_counter() - start
            spikes += float(shown.sum())
    return spikes * cells, seconds


def import_bindsnet() -> bool:
    """Make BindsNET's network importable; only its data sets and environments want torchvision and gymnasium."""
    if "bindsnet" not in sys.modules:
        found = find_spec("bindsnet")
        if found is None or found.submodule_search_locations is None:
            return False
        sys.modules["bindsnet"] = types.ModuleType("bindsnet")
        sys.modules["bindsnet"].__path__ = list(found.submodule_search_locations)
    return True


EXPERIMENT = Program(
    "Plastic synapse events per second, of several ways to run one spiking network",
    cases=[{"cells": cells} for cells in SIZES],
    measure=measure,
    tables=tables,
)
