"""How an error comes down through a network of rate layers, by the path that a rule names."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cortexsim.rate.layer import Response
from cortexsim.rate.network import Network, feedback_weights
from cortexsim.rate.projection import Projection
from cortexsim.rate.rule_variables import FeedbackSignal
from cortexsim.rules import ErrorPath
from cortexsim.seeds import stream


class FeedbackPathway:
    """Bring the error of the output, or what a layer is taught, to the cells below.

    Layers are counted from 0; the weights of layer k come from layer k + 1, or for the last from the classes.

    Args:
        network: whose layers.
        path: route, feedback weights and masks.
        seed: root seed of the streams ``chain`` and ``magnitudes``.
    """

    def __init__(self, network: Network, path: ErrorPath, seed: int) -> None:
        self.network, self.path = network, path
        self.top, self.seed = len(network.layers) - 1, seed
        self.chains = self._draw_chains() if path.route == "direct" and self._masked else {}
        self.scales = [float(weights.weights.square().mean().sqrt()) for weights in map(self._transpose, self._levels)]
        self.fresh = stream(seed, "magnitudes")
        self.magnitudes = [self._magnitudes(k) for k in self._levels] if path.feedback in ("frSF", "brSF") else []

    @property
    def _levels(self) -> range:
        return range(self.top + 1)

    @property
    def _masked(self) -> bool:
        return self.path.effective_masks in ("true", "shuffled")

    def begin(self) -> None:
        """Draw what is drawn anew for each batch."""
        if self.path.feedback == "brSF":
            self.magnitudes = [self._magnitudes(k) for k in self._levels]

    def weights(self, k: int) -> Projection:
        """Choose the feedback weights onto layer k, (copies, n cells, cells above) or (1, cells, classes)."""
        kind = self.path.feedback
        if kind == "random":
            found = self.network.layers[k].feedback
            assert found is not None
            return found
        transpose = self._transpose(k)
        if kind == "uSF":
            return Projection(self.scales[k] * torch.sign(transpose.weights))
        if kind in ("frSF", "brSF"):
            return Projection(self.magnitudes[k] * torch.sign(transpose.weights))
        return transpose

    def down(self, k: int, taught: Tensor, weights: Projection | None = None) -> Tensor:
        """Bring what stands above layer k, (batch, positions above, cells above), to it: (batch, positions, cells)."""
        brought = (weights or self.weights(k))(taught)
        positions = self.network.layers[k].positions
        if k == self.top:
            return brought.reshape(len(taught), positions, -1)
        return self.network.layers[k + 1].scatter(brought, positions)

    def slopes(self, k: int, responses: Sequence[Response]) -> Tensor:
        """Answer with the slopes that an error meets in layer k on its way down."""
        own = self.network.layers[k].derivative(responses[k].drive)
        if self.path.effective_masks == "shuffled":
            return own.roll(1, 0)
        return own if self.path.effective_masks == "true" else torch.ones_like(own)

    def lesson(self, k: int, responses: Sequence[Response], teaching: Tensor | None) -> FeedbackSignal:
        """Put together what layer k hears."""
        bare = torch.ones_like(responses[k].drive) if self.path.effective_masks == "none" else None
        plain = self.path.feedback == "random" and not self._masked
        return FeedbackSignal(teaching, None if plain else self._straight(k, responses), bare)

    def _straight(self, k: int, responses: Sequence[Response]) -> Callable[[Tensor], Tensor]:
        """Bring a modulator straight to layer k, through weights and masks of all layers on the way."""

        def project(said: Tensor) -> Tensor:
            for level in range(self.top, k - 1, -1):
                said = self.down(level, said, self.chains.get((k, level)))
                if level > k and self._masked:
                    said = said * self.slopes(level, responses)
            return said

        return project

    def _transpose(self, k: int) -> Projection:
        if k == self.top:
            return Projection(self.network.output.T.unsqueeze(0))
        above = self.network.layers[k + 1]
        return Projection(above.gain * above.feedforward.weights.transpose(1, 2))

    def _draw_chains(self) -> dict[tuple[int, int], Projection]:
        """Draw random weights for every layer's own way to the output, one step after the other."""
        if self.path.feedback != "random":
            return {}
        return {
            (k, level): Projection(feedback_weights(self._transpose(level).weights, self.seed, "chain", k, level))
            for k in self._levels
            for level in range(k, self.top + 1)
        }

    def _magnitudes(self, k: int) -> Tensor:
        like = self._transpose(k).weights
        drawn = self.fresh.normal(0, self.scales[k], tuple(like.shape))
        return torch.from_numpy(abs(drawn)).to(like)
