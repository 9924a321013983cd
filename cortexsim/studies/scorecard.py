"""Rules put to plasticity experiments, one after the other, with progress."""

from collections.abc import Sequence

from rich.console import Console

from cortexsim.protocols.cards import Outcome, known_cards
from cortexsim.rules import known_rules, load_rule


def examine(names: Sequence[str], console: Console) -> dict[str, list[Outcome]]:
    """Put rules to every card, and print a line when each rule is done.

    >>> outcomes = examine(["clapp"], Console())  # It reads dendrites, which the spikes of two cells do not give.
    1/1 clapp: 0 passed of 0 asked
    >>> {outcome.verdict for outcome in outcomes["clapp"]}
    {'not applicable'}

    Args:
        names: of rules, as of `load_rule`; all rules of the package where there are none.
        console: where progress is printed.

    Returns:
        Outcomes by name, in the order of the cards.
    """
    rules = {name: load_rule(name) for name in names or known_rules()}
    outcomes = {}
    for number, (name, rule) in enumerate(rules.items(), 1):
        outcomes[name] = [card.examine(rule) for card in known_cards().values()]
        asked = [outcome for outcome in outcomes[name] if outcome.verdict != "not applicable"]
        passed = sum(outcome.verdict == "pass" for outcome in asked)
        console.print(f"{number}/{len(rules)} {name}: {passed} passed of {len(asked)} asked", soft_wrap=True)
    return outcomes
