"""What a code has become: how it groups synonyms, and in how many dimensions.

All functions take activity (samples, positions, cells) and the latents that the columns should stand for (samples,
positions), treat every position by itself, and answer with the mean over positions. Read them together: a code that has
collapsed onto one direction can be selective.
"""

import numpy as np
from numpy.typing import NDArray

Activity = NDArray[np.floating]
Latents = NDArray[np.integer]

RIDGE = 1e-4  # Of the mean variance of a cell: makes decoding from silent cells well posed.


def selectivity(activity: Activity, latents: Latents) -> float:
    """Measure the share of the variance that lies between latents: 1 is blind to synonyms, 0 is noise."""
    shares = []
    for values, names in _by_position(activity, latents):
        means, counts = _class_means(values, names)
        total = values.var(axis=0).sum()
        between = (counts[:, None] * (means - values.mean(0)) ** 2).sum() / len(values)
        shares.append(between / total if total > 0 else 0.0)
    return float(np.mean(shares))


def participation(activity: Activity, latents: Latents) -> float:
    """Count the directions that latents are spread over: (sum of eigenvalues)^2 / (sum of their squares).

    Of the covariance between the mean activities of the latents; at most the number of latents less one.
    """
    ratios = []
    for values, names in _by_position(activity, latents):
        means, _ = _class_means(values, names)
        # Singular values of the centred means are roots of the eigenvalues, and stay accurate when those are tiny.
        spectrum = np.linalg.svd(means - means.mean(0), compute_uv=False) ** 2
        ratios.append(spectrum.sum() ** 2 / (spectrum**2).sum() if spectrum.sum() > 0 else 0.0)
    return float(np.mean(ratios))


def decoding(activity: Activity, latents: Latents) -> float:
    """Decode the latent linearly, by ridge regression onto one-hot: fitted on one half, scored on the other."""
    scores = []
    for values, names in _by_position(activity, latents):
        half = len(values) // 2
        centre, spread = values[:half].mean(0), values[:half].std()
        scaled = np.hstack([(values - centre) / (spread or 1.0), np.ones((len(values), 1))])
        target = np.eye(int(names.max()) + 1)[names]
        gram = scaled[:half].T @ scaled[:half]
        weights = np.linalg.solve(gram + RIDGE * half * np.eye(len(gram)), scaled[:half].T @ target[:half])
        scores.append(((scaled[half:] @ weights).argmax(1) == names[half:]).mean())
    return float(np.mean(scores))


def sensitivity(activity: Activity, exchanged: Activity) -> float:
    """Measure S_{k,l}: how far a layer moves when synonyms are exchanged, over its distance between unrelated samples.

    1 is as sensitive as to anything, 0 is invariant (Cagnetta et al. 2024).

    Args:
        activity: (samples, positions, cells).
        exchanged: the same for the same samples with the synonyms of one level exchanged.
    """
    moved = ((activity - exchanged) ** 2).sum()
    apart = ((activity - np.roll(activity, 1, axis=0)) ** 2).sum()
    return float(moved / apart) if apart > 0 else 0.0


def _by_position(activity: Activity, latents: Latents) -> list[tuple[Activity, Latents]]:
    return [(activity[:, p].astype(np.float64), latents[:, p]) for p in range(activity.shape[1])]


def _class_means(values: Activity, names: Latents) -> tuple[Activity, NDArray[np.integer]]:
    present, index, counts = np.unique(names, return_inverse=True, return_counts=True)
    means = np.zeros((len(present), values.shape[1]))
    np.add.at(means, index, values)
    return means / counts[:, None], counts
