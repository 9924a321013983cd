"""The Random Hierarchy Model: grammars, samples, exact probabilities, and predicted sample complexities.

>>> from cortexsim.seeds import stream
>>> sizes = Hierarchy(features=8, multiplicity=4, depth=3)
>>> samples = sample(Grammar.draw(sizes, stream(0, "grammar")), 100, stream(0, "data"))
>>> samples.leaves.shape, [latents.shape for latents in samples.latents]  # Symbols by sample and position.
((100, 8), [(100, 4), (100, 2), (100, 1)])
"""

from cortexsim.tasks.rhm import laws, tables
from cortexsim.tasks.rhm.grammar import Grammar, Sizes
from cortexsim.tasks.rhm.sampling import Samples, exchange_noise, exchange_synonyms, sample, split
from cortexsim.tasks.rhm.task import Hierarchy

__all__ = [
    "TASK",
    "Grammar",
    "Hierarchy",
    "Samples",
    "Sizes",
    "exchange_noise",
    "exchange_synonyms",
    "laws",
    "sample",
    "split",
    "tables",
]

TASK = Hierarchy
