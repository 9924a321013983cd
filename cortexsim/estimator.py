"""A scikit-learn transformer: features in, the activity of a network layer out.

The columns of X are laid out on the leaves of a tree, leaf after leaf with equally many features each, and padded with
zeros at the end.
"""

import math
import warnings
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
from cortexsim.learners import CLIPPED, HybridNetwork, Learner, train
from cortexsim.rate.threads import one_thread
from cortexsim.seeds import stream

LABELLED = ("feedback", "backprop")  # Learners that need labels.


@dataclass(frozen=True)
class _Leaves:
    """Layout of the input: the columns of X on the leaves of a tree."""

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
    """Transform features into the activity of a layer that a plasticity rule has trained.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> encoder = Encoder("clapp", settings={"training.epochs": 2}, random_state=0)
    >>> encoder.fit(X).transform(X).shape  # Layer 1 of 2: two positions of 64 cells.
    (150, 128)

    Args:
        model: name of a model, or path of a TOML file.
        depth: number of levels of the tree, and of layers of the network.
        tuple_size: s, the number of children of each node; the tree has s^depth leaves.
        layer: index of the layer to return, from 0; -1 is the highest layer that the learner trains.
        settings: changes to the model by dotted key, as in ``{"training.epochs": 5}``.
        target: code generation for layers in Brian2: ``cpp``, ``numpy`` or ``cython``.
        random_state: seed of initial weights and order of presentation.

    Attributes:
        learner_: the trained learner.
        classes_: (classes,), the labels that a supervised learner was trained on; absent for other learners.
        n_features_in_: number of columns of X.
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
        """Train on X from newly drawn weights.

        Args:
            X: (samples, columns).
            y: (samples,), the labels; only used by models that learn from labels.

        Raises:
            ValueError: X or y is invalid, labels are missing, or a setting is invalid.
        """
        self.__dict__.pop("classes_", None)
        leaves, labels = self._begin(X, y, None)
        train(self.learner_, leaves, labels, budget(self._model), self._seed)
        self._finish()
        return self

    @one_thread()
    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None, classes: ArrayLike | None = None) -> "Encoder":
        """Train on X for one more epoch, at a constant learning rate.

        Args:
            X: (samples, columns).
            y: (samples,), the labels; only used by models that learn from labels.
            classes: (classes,), all labels that later calls may contain; read at the first call. By default the labels
                of y.

        Raises:
            ValueError: X or y is invalid, labels are missing or new, or a setting is invalid.
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
                learner.step(stage, part, known, progress=None)
        self._finish()
        return self

    @one_thread()
    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the activity of a layer.

        Args:
            X: (samples, columns).

        Returns:
            Rates without unit, (samples, positions * cells).

        Raises:
            ValueError: X has another number of columns than in `fit`, or is outside the range that input spikes can
                encode.
            NotFittedError: `fit` was not called before.
        """
        check_is_fitted(self, "learner_")
        return self._code(self._leaves(self._checked(X, reset=False))).numpy().astype(float)

    @one_thread()
    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return the classification accuracy, from 0 to 1.

        A learner with an output of its own is scored by that. For others, a readout is trained on the activity of
        half of the samples of X, drawn at random, and tested on the rest.

        Args:
            X: (samples, columns).
            y: (samples,), the labels.

        Raises:
            ValueError: X has another number of columns than in `fit`, is outside the range that input spikes can
                encode, or has a single sample, where a readout is trained.
            NotFittedError: `fit` was not called before.
        """
        check_is_fitted(self, "learner_")
        leaves = self._leaves(self._checked(X, reset=False))
        known, labels = np.unique(column_or_1d(y), return_inverse=True)
        answer = self.learner_.classify(leaves)
        if answer is not None:
            predicted = self.classes_[answer.argmax(1).numpy().clip(max=len(self.classes_) - 1)]
            return float((predicted == column_or_1d(y)).mean())
        if len(leaves) < 2:
            raise ValueError("X has 1 sample: a readout is trained on one half of them and tested on the other")
        order = torch.from_numpy(stream(self._seed, "score").permutation(len(leaves)))
        code, truth = self._code(leaves).float()[order], torch.from_numpy(labels)[order]
        decoder: Readout = readout(self._model)
        return decoder.accuracy(code[::2], truth[::2], code[1::2], truth[1::2], len(known), self._seed)

    def __sklearn_tags__(self) -> Any:
        """Declare whether the model needs labels."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self._needs_labels(find_model(self.model))
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the learner's state instead of the learner itself."""
        pickled = dict(super().__getstate__())
        if "learner_" in pickled:
            pickled["_state"] = pickled.pop("learner_").state()
            pickled.pop("_evaluated")
        return pickled

    def __setstate__(self, pickled: dict[str, Any]) -> None:
        """Rebuild the learner and load its state."""
        state = pickled.pop("_state", None)
        super().__setstate__(pickled)
        if state is not None:
            self.learner_ = self._build()
            self.learner_.load(state)
            self._finish()

    def _begin(self, X: ArrayLike, y: ArrayLike | None, classes: ArrayLike | None) -> tuple[Tensor, Tensor]:
        """Check X and y, build the learner, and return X on the leaves and the label indices."""
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
        """Store the network used by `transform`: in double precision, so that a code does not depend on its batch."""
        network = self.learner_.network
        self._evaluated = network if isinstance(network, HybridNetwork) else network.double()
        number = self.learner_.trained_layers - 1 if self.layer == -1 else self.layer
        if not 0 <= number < len(network.layers):
            raise ValueError(f"layer = {self.layer}: not a layer of the model (0 to {len(network.layers) - 1}, or -1)")
        layer = network.layers[number]
        self._n_features_out = network.topology.layers[number].sent * layer.cells_sent
        self._layer = number

    def _checked(self, X: ArrayLike, reset: bool) -> NDArray[np.float64]:
        return validate_data(self, X, reset=reset, dtype=np.float64, ensure_min_samples=2 if reset else 1)

    def _leaves(self, values: NDArray[np.float64]) -> Tensor:
        """Reshape (samples, columns) to (samples, leaves, features), padded with zeros."""
        wide = self._tree.leaves * self._tree.channels
        self._check_range(values)
        padded = np.pad(values, ((0, 0), (0, wide - values.shape[1])))
        return torch.from_numpy(padded).float().view(len(values), self._tree.leaves, self._tree.channels)

    def _check_range(self, values: NDArray[np.float64]) -> None:
        """Check that X is within the range that input spikes can encode."""
        network = self.learner_.network
        first = network.segment_of(0) if isinstance(network, HybridNetwork) else None
        if first is None or first.substrate != "spiking":
            return
        least, most, largest = values.min(initial=0), values.max(initial=0), first.max_input
        if least < 0 or most > largest * (1 + 1e-6):
            raise UserError(
                f"X ranges from {least:.3g} to {most:.3g}, and input spikes can encode values from 0 to {largest:.3g},"
                " which is 1 / (input_rate dt) (scale X, for example with MinMaxScaler)"
            )

    def _labels(self, y: ArrayLike | None, count: int) -> Tensor:
        """Convert labels to indices into `classes_`; all zeros if there are no labels."""
        if y is None or not hasattr(self, "classes_"):
            return torch.zeros(count, dtype=torch.int64)
        known = column_or_1d(y)
        check_consistent_length(known, np.empty(count))
        if unknown := set(known.tolist()) - set(self.classes_.tolist()):
            raise ValueError(f"y contains {min(unknown)!r}, which was not among the classes of the first call")
        return torch.from_numpy(np.searchsorted(self.classes_, known))

    @torch.no_grad()
    def _code(self, leaves: Tensor) -> Tensor:
        network, leaves = self._evaluated, leaves.to(self._evaluated.output.dtype)
        if isinstance(network, HybridNetwork):
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
