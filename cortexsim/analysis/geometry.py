"""Geometry of a population code: selectivity for latents, dimensionality, linear decoding, sensitivity to synonyms.

`selectivity`, `participation` and `decoding` take the activity (samples, positions, cells) of a layer and the latent
variable (samples, positions) that each of its columns should represent, and return the mean over positions. They need
to be read together: a code that has collapsed onto one direction can still be selective.

>>> from cortexsim.seeds import stream
>>> latents = np.tile(np.arange(4), 50)[:, None]  # (samples, positions)
>>> activity = np.eye(4)[latents] + 0.01 * stream(0, "noise").normal(size=(200, 1, 4))  # (samples, positions, cells)
>>> selectivity(activity, latents) > 0.99, round(participation(activity, latents), 1), decoding(activity, latents)
(True, 3.0, 1.0)
>>> sensitivity(activity, exchanged=activity)
0.0
"""

import numpy as np
from numpy.typing import NDArray

Activity = NDArray[np.floating]
Latents = NDArray[np.integer]

RIDGE = 1e-4  # Relative to the mean variance of a cell; makes decoding from silent cells well posed.


def selectivity(activity: Activity, latents: Latents) -> float:
    """Fraction of the variance of the activity explained by the latent.

    1 if the activity is the same for all synonyms of a latent, 0 if it is unrelated to the latent.

    Args:
        activity: (samples, positions, cells).
        latents: (samples, positions).
    """
    fractions = []
    for values, latent in _by_position(activity, latents):
        means, counts = _class_means(values, latent)
        total = values.var(axis=0).sum()
        between = (counts[:, None] * (means - values.mean(0)) ** 2).sum() / len(values)
        fractions.append(between / total if total > 0 else 0.0)
    return float(np.mean(fractions))


def participation(activity: Activity, latents: Latents) -> float:
    """Participation ratio of the class means: (sum of eigenvalues)^2 / sum of squared eigenvalues.

    The eigenvalues are those of the covariance of the mean activities of the latents. The ratio counts the dimensions
    over which the means are spread, at most the number of latents minus one.

    Args:
        activity: (samples, positions, cells).
        latents: (samples, positions).
    """
    ratios = []
    for values, latent in _by_position(activity, latents):
        means, _ = _class_means(values, latent)
        # Singular values are the square roots of the eigenvalues, and more accurate when these are tiny.
        spectrum = np.linalg.svd(means - means.mean(0), compute_uv=False) ** 2
        ratios.append(spectrum.sum() ** 2 / (spectrum**2).sum() if spectrum.sum() > 0 else 0.0)
    return float(np.mean(ratios))


def decoding(activity: Activity, latents: Latents) -> float:
    """Accuracy of a linear decoder of the latent: ridge regression onto its one-hot code.

    Fitted on the first half of the samples and tested on the second half.

    Args:
        activity: (samples, positions, cells).
        latents: (samples, positions), integers from 0.
    """
    scores = []
    for values, latent in _by_position(activity, latents):
        half = len(values) // 2
        centre, spread = values[:half].mean(0), values[:half].std()
        scaled = np.hstack([(values - centre) / (spread or 1.0), np.ones((len(values), 1))])
        target = np.eye(int(latent.max()) + 1)[latent]
        gram = scaled[:half].T @ scaled[:half]
        weights = np.linalg.solve(gram + RIDGE * half * np.eye(len(gram)), scaled[:half].T @ target[:half])
        scores.append(((scaled[half:] @ weights).argmax(1) == latent[half:]).mean())
    return float(np.mean(scores))


def sensitivity(activity: Activity, exchanged: Activity) -> float:
    """Synonym sensitivity S_{k,l} of layer k to level l.

    Mean squared change of the activity when the synonyms of one level are exchanged, divided by the mean squared
    distance between different samples: 0 if the activity is invariant, 1 if it changes as between unrelated samples.
    Source: Cagnetta et al., Physical Review X 14, 031001 (2024).

    Args:
        activity: (samples, positions, cells).
        exchanged: activity for the same samples with the synonyms exchanged, (samples, positions, cells).
    """
    change = ((activity - exchanged) ** 2).sum()
    distance = ((activity - np.roll(activity, 1, axis=0)) ** 2).sum()
    return float(change / distance) if distance > 0 else 0.0


def _by_position(activity: Activity, latents: Latents) -> list[tuple[Activity, Latents]]:
    return [(activity[:, p].astype(np.float64), latents[:, p]) for p in range(activity.shape[1])]


def _class_means(values: Activity, latent: Latents) -> tuple[Activity, NDArray[np.integer]]:
    present, index, counts = np.unique(latent, return_inverse=True, return_counts=True)
    means = np.zeros((len(present), values.shape[1]))
    np.add.at(means, index, values)
    return means / counts[:, None], counts
