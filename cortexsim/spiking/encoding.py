"""Encoding: from activities to input spikes that depend on seed, stimulus, time step and cell alone.

The random number of a time step is a hash of these four, not the next of a stream: how a run is cut into chunks, the
order of evaluation, and the number of processes change no spike. The hash is the finaliser of SplitMix64 (Steele, Lea,
Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), applied once for each of the four.
"""

import numpy as np

ENCODINGS = {
    # Independent in every step, with the probability rate * dt.
    "poisson": "uniform(seed, stimulus_number, timestep(age, dt), i) < rate * dt",
    # Evenly spaced, from a random phase.
    "regular": "(floor(uniform(seed, stimulus_number, 0, i) + rate * (age + dt))"
    " > floor(uniform(seed, stimulus_number, 0, i) + rate * age))",
}
"""Condition of an input spike while its rate is above zero, by the name that models use."""

INCREMENT, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

CPP = """
static inline double uniform(int64_t seed, int64_t fixation, int64_t step, int64_t cell)
{
    const uint64_t parts[4] = {(uint64_t)seed, (uint64_t)fixation, (uint64_t)step, (uint64_t)cell};
    uint64_t x = 0;
    for (int k=0; k<4; k++)
    {
        x += 0x9E3779B97F4A7C15ULL + parts[k];
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
        x ^= x >> 31;
    }
    return (x >> 11) * (1.0 / 9007199254740992.0);
}
"""

CYTHON = """
cdef double uniform(int64_t seed, int64_t fixation, int64_t step, int64_t cell):
    cdef uint64_t x = 0
    cdef int64_t part
    for part in (seed, fixation, step, cell):
        x += <uint64_t>0x9E3779B97F4A7C15ULL + <uint64_t>part
        x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9ULL
        x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EBULL
        x ^= x >> 31
    return (x >> 11) * (1.0 / 9007199254740992.0)
"""


def uniform(seed: object, stimulus: object, step: object, cell: object) -> np.ndarray:
    """Draw from [0, 1) for a seed, stimulus, time step and cell.

    >>> uniform(7, 1, 2, [0, 1, 2]).round(3)
    array([0.711, 0.222, 0.286])

    Args:
        seed, stimulus, step, cell: whole numbers or arrays of them, of shapes that can be broadcast.

    Returns:
        One number each, in double precision, of the shape to which they broadcast.
    """
    with np.errstate(over="ignore"):
        x: np.ndarray = np.asarray(0, np.uint64)
        for part in (seed, stimulus, step, cell):
            x = x + np.uint64(INCREMENT) + np.asarray(part).astype(np.int64).astype(np.uint64)
            x = (x ^ (x >> np.uint64(30))) * np.uint64(FIRST)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(SECOND)
            x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(11)).astype(float) / 2.0**53
