"""Photographs that come with scikit-learn and scikit-image, filtered as by the centre and surround of retinal cells.

``china`` and ``flower`` are files of scikit-learn; ``camera``, ``astronaut``, ``chelsea``, ``coffee`` and
``motorcycle`` are files of scikit-image. ``motorcycle`` is a stereo pair (Scharstein et al., "High-resolution stereo
datasets with subpixel-accurate ground truth", GCPR 2014). Nothing is downloaded.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError, nearest

Image = NDArray[np.float32]

OF_SKLEARN = ("china", "flower")
OF_SKIMAGE = ("camera", "astronaut", "chelsea", "coffee", "motorcycle")
PHOTOGRAPHS = OF_SKLEARN + OF_SKIMAGE
CENTRE, SURROUND = 1.0, 3.0  # Standard deviations of the two Gaussians, in pixels.


def parse(names: str) -> tuple[str, ...]:
    """Split the names of photographs, joined by ``+``.

    >>> parse("china+flower")
    ('china', 'flower')

    Raises:
        UserError: a photograph is not known, or named twice.
    """
    chosen = tuple(names.split("+"))
    for place, name in enumerate(chosen):
        if name not in PHOTOGRAPHS:
            raise UserError(f"photographs = '{names}': '{name}' is not known ({nearest(name, PHOTOGRAPHS)})")
        if name in chosen[:place]:
            raise UserError(f"photographs = '{names}': '{name}' is there twice (name it once)")
    return chosen


@lru_cache(maxsize=len(PHOTOGRAPHS))
def filtered(name: str) -> Image:
    """Read a photograph in grey, and filter it by a difference of Gaussians.

    Args:
        name: one of `PHOTOGRAPHS`.

    Returns:
        (eyes, rows, columns): two eyes for a stereo pair, and otherwise one.

    Raises:
        UserError: the package that the photograph comes with is not installed.
    """
    from scipy.ndimage import gaussian_filter

    blurred = (gaussian_filter(_read(name), (0, sigma, sigma)) for sigma in (CENTRE, SURROUND))
    result = np.subtract(*blurred).astype(np.float32)
    result.flags.writeable = False  # All tasks share it.
    return result


def _read(name: str) -> NDArray[np.float64]:
    """Read a photograph in grey, the mean of its three colours: (eyes, rows, columns), from 0 to 1."""
    package, extra = ("scikit-learn", "sklearn") if name in OF_SKLEARN else ("scikit-image", "photographs")
    try:
        if name in OF_SKLEARN:
            from sklearn.datasets import load_sample_image

            views = [load_sample_image(f"{name}.jpg")]
        else:
            import skimage.data

            views = skimage.data.stereo_motorcycle()[:2] if name == "motorcycle" else [getattr(skimage.data, name)()]
    except ImportError:
        message = f"task 'patches': photograph '{name}' needs {package} (pip install 'cortexsim[{extra}]')"
        raise UserError(message) from None
    return np.stack([np.atleast_3d(view).mean(2) / 255 for view in views])
