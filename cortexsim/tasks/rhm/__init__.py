"""The Random Hierarchy Model: grammars, samples, exact probabilities, and predicted sample complexities."""

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
