"""Named random streams, all spawned from one root seed.

Two streams with different names are independent; adding a stream changes no other.
"""

from zlib import crc32

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Open the random stream of the given name under a root seed, e.g. ``stream(3, "weights", 2)``."""
    key = tuple(name if isinstance(name, int) else crc32(name.encode()) for name in names)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
