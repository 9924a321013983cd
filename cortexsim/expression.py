"""Texts of rules: one small language that NumPy, torch and Brian2 all read.

Sums, products, powers, comparisons inside ``int(...)``, and a few functions. Nothing else, so that a text means the
same on every substrate.
"""

import ast
from collections.abc import Mapping
from functools import cached_property
from types import CodeType
from typing import Any

from cortexsim.errors import UserError, nearest

FUNCTIONS = ("abs", "clip", "exp", "int", "log", "sign", "sqrt", "tanh")
"""What a text may call; ``int`` turns a comparison into 0 or 1."""

ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Load, ast.Constant,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd,
    ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip


class Expression:
    """Parse a text, know the names it reads, and evaluate it in any array library.

    Args:
        text: such as ``"surprise_all * dendrite_post"``.

    Raises:
        UserError: where the text is not an expression of this language.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError as error:
            raise UserError(f"'{text}' is not an expression ({error.msg})") from None
        self._refuse_bare_comparisons()
        for node in ast.walk(self.tree):
            self._refuse_other_syntax(node)

    def _refuse_bare_comparisons(self) -> None:
        """See that comparisons, and they alone, stand in ``int(...)``: substrates differ on what truth times two is."""
        gates = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "int"]
        gated = [argument for gate in gates for argument in gate.args]
        compared = [node for node in ast.walk(self.tree) if isinstance(node, ast.Compare)]
        if {id(node) for node in gated} != {id(node) for node in compared}:
            raise UserError(f"'{self.text}': write a comparison, and only a comparison, inside int(...)")

    def _refuse_other_syntax(self, node: ast.AST) -> None:
        if not isinstance(node, ALLOWED) or (
            isinstance(node, ast.Constant) and not isinstance(node.value, int | float)
        ):
            raise UserError(
                f"'{self.text}': {type(node).__name__} is not allowed in a rule (arithmetic and functions only)"
            )
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
            if called not in FUNCTIONS:
                raise UserError(f"'{self.text}': function '{called}' is not known ({nearest(called, FUNCTIONS)})")

    @cached_property
    def names(self) -> set[str]:
        """The quantities that the text reads."""
        called = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        return {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name) and id(node) not in called}

    @cached_property
    def code(self) -> CodeType:
        """The compiled text."""
        return compile(self.tree, f"<rule: {self.text}>", "eval")

    def __call__(self, quantities: Mapping[str, Any], functions: dict[str, Any]) -> Any:
        """Evaluate with these quantities, on the array library that the functions come from."""
        return eval(self.code, functions, quantities)
