"""Triplet STDP: a pair counts more if the same cell has spiked before, which makes plasticity depend on frequency.

Pfister & Gerstner, "Triplets of spikes in a model of spike timing-dependent plasticity", J. Neuroscience 2006:

    at a presynaptic spike    dw = -o1 (A2- + A3- r2)
    at a postsynaptic spike   dw = +r1 (A2+ + A3+ o2)

with r1, r2 traces of the presynaptic and o1, o2 of the postsynaptic cell, read before the spike adds to them. The rows
of their tables 3 and 4 are packages: constants of one row fit with those of that row only.
Of VISUAL_NEAREST_MINIMAL only the error that it makes has been checked, not its constants.

In SLIDING depression grows with the square of the cell's own mean rate, so that the threshold between depression and
potentiation slides with it, as in BCM (Pfister & Gerstner 2006; Gjorgjieva, Clopath, Audet, Pfister, "A triplet
spike-timing-dependent plasticity model generalizes the Bienenstock-Cooper-Munro rule to higher-order spatiotemporal
correlations", PNAS 2011). Its rate and time constant are choices made here.

The same pairs, 10 ms apart, change the weight more at 50 Hz than at 1 Hz:

>>> from cortexsim.protocols import pairs, run
>>> [run(RULE, pairs(0.01, rate)).round(2).item() for rate in (1.0, 20.0, 50.0)]
[0.0, 0.23, 0.76]
"""

from dataclasses import replace
from typing import Literal

from cortexsim.rules.spike_timing import SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule


def _row(
    pairing: Literal["all", "nearest"], a2_plus: float, a3_plus: float, a2_minus: float, a3_minus: float, x: int, y: int
) -> Rule:
    taus = {"r1": ("16.8 ms", "pre"), "r2": (f"{x} ms", "pre"), "o1": ("33.7 ms", "post"), "o2": (f"{y} ms", "post")}
    names = ("potentiation", "slow_potentiation", "depression", "slow_depression")
    return Rule(
        name="stdp_triplet",
        equation="dw = r1 (A2+ + A3+ o2) at a postsynaptic spike, -o1 (A2- + A3- r2) at a presynaptic one",
        source="Pfister & Gerstner 2006",
        feedforward=SpikeTiming(
            at_pre="-o1_post * (depression + slow_depression * r2_pre)",
            at_post="r1_pre * (potentiation + slow_potentiation * o2_post)",
            traces={name: Trace(tau, side, pairing=pairing) for name, (tau, side) in taus.items()},  # type: ignore[arg-type]
        ),
        constants=dict(zip(names, (a2_plus, a3_plus, a2_minus, a3_minus), strict=True)),
    )


VISUAL_FULL = _row("all", 5e-10, 6.2e-3, 7e-3, 2.3e-4, 101, 125)
RULE = VISUAL_MINIMAL = _row("all", 0.0, 6.5e-3, 7.1e-3, 0.0, 101, 114)
VISUAL_NEAREST = _row("nearest", 8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, 714, 40)
VISUAL_NEAREST_MINIMAL = _row("nearest", 0.0, 5e-2, 8e-3, 0.0, 714, 40)
HIPPOCAMPUS = _row("all", 6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946, 27)
HIPPOCAMPUS_NEAREST = _row("nearest", 4.6e-3, 9.1e-3, 3e-3, 7.5e-9, 575, 47)


def _sliding() -> Rule:
    form = VISUAL_MINIMAL.feedforward
    assert isinstance(form, SpikeTiming)
    sliding = replace(
        form,
        at_pre="-o1_post * depression * (slow_post / target) ** 2",
        at_post="r1_pre * slow_potentiation * o2_post",
        traces={
            **{name: form.traces[name] for name in ("r1", "o1", "o2")},
            "slow": Trace("5 s", "post", of="activity"),
        },
        bounds=(0.0, float("inf")),
    )
    constants = {name: VISUAL_MINIMAL.constants[name] for name in ("slow_potentiation", "depression")}
    equation = "dw = A3+ r1 o2 at a postsynaptic spike, -A2- o1 (<y> / target)^2 at a presynaptic one"
    return replace(VISUAL_MINIMAL, equation=equation, feedforward=sliding, constants={**constants, "target": 4.5})


SLIDING = _sliding()
