import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortexsim.errors import UserError
from cortexsim.expression import Expression

NUMPY = {"int": lambda truth: np.asarray(truth).astype(float), "clip": np.clip, "exp": np.exp}


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_texts_mean_what_python_means(a: float, b: float) -> None:
    found = Expression("a * int(b < 1) - clip(b, -1, 1)**2 / 2")({"a": a, "b": b}, NUMPY)
    assert found == pytest.approx(a * (b < 1) - np.clip(b, -1, 1) ** 2 / 2)


def test_names_are_those_read() -> None:
    assert Expression("exp(a_post) * int(b_all > margin)").names == {"a_post", "b_all", "margin"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a +", "not an expression"),
        ("a.b", "Attribute is not allowed"),
        ("a and b", "BoolOp is not allowed"),
        ("'a'", "Constant is not allowed"),
        ("__import__('os')", "function '__import__' is not known"),
        ("cos(a)", "function 'cos' is not known"),
        ("a * (b < 1)", "inside int"),
        ("int(a)", "inside int"),
        ("[a for a in b]", "not allowed"),
        ("", "not an expression"),
    ],
)
def test_anything_else_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Expression(text)
