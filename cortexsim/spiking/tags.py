"""Synaptic tags: what a synapse itself knows of an update waits at the synapse until a late modulator arrives.

A third factor is a product of what is broadcast, such as a surprise signal, and of what is local, such as the dendrite.
Where the broadcast is late, the local part that it would meet is that of another fixation, and so is the eligibility. A
tag holds their product as it was at the end of its own fixation (synaptic tagging: Frey, Morris 1997; eligibility with
a delay: Gerstner, Lehmann, Liakoni, Corneil, Brea 2018). It passes through n stages, fixation by fixation:

    tag_1 += r (local * eligibility - tag_1),    tag_k += r (tag_(k-1) - tag_k),    r = n / delay

so that on average it reaches the last one after the delay: a gamma filter in discrete time (de Vries, Principe 1992).
With as many stages as the delay has fixations, r = 1: a queue, in which no two fixations mix. With fewer of them, tags
are spread by delay / sqrt(n), less one fixation.
"""

import ast
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from cortexsim.errors import UserError, error_prefix
from cortexsim.expression import parsed
from cortexsim.rules import Rule
from cortexsim.spiking.assembly import Parts, shared_constants
from cortexsim.spiking.settings import Control, Settings


def split_third(text: str, broadcast: Set[str]) -> tuple[str, str]:
    """Split a product into the factors that are broadcast and those that are local.

    >>> split_third("surprise_all * dendrite_post", {"surprise_all"})
    ('(surprise_all)', '(dendrite_post)')

    Args:
        text: a third factor.
        broadcast: names of what is broadcast.

    Returns:
        The product of each kind of factors; ``1`` where there are none.

    Raises:
        UserError: where a factor is of both kinds.
    """
    kinds: dict[bool, list[str]] = {True: [], False: []}
    for factor in _factors(parsed(text).tree.body):
        part = ast.unparse(factor)
        read = parsed(part).names
        sent = read & broadcast
        if sent and any(name.endswith("_post") for name in read - broadcast):
            raise UserError(f"third = '{text}': {part} is no product of what is local and of {min(sent)}")
        kinds[bool(sent)].append(f"({part})")
    arriving, local = (" * ".join(kinds[kind]) or "1" for kind in (True, False))
    return arriving, local


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _factors(node.left) + _factors(node.right)
    return [node]


@dataclass(frozen=True)
class Tags:
    """The tags of the synapses of a layer.

    >>> from cortexsim.rules import known_rules
    >>> late = Settings(tag_stages=2, control={"surprise": Control(delay=8)})
    >>> Tags.of(known_rules()["clapp"], late)
    Tags(stages=2, rate=0.25)

    Attributes:
        stages: n.
        rate: r, by which each stage follows the one before, per update.
    """

    stages: int
    rate: float

    @classmethod
    def of(cls, rule: Rule, settings: Settings, updates: int = 1) -> "Tags | None":
        """Match tags to the delay of the modulators that a rule reads; None where nothing is tagged.

        Args:
            rule: of the synapses.
            settings: everything else.
            updates: in a fixation.

        Raises:
            UserError: where its third factors are no products, or their modulators have several delays.
        """
        if not settings.tag_stages:
            return None
        with error_prefix(f"spiking.tag_stages = {settings.tag_stages}: rule '{rule.name}'"):
            delay = _delay(rule, settings)
        stages = min(settings.tag_stages, delay)
        return cls(stages * updates, stages / delay if delay else 1.0)

    def names(self, suffix: str) -> list[str]:
        """Name the variables of a synapse that hold the tag of a contrast sample, the first stage first.

        Args:
            suffix: ending of the names of variables that belong to this sample.
        """
        return [f"tag{suffix}_{stage}" for stage in range(1, self.stages + 1)]

    def growth(self, entering: Mapping[str, str], kind: str = "") -> str:
        """Write the growth of a weight: the tags that meet the modulator now, or what enters where nothing is late.

        Args:
            entering: product of what is local at the end of this fixation, by the suffix of each contrast sample.
            kind: beginning of the names of the cell's variables.
        """
        met = {suffix: (self.names(suffix) or [f"({text})"])[-1] for suffix, text in entering.items()}
        return " + ".join(f"{kind}gate{suffix}_post * {tag}" for suffix, tag in met.items())

    def moves(self, entering: Mapping[str, str]) -> list[str]:
        """Write the statements by which all tags move on, the last stage first.

        Args:
            entering: as in `growth`.
        """
        found = []
        for suffix, text in entering.items():
            names = self.names(suffix)
            pairs = reversed(list(zip(names, [f"({text})", *names], strict=False)))
            found += [f"{name} += learning(t) * tag_rate * ({before} - {name})" for name, before in pairs]
        return found


def _delay(rule: Rule, settings: Settings) -> int:
    """Find the delay of what a rule's third factors receive, in fixations; errors as in `Tags.of`."""
    if rule.path is not None and rule.path.route == "layered":
        raise UserError("its error passes from layer to layer (0)")
    read: set[str] = set()
    for synapses in (rule.feedforward, rule.context):
        if synapses is not None:
            read |= parsed(split_third(synapses.third, broadcast_names(rule))[0]).names
    delays = {settings.control.get(each.name, Control()).delay for each in rule.modulators if each.read_as in read}
    if len(delays) > 1:
        raise UserError("its modulators have several delays (the same for all)")
    return max(delays, default=0)


def add_tags(name: str, tags: Tags, suffixes: Iterable[str], parts: Parts) -> list[str]:
    """Hand tags from chunk to chunk, and declare them.

    Args:
        name: of the synapses.
        tags: which they hold.
        suffixes: endings of the names of variables, of each contrast sample.
        parts: which receive them.

    Returns:
        The declarations.
    """
    names = [variable for suffix in suffixes for variable in tags.names(suffix)]
    parts.carry(name, *names)
    parts.set(name, {"tag_rate": tags.rate})
    return [*(f"{variable} : 1" for variable in names), *shared_constants(["tag_rate"])]


def broadcast_names(rule: Rule) -> set[str]:
    """Names by which the texts of a rule read its modulators.

    >>> from cortexsim.rules import known_rules
    >>> sorted(broadcast_names(known_rules()["clapp"]))
    ['surprise_all']
    """
    return {modulator.read_as for modulator in rule.modulators}
