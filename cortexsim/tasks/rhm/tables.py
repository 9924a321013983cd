"""Exact probabilities of a grammar: what an ideal observer knows, for tests and laws."""

import numpy as np
from numpy.typing import NDArray

from cortexsim.tasks.rhm.grammar import Grammar

Table = NDArray[np.float64]


def symbols_given_label(grammar: Grammar, level: int) -> Table:
    """P(symbol | label) at each position of a level: (classes, positions, symbols)."""
    h = grammar.hierarchy
    table = np.eye(h.classes)[:, None, :]
    for upper in range(h.depth, level, -1):
        # (label, parent position, child place, child symbol), then the two places become one position.
        table = np.einsum("cpa,aks->cpks", table, _child(grammar, upper))
        table = table.reshape(h.classes, h.positions(upper - 1), h.features)
    return table


def label_given_tuple(grammar: Grammar, level: int, position: int) -> Table:
    """P(label | tuple) for the tuples that a level's symbol is written as, at a position: (symbols, m, classes).

    All m synonyms of a symbol have the same row: that is what there is to learn. A symbol that never occurs at the
    position has a row of zeros.
    """
    h = grammar.hierarchy
    joint = symbols_given_label(grammar, level)[:, position, :].T / h.classes  # (symbols, classes)
    total = joint.sum(1, keepdims=True)
    rows = np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)
    return np.repeat(rows[:, None, :], h.multiplicity, axis=1)


def sibling_joint(grammar: Grammar, level: int, place: int, sibling: int, parent_position: int = 0) -> Table:
    """P(symbol at place, symbol at sibling) in one tuple of level symbols under a parent: (symbols, symbols)."""
    h = grammar.hierarchy
    parents = symbols_given_label(grammar, level + 1)[:, parent_position, :].mean(0)
    joint = np.zeros((h.features, h.features))
    owned = grammar.tuples[level]
    weights = np.broadcast_to(parents[:, None] / h.multiplicity, owned.shape[:2])
    np.add.at(joint, (owned[..., place], owned[..., sibling]), weights)
    return joint


def sibling_given_latent(grammar: Grammar, level: int, place: int, sibling: int, parent_position: int = 0) -> Table:
    """P(sibling latent | latent), rows by latent: the statistics that a label-free rule can learn from."""
    joint = sibling_joint(grammar, level, place, sibling, parent_position)
    total = joint.sum(1, keepdims=True)
    return np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)


def _child(grammar: Grammar, level: int) -> Table:
    """P(child symbol at each place | parent): (parents, s, v)."""
    return np.eye(grammar.hierarchy.features)[grammar.tuples[level - 1]].mean(1)
