"""What a substrate offers to a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SIGNALS: Mapping[str, str] = MappingProxyType(
    {
        "activity_pre": "rate of the presynaptic cell",
        "activity_post": "rate of the postsynaptic cell, z = rho(a)",
        "drive_post": "its summed input, a = W x + b",
        "derivative_post": "slope of its rate, rho'(a)",
        "mean_post": "running mean of its rate",
        "variance_post": "running variance of its rate",
        "lateral_post": "what its column brings it: sum over others of C_ik (z_k - <z_k>), C the running covariance",
        "dendrite_post": "what its dendrite hears of the context, (B c)_i",
        "context_post": "what one-to-one synapses bring it of the context: the mean of the same cell in what it hears",
        "view_post": "context_post less its running mean and over its running deviation",
        "agreement_post": "running covariance of its rate with view_post",
        "crossing_post": "what synapses from others there bring it: sum over others of C_ik view_k, C_ik the running"
        " covariance of its rate with view_k",
        "overlap_post": "sum over others of C_ik^2: the squared weights of those synapses",
        "returned_post": "what its context synapses onto others bring back: sum over the cells of its layer that hear"
        " it of B_ji times what changes these synapses there, third_j post_j",
        "dendrite_mean_post": "running mean of what its dendrite hears",
        "foretold_post": "rate that the dendrites of its column foretell: sum of C_ik (d_k - <d_k>), d_k what the"
        " dendrite of cell k hears",
        "recalled_post": "what its dendrite should hear by the rates of its column: sum of D_ik (z_k - <z_k>), D the"
        " running covariance of the dendrites",
        "feedback_post": "what feedback weights bring it of a vector modulator, (F e)_i",
        "teaching_post": "what feedback weights bring it of what the layer above is taught, (B delta')_i",
        "noise_post": "noise that it fires between samples, of zero mean and unit variance",
    }
)
"""By name, each with what it is."""

COVARIANCES = frozenset({"variance_post", "lateral_post"})
"""Those of them that tell how cells vary."""

STATISTICS = COVARIANCES | {"mean_post"}
"""Those of them that tell how cells have been."""

DENDRITES = frozenset({"dendrite_mean_post", "foretold_post", "recalled_post"})
"""Those of them that tell how dendrites vary, and cells with them."""

VIEWS = frozenset({"view_post", "agreement_post", "crossing_post", "overlap_post"})
"""Those of them that tell how views of the same object vary, and how cells vary with them."""


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


_RATE, _VIEW, _DENDRITE, _GATED = "rates", "normalised rates", "dendritic signals", "rates gated by modulators there"
_COLUMN, _CONTEXT = "its column", "the context"

STANDS_FOR: Mapping[str, Synapses] = MappingProxyType(
    {
        "lateral_post": Synapses(_COLUMN, _RATE, (_RATE, _RATE)),
        "crossing_post": Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
        "overlap_post": Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
        "agreement_post": Synapses(_CONTEXT, _VIEW, (_RATE, _VIEW)),
        "foretold_post": Synapses(_COLUMN, _DENDRITE, (_RATE, _RATE)),
        "recalled_post": Synapses(_COLUMN, _RATE, (_DENDRITE, _DENDRITE)),
        "returned_post": Synapses("those that hear it", _GATED, (_RATE, _GATED)),
    }
)
"""Signals that hide a matrix of weights, each with the synapses whose weights it is."""
