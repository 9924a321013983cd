"""Named random streams, all spawned from one root seed.

Streams with different names are independent, so that adding one changes no other.
"""

from zlib import crc32

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Create the random stream of a name under a root seed.

    >>> bool(stream(3, "weights", 2).random() == stream(3, "weights", 2).random())
    True
    >>> bool(stream(3, "weights", 2).random() == stream(3, "weights", 1).random())
    False

    Args:
        seed: root seed, not negative.
        names: parts of the name; numbers are not negative.
    """
    key = tuple(name if isinstance(name, int) else crc32(name.encode()) for name in names)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
