"""Expressions: the small language of rules, which NumPy, torch and Brian2 all evaluate to the same values.

It has sums, products, powers, comparisons inside ``int(...)``, and a few functions.
"""

import ast
import keyword
import math
from collections.abc import Iterable, Mapping, Set
from functools import cached_property, lru_cache
from types import CodeType
from typing import Any

from cortexsim.errors import UserError, nearest

FUNCTIONS: Mapping[str, int] = {
    "abs": 1, "clip": 3, "exp": 1, "int": 1, "log": 1, "sign": 1, "sqrt": 1, "sum": 1, "tanh": 1,
}  # fmt: skip
"""The functions of the language, with their numbers of arguments.

``int`` converts a comparison to 0 or 1; ``sum`` is over the classes of a quantity with one value per class.
"""

ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Load, ast.Constant,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd,
    ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip
LONGEST, DEEPEST = 1000, 100  # Characters of a text; levels of nesting.
LARGEST = 1e9  # Number in a text, which all substrates can represent.


class Expression:
    """A parsed text, which can be evaluated on the arrays of any library.

    >>> import numpy as np
    >>> expression = Expression("surprise_all * clip(dendrite_post, 0, 1)")
    >>> sorted(expression.names)
    ['dendrite_post', 'surprise_all']
    >>> expression({"surprise_all": -1.0, "dendrite_post": np.array([0.5, 3.0])}, {"clip": np.clip}).tolist()
    [-0.5, -1.0]

    Args:
        text: such as ``"surprise_all * dendrite_post"``.

    Raises:
        UserError: where the text is not an expression of this language.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > LONGEST:
            raise UserError(f"'{text[:40]}...' is too long ({len(text)} characters; at most {LONGEST})")
        if strange := [sign for sign in text.strip() if sign == "#" or not (sign.isascii() and sign.isprintable())]:
            raise UserError(f"{text!r}: {strange[0]!r} is not allowed in a rule (one line, without comments)")
        try:
            self.tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError as error:
            raise UserError(f"'{text[:60]}' is not an expression ({error.msg})") from None
        except (RecursionError, MemoryError):
            raise UserError(f"'{text[:40]}...' is not an expression (nested too deep)") from None
        self._refuse_depth()
        self._refuse_bare_comparisons()
        for node in ast.walk(self.tree):
            self._refuse_other_syntax(node)
        self._magnitude(self.tree.body)

    def _refuse_depth(self) -> None:
        level: list[ast.AST] = [self.tree]
        for _ in range(DEEPEST):
            level = [child for node in level for child in ast.iter_child_nodes(node)]
        if level:
            raise UserError(f"'{self.text[:40]}...' has too many parts within each other (at most {DEEPEST})")

    def _refuse_bare_comparisons(self) -> None:
        """Check that comparisons are inside ``int(...)``, alone: substrates differ on the product of a truth value."""
        gates = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "int"]
        gated = [argument for gate in gates for argument in gate.args]
        compared = [node for node in ast.walk(self.tree) if isinstance(node, ast.Compare)]
        if {id(node) for node in gated} != {id(node) for node in compared}:
            raise UserError(f"'{self.text}': write a comparison, and only a comparison, inside int(...)")
        if any(len(node.ops) > 1 for node in compared):
            raise UserError(f"'{self.text}': one comparison at a time (int(0 < a) * int(a < 1))")

    def _refuse_other_syntax(self, node: ast.AST) -> None:
        if not isinstance(node, ALLOWED) or (isinstance(node, ast.Constant) and type(node.value) not in (int, float)):
            raise UserError(
                f"'{self.text}': {type(node).__name__} is not allowed in a rule (arithmetic and functions only)"
            )
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
            if called not in FUNCTIONS:
                raise UserError(f"'{self.text}': function '{called}' is not known ({nearest(called, FUNCTIONS)})")
            if len(node.args) != (wanted := FUNCTIONS[called]):
                given = f"{wanted} argument{'s'[: wanted > 1]}, not {len(node.args)}"
                raise UserError(f"'{self.text}': {called}(...) takes {given}")

    def _magnitude(self, node: ast.AST) -> float | None:
        """Evaluate a part without names, in floats, whose powers take bounded time; None for any other part.

        Raises:
            UserError: where it has no value, or one larger than `LARGEST`.
        """
        parts = [self._magnitude(child) for child in ast.iter_child_nodes(node)]
        try:
            if isinstance(node, ast.Constant):
                value = float(node.value)  # type: ignore[arg-type]
            elif isinstance(node, ast.UnaryOp) and parts[1] is not None:
                value = -parts[1] if isinstance(node.op, ast.USub) else parts[1]
            elif isinstance(node, ast.BinOp) and parts[0] is not None and parts[2] is not None:
                value = _apply(node.op, parts[0], parts[2])
            else:
                return None
            if abs(value) <= LARGEST:
                return value
        except (ArithmeticError, ValueError):
            pass
        number = "a number in it" if isinstance(node, ast.Constant) else ast.unparse(node)[:60]
        raise UserError(f"'{self.text[:60]}': {number} is not within {LARGEST:g} (give it as a constant of the rule)")

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the quantities that the text reads."""
        called = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        named = (node for node in ast.walk(self.tree) if isinstance(node, ast.Name) and id(node) not in called)
        return frozenset(node.id for node in named)

    @cached_property
    def sums(self) -> bool:
        """Whether it contains a sum over classes."""
        return any(isinstance(node, ast.Call) and ast.unparse(node.func) == "sum" for node in ast.walk(self.tree))

    def is_vector(self, vectors: Set[str]) -> bool:
        """Whether its value has one number per class.

        >>> Expression("output_all - label_all").is_vector({"output_all", "label_all"})
        True

        Args:
            vectors: names of the quantities with one number per class.

        Raises:
            UserError: where ``sum`` is applied to anything else.
        """
        return self._is_vector(self.tree.body, vectors)

    def _is_vector(self, node: ast.AST, vectors: Set[str]) -> bool:
        if isinstance(node, ast.Name):
            return node.id in vectors
        parts = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
        of_vectors = [self._is_vector(part, vectors) for part in parts]
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "sum":
            return any(of_vectors)
        if not any(of_vectors):
            known = ", ".join(sorted(vectors))
            raise UserError(f"'{self.text}': {ast.unparse(node)} sums over classes, and has none (only {known} have)")
        return False

    @cached_property
    def code(self) -> CodeType:
        """The compiled text."""
        return compile(self.tree, f"<rule: {self.text}>", "eval")

    def __call__(self, quantities: Mapping[str, Any], functions: dict[str, Any]) -> Any:
        """Evaluate the text.

        Args:
            quantities: by name, numbers or arrays of shapes that broadcast together.
            functions: those of `FUNCTIONS` that the text calls, from the library of the arrays.

        Returns:
            A number or array of the broadcast shape.
        """
        return eval(self.code, functions, quantities)


