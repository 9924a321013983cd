"""Signals: what a rule's texts can read of a cell, each with what it asks of a layer and which substrates have it.

A new signal is an entry here, and the code of each substrate that offers it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RATE, EVERYWHERE = frozenset({"rate"}), frozenset({"rate", "spiking", "brian-rate"})


@dataclass(frozen=True)
class Synapses:
    """Say which plastic synapses a signal stands for, where it is a sum that only such synapses could bring.

    Attributes:
        presynaptic: whose signal they carry.
        carried: what they bring of it.
        learned: the quantities, at the postsynaptic and at the presynaptic end, whose covariance their weights follow.
    """

    presynaptic: str
    carried: str
    learned: tuple[str, str]

    @property
    def possible(self) -> bool:
        """Whether their weights follow what they carry: a synapse knows nothing else of its presynaptic end."""
        return self.learned[1] == self.carried

    def __str__(self) -> str:
        own, other = self.learned
        return f"synapses from {self.presynaptic}, which carry {self.carried} and learn from {own} and {other}"


@dataclass(frozen=True)
class Signal:
    """A quantity that a rule's texts can read.

    Attributes:
        name: with the suffix that says where it is: ``_pre`` or ``_post``.
        meaning: in words.
        requires: what a layer has to follow or to hear for it: ``"mean"``, ``"covariance"`` (and so the mean),
            ``"context"``, ``"context synapses"``, ``"views"``, ``"dendrites"``.
        substrates: which layers have it.
        implied_synapses: the plastic synapses that must bring it, where it hides a matrix of weights.
        of_context: whether it belongs to the moment at which a context is heard.
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
            Signal("derivative_post", "slope of its rate, rho'(a)", substrates=EVERYWHERE),
            Signal("winning_post", "its share in the competition of its column, exp(a) over the sum of exp(a) there"),
            Signal("mean_post", "running mean of its rate", _MEAN, EVERYWHERE),
            Signal("variance_post", "running variance of its rate", _COVARIANCE),
            Signal(
                "lateral_post",
                "what its column brings it: sum over others of C_ik (z_k - <z_k>), C the running covariance",
                _COVARIANCE,
                implied_synapses=Synapses(_COLUMN, _RATE, (_RATE, _RATE)),
            ),
            Signal(
                "dendrite_post",
                "what its dendrite hears of the context, (B c)_i",
                frozenset({"context", "context synapses"}),
                EVERYWHERE,
                of_context=True,
            ),
            Signal(
                "context_post",
                "what one-to-one synapses bring it of the context: the mean of the same cell in what it hears",
                frozenset({"context"}),
                of_context=True,
            ),
            Signal(
                "view_post",
                "context_post less its running mean and over its running deviation",
                _VIEWS,
                of_context=True,
            ),
            Signal(
                "cross_covariance_post",
                "running covariance of its rate with view_post",
                _VIEWS,
                implied_synapses=Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
            ),
            Signal(
                "cross_input_post",
                "what synapses from others there bring it: sum over others of C_ik view_k, C_ik the running covariance"
                " of its rate with view_k",
                _VIEWS,
                implied_synapses=Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
                of_context=True,
            ),
            Signal(
                "cross_power_post",
                "sum over others of C_ik^2: the squared weights of those synapses",
                _VIEWS,
                implied_synapses=Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
            ),
            Signal(
                "returned_post",
                "what its context synapses onto others bring back: sum over the cells of its layer that hear it of B_ji"
                " times what changes these synapses there, third_j post_j",
                frozenset({"context", "context synapses"}),
                implied_synapses=Synapses("those that hear it", _GATED, (_RATE, _GATED)),
            ),
            Signal("dendrite_mean_post", "running mean of what its dendrite hears", _DENDRITES),
            Signal(
                "predicted_rate_post",
                "rate that the dendrites of its column foretell: sum of C_ik (d_k - <d_k>), d_k what the dendrite of"
                " cell k hears",
                _DENDRITES,
                implied_synapses=Synapses(_COLUMN, _DENDRITE, (_RATE, _RATE)),
                of_context=True,
            ),
            Signal(
                "predicted_dendrite_post",
                "what its dendrite should hear by the rates of its column: sum of D_ik (z_k - <z_k>), D the running"
                " covariance of the dendrites",
                _DENDRITES,
                implied_synapses=Synapses(_COLUMN, _RATE, (_DENDRITE, _DENDRITE)),
            ),
            Signal(
                "feedback_post",
                "what feedback weights bring it of a vector modulator, (F e)_i",
                substrates=EVERYWHERE,
            ),
            Signal("error_post", "what feedback weights bring it of what the layer above is taught, (B delta')_i"),
            Signal("noise_post", "noise that it fires between samples, of zero mean and unit variance"),
        )
    }
)
"""The signals that there are, by name."""
