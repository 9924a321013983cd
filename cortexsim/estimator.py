"""A learner as an estimator of scikit-learn: features in, the activity of a layer out.

The columns of X are the leaves of the tree, one after the other, each with its features; where they do not fill a tree,
columns of zeros are added.
"""

import math
import warnings
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
from torch import Tensor

from cortexsim.analysis.probes import activities
from cortexsim.analysis.readout import Readout
from cortexsim.config.building import assemble, budget, readout
from cortexsim.config.overrides import at_depth, changed
from cortexsim.config.registry import find_model
from cortexsim.config.schema import Model
from cortexsim.errors import UserError
from cortexsim.learners import CLIPPED, Learner, MixedNetwork, train
from cortexsim.rate import Network
from cortexsim.rate.threads import one_thread

LABELLED = ("feedback", "backprop")  # Learners that cannot do without labels.


@dataclass(frozen=True)
class _Leaves:
    """What a network is shown here: columns of X on the leaves of a tree."""

    leaves: int
    channels: int
    classes: int
    depth: int
    branching: int
    name: str = "X"
    second_views: str = ""

    @property
    def grid(self) -> tuple[int, ...]:
        return (self.leaves,)


class Encoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learn a code by a plasticity rule, and answer with the activity of a layer.

    Args:
        model: name of a model, or path of a TOML file.
        depth: levels of the tree, and layers of the network.
        tuple_size: s, columns under one parent; the tree has s^depth leaves.
        layer: which layer answers, from 0; -1 is the highest that the learner has shaped.
        settings: other values of the model by dotted keys, as in ``{"training.epochs": 5}``.
        target: of layers in Brian2: ``cpp``, ``numpy`` or ``cython``.
        random_state: seeds weights and order.

    Attributes:
        learner_: what has learned.
        classes_: labels that were seen; absent where there were none.
        n_features_in_: columns of X.
    """

    def __init__(
        self,
        model: str = "clapp",
        depth: int = 2,
        tuple_size: int = 2,
        layer: int = -1,
        settings: dict[str, Any] | None = None,
        target: str = "cpp",
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.depth = depth
        self.tuple_size = tuple_size
        self.layer = layer
        self.settings = settings
        self.target = target
        self.random_state = random_state

    @one_thread()
    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "Encoder":
        """Learn from X (samples, columns), and y (samples,) where the learner needs labels.

        Raises:
            ValueError: where X or y cannot be learned from, or a setting cannot be.
        """
        self.__dict__.pop("classes_", None)
        leaves, labels = self._begin(X, y, None)
        train(self.learner_, leaves, labels, budget(self._model), self._seed)
        self._finish()
        return self

    @one_thread()
    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None, classes: ArrayLike | None = None) -> "Encoder":
        """Go through X once more, at a learning rate that does not fall.

        Args:
            X: (samples, columns).
            y: (samples,), where the learner needs labels.
            classes: all labels that there will be, at the first call; those of y unless given.
        """
        if hasattr(self, "learner_"):
            leaves = self._leaves(self._checked(X, reset=False))
            labels = self._labels(y, len(leaves))
        else:
            leaves, labels = self._begin(X, y, classes)
        most, learner = budget(self._model).batch, self.learner_
        for stage in range(learner.stages):
            seen, batch = (
                learner.stage_inputs(stage, leaves),
                len(leaves) if stage in learner.streaming_stages else most,
            )
            for part, known in zip(seen.split(batch), labels.split(batch), strict=True):
                learner.step(stage, part, known, self._model.training.warm_up)
        self._finish()
        return self

    @one_thread()
    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Answer X (samples, columns) with the activity of a layer, (samples, positions cells).

        Raises:
            ValueError: where X is not as in `fit`, or input spikes cannot carry it.
        """
        check_is_fitted(self, "learner_")
        return self._code(self._leaves(self._checked(X, reset=False))).numpy().astype(float)

    @one_thread()
    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Give the share of labels that are right: the learner's own, or those of a readout fitted to the same X.

        A learner with no answer of its own is scored as `analysis.readout` does it: a readout is fitted to one half of
        X, and asked about the other.
        """
        check_is_fitted(self, "learner_")
        leaves = self._leaves(self._checked(X, reset=False))
        known, labels = np.unique(column_or_1d(y), return_inverse=True)
        answer = self.learner_.classify(leaves)
        if answer is not None:
            said = self.classes_[answer.argmax(1).numpy().clip(max=len(self.classes_) - 1)]
            return float((said == column_or_1d(y)).mean())
        code, truth = self._code(leaves).float(), torch.from_numpy(labels)
        kind: Readout = readout(self._model)
        return kind.accuracy(code[::2], truth[::2], code[1::2], truth[1::2], len(known), self._seed)

    def __sklearn_tags__(self) -> Any:
        """Say what it needs: labels, where the learner does."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self._needs_labels(find_model(self.model))
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Keep the state of the learner, not the learner."""
        kept = dict(super().__getstate__())
        if "learner_" in kept:
            kept["_state"] = kept.pop("learner_").state()
            kept.pop("_evaluated")
        return kept

    def __setstate__(self, kept: dict[str, Any]) -> None:
        """Build the learner anew, and let it load its state."""
        state = kept.pop("_state", None)
        super().__setstate__(kept)
        if state is not None:
            self.learner_ = self._build()
            self.learner_.load(state)
            self._finish()

    def _begin(self, X: ArrayLike, y: ArrayLike | None, classes: ArrayLike | None) -> tuple[Tensor, Tensor]:
        """Check what there is to learn from, and build the learner that fits it."""
        self._model: Model = at_depth(changed(find_model(self.model), self.settings or {}), self.depth)
        values = self._checked(X, reset=True)
        if y is None and self._needs_labels(self._model):
            raise ValueError(f"{self.model} requires y to be passed, but the target y is None")
        if y is not None and self._needs_labels(self._model):
            check_classification_targets(column_or_1d(y, warn=True))
            self.classes_ = np.unique(column_or_1d(y if classes is None else classes))
        count = len(self.classes_) if hasattr(self, "classes_") else 2
        per_leaf = math.ceil(values.shape[1] / self.tuple_size**self.depth)
        features = max(2, per_leaf, math.ceil(count ** (1 / self.tuple_size)))
        self._tree = _Leaves(self.tuple_size**self.depth, features, max(2, count), self.depth, self.tuple_size)
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.learner_ = self._build()
        return self._leaves(values), self._labels(y, len(values))

    def _build(self) -> Learner:
        return assemble(self._model, self._tree, self._seed, target=self.target)

    def _finish(self) -> None:
        """Keep the network as it is evaluated: in double precision, so that a sample's code is its own."""
        network = self.learner_.network
        self._evaluated = network if isinstance(network, MixedNetwork) else _doubled(network)
        number = self.learner_.trained_layers - 1 if self.layer == -1 else self.layer
        if not 0 <= number < len(network.layers):
            raise ValueError(f"layer = {self.layer}: there are {len(network.layers)}, from 0 (-1: the highest shaped)")
        layer = network.layers[number]
        self._n_features_out = network.topology.layers[number].sent * layer.bias.shape[1]
        self._layer = number

    def _checked(self, X: ArrayLike, reset: bool) -> NDArray[np.float64]:
        return validate_data(self, X, reset=reset, dtype=np.float64, ensure_min_samples=2 if reset else 1)

    def _leaves(self, values: NDArray[np.float64]) -> Tensor:
        """Lay columns out on the tree: (samples, columns) to (samples, s^L, v)."""
        wide = self._tree.leaves * self._tree.channels
        self._check_range(values)
        padded = np.pad(values, ((0, 0), (0, wide - values.shape[1])))
        return torch.from_numpy(padded).float().view(len(values), self._tree.leaves, self._tree.channels)

    def _check_range(self, values: NDArray[np.float64]) -> None:
        """See that spikes can carry X."""
        network = self.learner_.network
        first = network.segment_of(0) if isinstance(network, MixedNetwork) else None
        if first is None or first.substrate != "spiking":
            return
        least, most, ceiling = values.min(initial=0), values.max(initial=0), first.ceiling
        if least < 0 or most > ceiling * (1 + 1e-6):
            raise UserError(
                f"X reaches from {least:.3g} to {most:.3g}, and input spikes carry 0 to {ceiling:.3g}"
                " (1 / (input_rate dt)): scale X, as MinMaxScaler does"
            )

    def _labels(self, y: ArrayLike | None, count: int) -> Tensor:
        """Number labels by their place in `classes_`; without any, all are 0."""
        if y is None or not hasattr(self, "classes_"):
            return torch.zeros(count, dtype=torch.int64)
        known = column_or_1d(y)
        check_consistent_length(known, np.empty(count))
        if unknown := set(known.tolist()) - set(self.classes_.tolist()):
            raise ValueError(f"y holds {min(unknown)!r}, which was not among the classes of the first call")
        return torch.from_numpy(np.searchsorted(self.classes_, known))

    @torch.no_grad()
    def _code(self, leaves: Tensor) -> Tensor:
        network, leaves = self._evaluated, leaves.to(self._evaluated.output.dtype)
        if isinstance(network, MixedNetwork):
            codes, cost = network.respond(leaves)
            if cost["clipped"]:
                warnings.warn(CLIPPED.format(cost["clipped"]), stacklevel=3)
        else:
            codes = activities(network, leaves)
        return codes[self._layer].flatten(1)

    @staticmethod
    def _needs_labels(model: Model) -> bool:
        if model.rule is not None and ("label" in model.rule.context or model.rule.top == "label"):
            return True
        return model.learner in LABELLED and model.training.loss == "labels"


def _doubled(network: Network) -> Network:
    """Copy a network in double precision."""
    found = deepcopy(network)
    for tensor in found.state().values():
        tensor.data = tensor.data.double()
    return found