@lru_cache(maxsize=4096)
def parsed(text: str) -> Expression:
    """Parse a text; the same text only once, as models are validated for every value that a search draws.

    >>> parsed("eta * activity_post") is parsed("eta * activity_post")
    True

    Raises:
        UserError: where the text is not an expression of this language.
    """
    return Expression(text)


def _apply(operator: ast.operator, left: float, right: float) -> float:
    if isinstance(operator, ast.Pow):
        return math.pow(left, right)
    if isinstance(operator, ast.Div):
        return left / right
    if isinstance(operator, ast.Mult):
        return left * right
    return left + right if isinstance(operator, ast.Add) else left - right


def check_names(what: str, names: Iterable[str], taken: Iterable[str] = ()) -> None:
    """Check that names can be used in a text for things of the user's own.

    Args:
        what: kind of thing, such as ``constant``, for the message.
        names: to check.
        taken: names that have another meaning there.

    Raises:
        UserError: where a name is not an identifier, or has another meaning.
    """
    for name in names:
        if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name):
            raise UserError(f"{what} {name!r}: not a name (letters, digits and _, such as '{what}_1')")
        if name in FUNCTIONS or name in taken or name.endswith(("_pre", "_post", "_all")):
            raise UserError(f"{what} '{name}': means something else in a rule (give it another name)")


def check_numbers(what: str, numbers: Mapping[str, float]) -> None:
    """Check that numbers are finite.

    Args:
        what: kind of number, such as ``constant``, for the message.
        numbers: by name.

    Raises:
        UserError: where one is not a finite number.
    """
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise UserError(f"{what} {name} = {value!r}: not a finite number")
