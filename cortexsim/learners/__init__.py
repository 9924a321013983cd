"""Learners: whatever learns from a stream and answers with activity, behind one protocol and one training loop."""

from cortexsim.learners.backprop import Backprop
from cortexsim.learners.brian_learner import BrianLearner
from cortexsim.learners.contrast import clapp_loss, infonce_loss
from cortexsim.learners.end_to_end import EndToEnd
from cortexsim.learners.feedback import Feedback
from cortexsim.learners.hybrid_network import CLIPPED, HybridNetwork
from cortexsim.learners.local import Local
from cortexsim.learners.predictive_coding import Settled
from cortexsim.learners.protocol import (
    START,
    BatchEnd,
    Budget,
    Callback,
    Cursor,
    EpochEnd,
    Event,
    Learner,
    events,
    see_possible,
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
    "Segment",
    "Settled",
    "State",
    "Untrained",
    "clapp_loss",
    "events",
    "infonce_loss",
    "load_exactly",
    "see_possible",
    "train",
]
