"""Exact probabilities of the symbols of a grammar, as an ideal observer would compute them.

>>> from cortexsim.seeds import stream
>>> from cortexsim.tasks.rhm import Hierarchy
>>> grammar = Grammar.draw(Hierarchy(features=8, multiplicity=4, depth=3), stream(0, "grammar"))
>>> table = symbols_given_label(grammar, level=1)
>>> table.shape, bool(np.allclose(table.sum(2), 1))
((8, 4, 8), True)
>>> label_given_tuple(grammar, level=1, position=0).shape
(8, 4, 8)
>>> joint = sibling_joint(grammar, level=1, place=0, sibling=1)
>>> joint.shape, round(joint.sum(), 12).item()
((8, 8), 1.0)
"""

import numpy as np
from numpy.typing import NDArray

from cortexsim.tasks.rhm.grammar import Grammar

Table = NDArray[np.float64]


def symbols_given_label(grammar: Grammar, level: int) -> Table:
    """P(symbol | label) at each position of a level.

    Args:
        grammar: the grammar.
        level: level of the symbols, from 0 to ``depth``.

    Returns:
        Probabilities, (classes, positions of the level, symbols of the level).
    """
    h = grammar.hierarchy
    table = np.eye(h.classes)[:, None, :]
    for upper in range(h.depth, level, -1):
        # (label, parent position, place in the tuple, child symbol); the middle two axes are then merged.
        table = np.einsum("cpa,aks->cpks", table, _child(grammar, upper))
        table = table.reshape(h.classes, h.positions(upper - 1), h.features)
    return table


def label_given_tuple(grammar: Grammar, level: int, position: int) -> Table:
    """P(label | tuple) for the tuples of the symbols of a level.

    The m synonyms of a symbol have equal rows; a learner can discover synonyms by this equality. The rows of symbols
    that never occur at the position are zero.

    Args:
        grammar: the grammar.
        level: level of the symbols that are expanded into the tuples, from 1 to ``depth``.
        position: position of the symbol at its level.

    Returns:
        Probabilities, (symbols of the level, m, classes).
    """
    h = grammar.hierarchy
    joint = symbols_given_label(grammar, level)[:, position, :].T / h.classes  # (symbols, classes)
    total = joint.sum(1, keepdims=True)
    rows = np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)
    return np.repeat(rows[:, None, :], h.multiplicity, axis=1)


def sibling_joint(grammar: Grammar, level: int, place: int, sibling: int, parent_position: int = 0) -> Table:
    """P(symbol, sibling symbol): joint probability of two symbols of the same tuple.

    Args:
        grammar: the grammar.
        level: level of the two symbols, from 0 to ``depth - 1``.
        place: place of the first symbol in its tuple, from 0 to s - 1.
        sibling: place of the second symbol in the same tuple.
        parent_position: position of the parent of the tuple at ``level + 1``.

    Returns:
        Probabilities, (symbols, symbols): first symbol by row, sibling by column.
    """
    h = grammar.hierarchy
    parents = symbols_given_label(grammar, level + 1)[:, parent_position, :].mean(0)
    joint = np.zeros((h.features, h.features))
    tuples = grammar.tuples[level]
    weights = np.broadcast_to(parents[:, None] / h.multiplicity, tuples.shape[:2])
    np.add.at(joint, (tuples[..., place], tuples[..., sibling]), weights)
    return joint


def sibling_given_latent(grammar: Grammar, level: int, place: int, sibling: int, parent_position: int = 0) -> Table:
    """P(sibling symbol | symbol): the statistics that a rule can learn from without labels.

    Args:
        grammar: the grammar.
        level: level of the two symbols, from 0 to ``depth - 1``.
        place: place of the conditioning symbol in its tuple.
        sibling: place of the other symbol in the same tuple.
        parent_position: position of the parent of the tuple at ``level + 1``.

    Returns:
        Probabilities, (symbols, symbols): conditioning symbol by row. The rows of symbols that never occur are zero.
    """
    joint = sibling_joint(grammar, level, place, sibling, parent_position)
    total = joint.sum(1, keepdims=True)
    return np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)


def _child(grammar: Grammar, level: int) -> Table:
    """P(child symbol at each place of the tuple | parent), (parents, s, v)."""
    return np.eye(grammar.hierarchy.features)[grammar.tuples[level - 1]].mean(1)
