"""Learners: ways in which a network learns from a stream of fixations, with one protocol and one training loop."""

from cortexsim.learners.backprop import Backprop
from cortexsim.learners.brian_learner import BrianLearner
from cortexsim.learners.contrast import clapp_loss, infonce_loss, paired_clapp_loss, paired_infonce_loss
from cortexsim.learners.end_to_end import EndToEnd, PairedEndToEnd, paired_loss
from cortexsim.learners.feedback import Feedback
from cortexsim.learners.hybrid_network import CLIPPED, HybridNetwork
from cortexsim.learners.local import Local
from cortexsim.learners.paired import PairedLocal
from cortexsim.learners.predictive_coding import PredictiveCoding
from cortexsim.learners.protocol import (
    START,
    BatchEnd,
    Budget,
    Callback,
    Cursor,
    EpochEnd,
    Event,
    Learner,
    Pairs,
    batch_size,
    check_cursor,
    events,
    train,
)
from cortexsim.learners.segment import Segment
from cortexsim.learners.state import State, load_exactly
from cortexsim.learners.untrained import Untrained

__all__ = [
    "CLIPPED",
    "START",
    "Backprop",
    "BatchEnd",
    "BrianLearner",
    "Budget",
    "Callback",
    "Cursor",
    "EndToEnd",
    "EpochEnd",
    "Event",
    "Feedback",
    "HybridNetwork",
    "Learner",
    "Local",
    "PairedEndToEnd",
    "PairedLocal",
    "Pairs",
    "PredictiveCoding",
    "Segment",
    "State",
    "Untrained",
    "batch_size",
    "check_cursor",
    "clapp_loss",
    "events",
    "infonce_loss",
    "load_exactly",
    "paired_clapp_loss",
    "paired_infonce_loss",
    "paired_loss",
    "train",
]
