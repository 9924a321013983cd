"""Cards: plasticity experiments with published outcomes, each in a file of its name, to which any rule can be put.

A card is a file in this folder that defines `CARD`: protocol, data, tolerance and source.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cortexsim.errors import UserError, nearest
from cortexsim.protocols.cards.card import Card, Outcome, Point, Result

__all__ = ["Card", "Outcome", "Point", "Result", "find_card", "known_cards"]


@cache
def known_cards() -> dict[str, Card]:
    """Return the cards of this package by name.

    >>> known_cards()["frequency"].source
    'Sjostrom, Turrigiano, Nelson 2001'
    """
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    cards = (vars(module).get("CARD") for module in modules)
    return {card.name: card for card in cards if isinstance(card, Card)}


def find_card(name: str) -> Card:
    """Find a card by its name.

    Args:
        name: of its file.

    Raises:
        UserError: where there is none, with the nearest name.
    """
    if name not in known_cards():
        raise UserError(f"protocol '{name}' is not known ({nearest(name, known_cards())})")
    return known_cards()[name]
