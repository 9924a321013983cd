"""Fixtures of all tests: a small grammar, and a source of randomness."""

import os

import numpy as np
import pytest

# Set before torch is imported: networks of this size are slower on several threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Grammar, Hierarchy


@pytest.fixture
def generator() -> np.random.Generator:
    return stream(1, "test")


@pytest.fixture
def grammar() -> Grammar:
    return Grammar.draw(Hierarchy(features=6, multiplicity=3, depth=3), stream(0, "grammar"))
