"""Error paths: how the error of the output reaches the cells of every layer, and what that breaks.

With D_l = diag(rho'(a_l)) the cells' slopes and e the error of the output, backpropagation teaches the cells of layer l

    delta_l = D_l W_{l+1}^T D_{l+1} ... W_L^T D_L beta^T e

The slopes D_{l+1} ... D_L on the way depend on the input: they are its *masks*. A path names which weights take the
place of the W^T, which slopes are applied, and whether an error passes through the layers at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from cortexsim.errors import UserError, nearest

Route = Literal["direct", "layered", "settled"]
Feedback = Literal["random", "transpose", "product", "uSF", "frSF", "brSF"]
Masks = Literal["own", "true", "removed", "shuffled", "none"]

FEEDBACK: Mapping[str, str] = MappingProxyType(
    {
        "random": "",
        "transpose": "transported weights",
        "product": "transported product of weights",
        "uSF": "transported signs of weights",
        "frSF": "transported signs of weights",
        "brSF": "transported signs of weights",
    }
)
"""What each kind of feedback weight has from the synapses that it runs against."""

MASKS: Mapping[str, str] = MappingProxyType(
    {
        "own": "those the rule has by itself",
        "true": "slopes of the cell and of all cells on the way, for the present input",
        "removed": "slope of the cell alone, none on the way",
        "shuffled": "slope of the cell; on the way, slopes for another input",
        "none": "no slope at all",
    }
)
"""Which slopes an error meets."""

ROUTES: Mapping[str, str] = MappingProxyType(
    {
        "direct": "",
        "layered": "error passed from layer to layer",
        "settled": "activity settles before learning",
    }
)
"""What each way of the error asks of the network."""


@dataclass(frozen=True)
class ErrorPath:
    """Say how the error comes down.

    Args:
        route: ``direct`` from the output to every layer; ``layered`` from each layer to the one below, which is passed
            on what its cells are taught; ``settled`` lets activity itself carry it (predictive coding).
        feedback: ``random`` weights, fixed or plastic; the ``transpose`` of the weights, or their ``product`` where the
            route is direct; or sign-symmetric: with one magnitude (``uSF``), with random ones, fixed (``frSF``) or
            drawn for each batch (``brSF``).
        masks: which slopes the error meets, by the names in `MASKS`.
        constants: of the route.
    """

    route: Route = "layered"
    feedback: Feedback = "random"
    masks: Masks = "own"
    constants: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name, value, known in (("feedback", self.feedback, FEEDBACK), ("masks", self.masks, MASKS)):
            if value not in known:
                raise UserError(f"{name} = '{value}': not known ({nearest(value, known)})")
        allowed = {"direct": ("random", "product"), "settled": ("transpose",)}.get(self.route, get_args(Feedback))
        if self.feedback not in allowed or (self.route == "layered" and self.feedback == "product"):
            right = " or ".join(f"'{name}'" for name in allowed if (self.route, name) != ("layered", "product"))
            raise UserError(f"feedback = '{self.feedback}': not for an error whose route is {self.route} ({right})")
        if self.route == "settled" and self.masks != "own":
            raise UserError(f"masks = '{self.masks}': activity that settles has masks of its own ('own')")

    @property
    def effective_masks(self) -> Masks:
        """Which slopes the error meets, whoever asks for them."""
        if self.masks != "own":
            return self.masks
        return "removed" if self.route == "direct" else "true"

    @property
    def breaks(self) -> dict[str, str]:
        """Name what no synapse could know, each with the reason."""
        found = {"route": ROUTES[self.route], "feedback": FEEDBACK[self.feedback]}
        if self.route == "direct" and self.effective_masks in ("true", "shuffled"):
            found["masks"] = "slopes of cells it does not pass"
        elif self.effective_masks == "shuffled":
            found["masks"] = "slopes for another input"
        return {name: reason for name, reason in found.items() if reason}
