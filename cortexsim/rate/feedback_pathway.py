"""Feedback pathways: how the error of the output reaches the layers of a network, by the path of a rule."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cortexsim.rate.layer import Response
from cortexsim.rate.network import Network
from cortexsim.rate.projection import Projection
from cortexsim.rate.rule_variables import FeedbackSignal
from cortexsim.rate.weights import feedback_weights
from cortexsim.rules import ErrorPath
from cortexsim.seeds import stream


class FeedbackPathway:
    """Project the error of the output, or of the layer above, onto the cells below.

    Layers are numbered from 0; the feedback weights onto layer k come from layer k + 1, or for the last from the
    classes.

    >>> import torch
    >>> from cortexsim.rate import Architecture, Synapses
    >>> from cortexsim.topology import tree
    >>> feedback = Synapses(feedback="layered")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, feedback)
    >>> pathway = FeedbackPathway(network, ErrorPath("layered", "random"), seed=0)
    >>> pathway.project(1, torch.ones(10, 1, 4)).shape  # The error of the output, onto the cells of the top layer.
    torch.Size([10, 1, 16])

    Args:
        network: whose layers.
        path: route, feedback weights and masks.
        seed: root seed of the streams ``chain`` and ``magnitudes``.
    """

    def __init__(self, network: Network, path: ErrorPath, seed: int) -> None:
        self.network, self.path = network, path
        self.top, self.seed = len(network.layers) - 1, seed
        self.chains = self._draw_chains() if path.route == "direct" and self._masked else {}
        self.scales = [float(weights.weights.square().mean().sqrt()) for weights in map(self._transpose, self._numbers)]
        self.magnitude_stream = stream(seed, "magnitudes")
        self.magnitudes = self._draw_magnitudes() if path.feedback in ("frSF", "brSF") else []

    @property
    def _numbers(self) -> range:
        return range(self.top + 1)

    @property
    def _masked(self) -> bool:
        return self.path.effective_masks in ("true", "shuffled")

    def begin_batch(self) -> None:
        """Redraw what differs between batches: the magnitudes of ``brSF``."""
        if self.path.feedback == "brSF":
            self.magnitudes = self._draw_magnitudes()

    def weights(self, k: int) -> Projection:
        """Return the feedback weights onto layer k, (groups, n cells, cells above), or (1, cells, classes) at the top.

        They are those of a `Layer.feedback`, or computed from the feedforward weights of the layer above.
        """
        kind = self.path.feedback
        if kind == "random":
            feedback = self.network.layers[k].feedback
            assert feedback is not None
            return feedback
        transpose = self._transpose(k)
        if kind == "uSF":
            return Projection(self.scales[k] * torch.sign(transpose.weights))
        if kind in ("frSF", "brSF"):
            return Projection(self.magnitudes[k] * torch.sign(transpose.weights))
        return transpose

    def project(self, k: int, error: Tensor, weights: Projection | None = None) -> Tensor:
        """Project the error above layer k onto its cells.

        Args:
            k: number of the layer.
            error: of the layer above, (batch, positions above, cells above), or of the output, (batch, 1, classes).
            weights: those of `weights` unless given.

        Returns:
            (batch, positions, cells).
        """
        projected = (weights or self.weights(k))(error)
        positions = self.network.layers[k].positions
        if k == self.top:
            return projected.reshape(len(error), positions, -1)
        return self.network.layers[k + 1].scatter(projected, positions)

    def passed_derivative(self, k: int, responses: Sequence[Response]) -> Tensor:
        """Compute the mask that layer k applies to an error passing through it, (batch, positions, cells)."""
        own = self.network.layers[k].derivative(responses[k].drive)
        if self.path.effective_masks == "shuffled":
            return own.roll(1, 0)
        return own if self.path.effective_masks == "true" else torch.ones_like(own)

    def signal(self, k: int, responses: Sequence[Response], error: Tensor | None) -> FeedbackSignal:
        """Assemble the feedback to layer k.

        Args:
            k: number of the layer.
            responses: of all layers.
            error: brought to its cells by the layer above, (batch, positions, cells), if any.
        """
        unmasked = torch.ones_like(responses[k].drive) if self.path.effective_masks == "none" else None
        plain = self.path.feedback == "random" and not self._masked
        return FeedbackSignal(error, None if plain else self._direct_projection(k, responses), unmasked)

    def _direct_projection(self, k: int, responses: Sequence[Response]) -> Callable[[Tensor], Tensor]:
        """Project a modulator directly onto layer k, through the weights and masks of all layers in between."""

        def project(modulator: Tensor) -> Tensor:
            for level in range(self.top, k - 1, -1):
                modulator = self.project(level, modulator, self.chains.get((k, level)))
                if level > k and self._masked:
                    modulator = modulator * self.passed_derivative(level, responses)
            return modulator

        return project

    def _transpose(self, k: int) -> Projection:
        if k == self.top:
            return Projection(self.network.output.T.unsqueeze(0))
        above = self.network.layers[k + 1]
        return Projection(above.input_scaling.gain * above.feedforward.weights.transpose(1, 2))

    def _draw_chains(self) -> dict[tuple[int, int], Projection]:
        """Draw random weights for a separate path from the output to each layer, by layer and step of its path."""
        if self.path.feedback != "random":
            return {}
        return {
            (k, level): Projection(feedback_weights(self.seed, ("chain", k, level), transpose.shape, transpose))
            for k in self._numbers
            for level in range(k, self.top + 1)
            for transpose in [self._transpose(level).weights]
        }

    def _draw_magnitudes(self) -> list[Tensor]:
        drawn = []
        for k in self._numbers:
            like = self._transpose(k).weights
            normal = self.magnitude_stream.normal(0, self.scales[k], tuple(like.shape))
            drawn.append(torch.from_numpy(abs(normal)).to(like))
        return drawn
