"""What a network of rate layers is to be: its cells, and its synapses beside the feedforward ones."""

from dataclasses import dataclass
from typing import Literal

from cortexsim.rate.context_synapses import ContextSynapses

TransferName = Literal["relu", "saturating", "linear", "bounded"]
InputScalingName = Literal["synaptic", "sample"]
NormalisationName = Literal["none", "batch", "layer"]
Initial = Literal["normal", "uniform"]
Sends = Literal["activity", "prediction", "projection"]


@dataclass(frozen=True)
class Architecture:
    """The cells of a network and their feedforward weights, whatever learns in it.

    >>> from cortexsim.rate import Network
    >>> from cortexsim.topology import tree
    >>> cells = Architecture(cells=32, transfer="saturating", input_rms=0.7)
    >>> network = Network.build(cells, tree(depth=2, size=2, channels=8), 4, 0, Synapses(context=("sibling", "none")))
    >>> [None if layer.context is None else tuple(layer.context.weights.shape) for layer in network.layers]
    [(2, 32, 32), None]

    Args:
        cells: per column.
        shared: whether all columns of a layer share their weights.
        transfer: name of the transfer function.
        initial: distribution of the initial weights: ``"normal"``, without biases, or ``"uniform"``, of biases and of
            context weights too, as the layers of torch have it.
        initial_scale: of normal weights, standard deviation in units of sqrt(2 / inputs): 1 preserves the activity of
            ReLU layers (He et al. 2015); of uniform ones, the largest in units of sqrt(1 / inputs).
        input_rms: root mean square to which the input of each layer is scaled; None for no scaling.
        input_scaling: by one adaptive gain of each layer, ``"synaptic"``, or the input of each column in each
            ``"sample"`` by itself.
        normalisation: of the drive of each layer, over a ``"batch"`` or the ``"layer"``, or ``"none"``.
        sends: output code of a layer: its ``"activity"``, its ``"prediction"`` of the dendritic input of the columns
            that have it as context, or its ``"projection"``, by ON and OFF cells.
        on_off: whether a prediction is sent by ON cells, active where it is positive, and then as many OFF cells, which
            are active where it is negative.
        projection: linear cells per column that receive its activity, and on which the rule acts; 0 for none. Every
            place among siblings has weights of its own.
        mean_rate: fraction per batch by which running means of rates adapt.
        covariance_rate: fraction per batch by which running variances and covariances adapt.
    """

    cells: int = 64
    shared: bool = True
    transfer: TransferName = "relu"
    initial: Initial = "normal"
    initial_scale: float = 1.0
    input_rms: float | None = None
    input_scaling: InputScalingName = "synaptic"
    normalisation: NormalisationName = "none"
    sends: Sends = "activity"
    on_off: bool = False
    projection: int = 0
    mean_rate: float = 0.01
    covariance_rate: float = 0.01


@dataclass(frozen=True)
class Synapses:
    """The synapses of a network beside the feedforward ones, and which layers do not share weights.

    Args:
        context: of each layer, lowest first, such as ``"sibling"`` or ``"cousin+label"``, or ``"view|view-top"`` on two
            dendrites; empty for none.
        context_synapses: initial context weights: ``"silent"``, ``"random"`` or ``"uniform"``; ``"one_to_one"`` has
            none, as each cell gets the mean of the cells of its index.
        feedback: random weights that project a modulator of one component per class onto each layer, ``"direct"``, or
            the error of the layer above, ``"layered"``, or that of the projection, ``"projection"``.
        unshared: layers, from 1, whose columns have weights of their own, whatever the architecture says.
    """

    context: tuple[str, ...] = ()
    context_synapses: ContextSynapses = "silent"
    feedback: Literal["none", "direct", "layered", "projection"] = "none"
    unshared: frozenset[int] = frozenset()
