"""Fixtures of all tests: a small grammar, and a source of randomness; and how long all of them take."""

import os
import time

import numpy as np
import pytest

# Set before torch is imported: networks of this size are slower on several threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from cortexsim.seeds import stream
from cortexsim.tasks.rhm import Grammar, Hierarchy

BEGUN = time.monotonic()
TAKEN = "cortexsim/seconds"  # Key in the cache of pytest: seconds of the last whole run on this machine.


def pytest_report_header(config: pytest.Config) -> str:
    """Say first how long the run will take, where all tests are run and have been before."""
    if not is_whole(config):
        return ""
    cache = getattr(config, "cache", None)  # There is none with -p no:cacheprovider.
    seconds = None if cache is None else cache.get(TAKEN, None)
    took = "about five minutes on two cores" if seconds is None else f"the last time they took {seconds:.0f} s here"
    return f"cortexsim: all tests but the slow ones; {took}"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how long a whole run took."""
    ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    cache = getattr(session.config, "cache", None)
    if ended and is_whole(session.config) and cache is not None:
        cache.set(TAKEN, time.monotonic() - BEGUN)


def is_whole(config: pytest.Config) -> bool:
    """Whether all tests of the default are run, and not some that were chosen."""
    option, everywhere = config.option, config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return (
        everywhere
        and option.markexpr.startswith("not slow")
        and not (option.keyword or option.collectonly or option.maxfail)
    )


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    """Let what a test draws from torch not depend on the tests before it in its process."""
    torch.manual_seed(0)


@pytest.fixture
def generator() -> np.random.Generator:
    return stream(1, "test")


@pytest.fixture
def grammar() -> Grammar:
    return Grammar.draw(Hierarchy(features=6, multiplicity=3, depth=3), stream(0, "grammar"))
