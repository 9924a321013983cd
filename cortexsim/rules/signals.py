"""Signals: the quantities of a cell that rules can read, with what each requires of a layer and its substrates.

A new signal is an entry here, and code that computes it: in `cortexsim.rate.rule_variables` for rate layers, and in
`VARIABLES` of `cortexsim.spiking.rule_translation` for layers in Brian2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RATE, EVERYWHERE = frozenset({"rate"}), frozenset({"rate", "spiking", "brian-rate"})


@dataclass(frozen=True)
class Synapses:
    """The plastic synapses that a signal implies, where it is a weighted sum that only they could compute.

    Attributes:
        presynaptic: cells that they come from.
        carried: signal that they transmit.
        learned: the postsynaptic and the presynaptic quantity whose covariance their weights follow.
    """

    presynaptic: str
    carried: str
    learned: tuple[str, str]

    @property
    def possible(self) -> bool:
        """Whether they learn from what they transmit: a synapse knows nothing else of its presynaptic cell."""
        return self.learned[1] == self.carried

    def __str__(self) -> str:
        own, other = self.learned
        return f"synapses from {self.presynaptic}, which carry {self.carried} and learn from {own} and {other}"


@dataclass(frozen=True)
class Signal:
    """A quantity of a cell that rules can read.

    >>> SIGNALS["dendrite_post"].meaning
    'dendritic input from the context, (B c)_i'
    >>> sorted(SIGNALS["noise_post"].requires), sorted(SIGNALS["noise_post"].substrates)
    ([], ['rate'])

    Attributes:
        name: with the suffix of its place, ``_pre`` or ``_post``.
        meaning: in words.
        requires: of a layer: ``"mean"``, ``"covariance"`` (and so the mean), ``"context"``, ``"context synapses"``,
            and the running statistics of ``"views"`` and ``"dendrites"``.
        substrates: of the layers that have it.
        implied_synapses: the plastic synapses that could compute it, where it is a weighted sum.
        of_context: whether it depends on the context, and so differs between contrast samples.
    """

    name: str
    meaning: str
    requires: frozenset[str] = frozenset()
    substrates: frozenset[str] = RATE
    implied_synapses: Synapses | None = None
    of_context: bool = False


_RATE, _VIEW, _DENDRITE, _GATED = "rates", "normalised rates", "dendritic signals", "rates gated by modulators there"
_COLUMN, _CONTEXT = "its column", "the context"
_MEAN = frozenset({"mean"})
_COVARIANCE = _MEAN | {"covariance"}
_VIEWS = _COVARIANCE | {"context", "views"}
_DENDRITES = _COVARIANCE | {"context", "context synapses", "dendrites"}

SIGNALS: Mapping[str, Signal] = MappingProxyType(
    {
        signal.name: signal
        for signal in (
            Signal("activity_pre", "rate of the presynaptic cell", substrates=EVERYWHERE),
            Signal("activity_post", "rate of the postsynaptic cell, z = rho(a)", substrates=EVERYWHERE),
            Signal("drive_post", "its summed input, a = W x + b", substrates=EVERYWHERE),
            Signal("derivative_post", "derivative of its rate, rho'(a)", substrates=EVERYWHERE),
            Signal(
                "winning_post",
                "its share in the competition of its column, exp(a) over the sum of exp(a) there",
                substrates=EVERYWHERE,
            ),
            Signal("mean_post", "running mean of its rate", _MEAN, EVERYWHERE),
            Signal("variance_post", "running variance of its rate", _COVARIANCE, EVERYWHERE),
            Signal(
                "lateral_post",
                "lateral input from its column: sum over others of C_ik (z_k - <z_k>), C the running covariance",
                _COVARIANCE,
                EVERYWHERE,
                implied_synapses=Synapses(_COLUMN, _RATE, (_RATE, _RATE)),
            ),
            Signal(
                "dendrite_post",
                "dendritic input from the context, (B c)_i",
                frozenset({"context", "context synapses"}),
                EVERYWHERE,
                of_context=True,
            ),
            Signal(
                "context_post",
                "input from the context through one-to-one synapses: the mean of the cells of its index",
                frozenset({"context"}),
                EVERYWHERE,
                of_context=True,
            ),
            Signal(
                "view_post",
                "context_post minus its running mean, over its running standard deviation",
                _VIEWS,
                EVERYWHERE,
                of_context=True,
            ),
            Signal(
                "cross_covariance_post",
                "running cross-covariance of its rate with view_post",
                _VIEWS,
                EVERYWHERE,
                implied_synapses=Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
            ),
            Signal(
                "cross_input_post",
                "input from the other cells of the context: sum over others of C_ik view_k, C_ik the running"
                " cross-covariance of its rate with view_k",
                _VIEWS,
                EVERYWHERE,
                implied_synapses=Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
                of_context=True,
            ),
            Signal(
                "cross_power_post",
                "sum over others of C_ik^2: the squared weights of cross_input_post",
                _VIEWS,
                EVERYWHERE,
                implied_synapses=Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
            ),
            Signal(
                "returned_post",
                "retrograde signal of its context synapses onto others: sum over their targets of B_ji third_j post_j,"
                " weight times what changes the weight there",
                frozenset({"context", "context synapses"}),
                implied_synapses=Synapses("its targets", _GATED, (_RATE, _GATED)),
            ),
            Signal("dendrite_mean_post", "running mean of its dendritic input", _DENDRITES, EVERYWHERE),
            Signal(
                "predicted_rate_post",
                "rate predicted by the dendrites of its column: sum of C_ik (d_k - <d_k>), d_k the dendritic input of"
                " cell k",
                _DENDRITES,
                EVERYWHERE,
                implied_synapses=Synapses(_COLUMN, _DENDRITE, (_RATE, _RATE)),
                of_context=True,
            ),
            Signal(
                "predicted_dendrite_post",
                "dendritic input predicted by the rates of its column: sum of D_ik (z_k - <z_k>), D the running"
                " covariance of the dendrites",
                _DENDRITES,
                EVERYWHERE,
                implied_synapses=Synapses(_COLUMN, _RATE, (_DENDRITE, _DENDRITE)),
            ),
            Signal(
                "feedback_post",
                "projection of a vector modulator through feedback weights, (F e)_i",
                substrates=EVERYWHERE,
            ),
            Signal(
                "error_post",
                "projection of the error of the layer above through feedback weights, (B delta')_i",
                substrates=EVERYWHERE,
            ),
            Signal("noise_post", "noise between samples, of zero mean and unit variance"),
        )
    }
)
"""All signals by name."""
