"""Error paths: how the error of the output reaches the cells of each layer, and where that violates locality.

With D_l = diag(rho'(a_l)) the derivatives of the cells and e the error of the output, that of layer l is, in
backpropagation,

    delta_l = D_l W_{l+1}^T D_{l+1} ... W_L^T D_L beta^T e

The derivatives D_{l+1} ... D_L depend on the input: they are its *masks*. A path specifies which weights replace the
W^T, which masks are applied, and whether the error passes through the layers at all.
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
"""What each kind of feedback weights takes from the forward weights, in violation of locality."""

MASKS: Mapping[str, str] = MappingProxyType(
    {
        "own": "those the rule has by itself",
        "true": "slopes of the cell and of all cells on the way, for the present input",
        "removed": "slope of the cell alone, none on the way",
        "shuffled": "slope of the cell; on the way, slopes for another input",
        "none": "no slope at all",
    }
)
"""The derivatives by which an error is multiplied."""

ROUTES: Mapping[str, str] = MappingProxyType(
    {
        "direct": "",
        "layered": "error passed from layer to layer",
        "settled": "activity settles before learning",
    }
)
"""What each route requires of the network."""


@dataclass(frozen=True)
class ErrorPath:
    """The path of the output error to the cells.

    >>> ErrorPath("layered", "transpose").breaks
    {'route': 'error passed from layer to layer', 'feedback': 'transported weights'}
    >>> ErrorPath("direct", "random").breaks
    {}

    Args:
        route: ``direct`` from the output to every layer; ``layered`` from each layer to the one below, which receives
            the error of its cells; ``settled`` where activity itself propagates it (predictive coding).
        feedback: ``random`` weights, fixed or plastic; the ``transpose`` of the weights, or their ``product`` where the
            route is direct; or sign-symmetric: with one magnitude (``uSF``), with random ones, fixed (``frSF``) or
            drawn for each batch (``brSF``).
        masks: derivatives by which the error is multiplied, by the names in `MASKS`.
        constants: of the route.

    Raises:
        UserError: where feedback or masks are not known, or not possible on the route.
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
        """The masks, with those of the route in place of ``"own"``."""
        if self.masks != "own":
            return self.masks
        return "removed" if self.route == "direct" else "true"

    @property
    def breaks(self) -> dict[str, str]:
        """Parts of the path that no synapse could know, with the reason."""
        reasons = {"route": ROUTES[self.route], "feedback": FEEDBACK[self.feedback]}
        if self.route == "direct" and self.effective_masks in ("true", "shuffled"):
            reasons["masks"] = "slopes of cells it does not pass"
        elif self.effective_masks == "shuffled":
            reasons["masks"] = "slopes for another input"
        return {name: reason for name, reason in reasons.items() if reason}
