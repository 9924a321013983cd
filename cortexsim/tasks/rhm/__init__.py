"""The task: the Random Hierarchy Model, its samples, its exact tables and its laws."""

from cortexsim.tasks.rhm import laws, tables
from cortexsim.tasks.rhm.grammar import Grammar, Hierarchy
from cortexsim.tasks.rhm.sampling import Samples, exchange_noise, exchange_synonyms, sample, split

__all__ = [
    "Grammar",
    "Hierarchy",
    "Samples",
    "exchange_noise",
    "exchange_synonyms",
    "laws",
    "sample",
    "split",
    "tables",
]
