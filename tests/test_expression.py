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


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("abs()", "abs\\(...\\) takes 1 argument, not 0"),
        ("abs(a, 2)", "takes 1 argument, not 2"),
        ("clip(a)", "takes 3 arguments, not 1"),
        ("exp(x=a)", "takes 1 argument, not 0"),
        ("int(0 < a < 1)", "one comparison at a time"),
        ("10**400 * a", "10 \\*\\* 400 is not within 1e\\+09"),
        ("9**9**9**9", "is not within"),
        ("1e400 * a", "not within"),
        ("99999999999999999999 * a", "not within"),
        ("a / (1 / 0)", "1 / 0 is not within"),
        ("(-2)**0.5 * a", "not within"),
        ("True * a", "Constant is not allowed"),
        ("a # twice", "'#' is not allowed"),
        ("a\n+ b", "is not allowed in a rule \\(one line"),
        ("µ * a", "is not allowed in a rule"),
        ("(" * 300 + "a" + ")" * 300, "is not an expression"),
        ("-" * 900 + "a", "too many parts within each other"),
        ("+".join("a" * 400), "too many parts within each other"),
        ("a + " * 300 + "a", "too long"),
    ],
)
def test_what_no_substrate_could_evaluate_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as refused:
        Expression(text)
    assert "\n" not in str(refused.value)


def test_numbers_may_still_be_worked_out() -> None:
    assert Expression("2**3**2 * a - (1 - 3) / 4")({"a": 1}, NUMPY) == 512.5


def test_sums_are_over_classes() -> None:
    per_class = {"e_all"}
    assert Expression("a_all * e_all").is_vector(per_class)
    assert not Expression("a_all * sum(e_all * e_all) - 1").is_vector(per_class)
    assert Expression("sum(e_all) * e_all").is_vector(per_class)
    for text in ("sum(a_all)", "e_all * sum(2)", "sum(sum(e_all))"):
        with pytest.raises(UserError, match="sums over classes, and has none"):
            Expression(text).is_vector(per_class)
