"""Every rule of the package, with its variants, put to every card."""

from importlib import import_module

from cortexsim.protocols.cards import Outcome, known_cards
from cortexsim.rules import Rule, known_rules, load_rule


def variants(name: str) -> list[str]:
    """List the other rules that the file of a rule defines, as ``name:VARIABLE``.

    >>> "stdp_triplet:HIPPOCAMPUS" in variants("stdp_triplet")
    True
    """
    found = vars(import_module(f"cortexsim.rules.{name}"))
    known = {id(rule) for rule in known_rules().values()}
    return [f"{name}:{key}" for key, value in found.items() if isinstance(value, Rule) and id(value) not in known]


def examined() -> dict[str, list[Outcome]]:
    """Put every rule and variant to every card; outcomes by name, in the order of the cards."""
    names = [name for rule in known_rules() for name in (rule, *variants(rule))]
    return {name: [card.examine(load_rule(name)) for card in known_cards().values()] for name in names}
