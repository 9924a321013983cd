"""Learners: whatever learns from a stream and answers with activity, behind one protocol and one training loop."""

from cortexsim.learners.backprop import Backprop
from cortexsim.learners.feedback import Feedback
from cortexsim.learners.local import Local
from cortexsim.learners.mixed import MixedNetwork, Segment
from cortexsim.learners.protocol import Budget, Learner, train
from cortexsim.learners.streamed import Streamed
from cortexsim.learners.untrained import Untrained

__all__ = [
    "Backprop",
    "Budget",
    "Feedback",
    "Learner",
    "Local",
    "MixedNetwork",
    "Segment",
    "Streamed",
    "Untrained",
    "train",
]
