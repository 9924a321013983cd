"""Readouts: supervised decoders of the activity of a trained network, which does not change any more."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cortexsim.seeds import stream


@dataclass(frozen=True)
class Readout:
    """Decoder of the labels from the activity of one layer, trained by AdamW on the cross-entropy.

    Args:
        kind: ``linear``, or ``two-layer`` with one hidden layer of ReLU units.
        hidden: number of hidden units of the two-layer readout.
        epochs: number of passes over the training samples.
        batch: number of samples per batch.
        eta: initial learning rate, which falls linearly to zero.
        weight_decay: weight decay of AdamW.

    >>> activity = torch.linspace(-1, 1, 200)[:, None]  # (samples, features)
    >>> labels = (activity[:, 0] > 0).long()
    >>> Readout(kind="linear").accuracy(activity, labels, activity[::2], labels[::2], classes=2, seed=0) > 0.95
    True
    """

    kind: Literal["linear", "two-layer"] = "two-layer"
    hidden: int = 64
    epochs: int = 100
    batch: int = 128
    eta: float = 0.02
    weight_decay: float = 1.0

    def accuracy(
        self, train: Tensor, labels: Tensor, test: Tensor, test_labels: Tensor, classes: int, seed: int
    ) -> float:
        """Train a new readout, and return its accuracy on the test samples.

        Activity is centred per feature and divided by one standard deviation over all features, both of the training
        samples.

        Args:
            train: activity, (samples, positions, cells) or (samples, features).
            labels: classes of the training samples, (samples,).
            test: activity, (test samples, positions, cells) or (test samples, features).
            test_labels: classes of the test samples, (test samples,).
            classes: number of classes.
            seed: root seed of initial weights and batches, stream ``readout``.

        Returns:
            Fraction of test samples that are classified correctly.
        """
        train, test = train.flatten(1), test.flatten(1)
        centre, spread = train.mean(0), train.std().clamp_min(1e-8)
        logits = self._fit((train - centre) / spread, labels, classes, seed)
        with torch.no_grad():
            return float((logits((test - centre) / spread).argmax(1) == test_labels).float().mean())

    def _fit(self, features: Tensor, labels: Tensor, classes: int, seed: int) -> torch.nn.Module:
        generator = stream(seed, "readout")
        widths = [features.shape[1], *([self.hidden] if self.kind == "two-layer" else []), classes]
        layers: list[torch.nn.Module] = []
        for pre, post in pairwise(widths):
            layer = torch.nn.Linear(pre, post).to(features)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(generator.normal(0, math.sqrt(1 / pre), (post, pre))))
                layer.bias.zero_()
            layers += [layer, torch.nn.ReLU()]
        network = torch.nn.Sequential(*layers[:-1])
        optimizer = torch.optim.AdamW(network.parameters(), lr=self.eta, weight_decay=self.weight_decay)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=self.epochs)
        for _ in range(self.epochs):
            order = torch.from_numpy(generator.permutation(len(features))).to(features.device)
            for chosen in order.split(self.batch):
                optimizer.zero_grad()
                cross_entropy(network(features[chosen]), labels[chosen]).backward()
                optimizer.step()
            schedule.step()
        return network
