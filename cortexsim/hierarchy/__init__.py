"""The task: the Random Hierarchy Model, its samples, its exact tables, its contexts and its laws."""

from cortexsim.hierarchy import contexts, laws, tables
from cortexsim.hierarchy.grammar import Grammar, Hierarchy
from cortexsim.hierarchy.sampling import Samples, exchange_noise, exchange_synonyms, sample, split

__all__ = [
    "Grammar",
    "Hierarchy",
    "Samples",
    "contexts",
    "exchange_noise",
    "exchange_synonyms",
    "laws",
    "sample",
    "split",
    "tables",
]
