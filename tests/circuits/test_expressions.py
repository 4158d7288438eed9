"""Expressions as postfix: evaluated as Qiskit binds them, and affine only where they are."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.circuit import Parameter

from qiskit_hqnn.circuits.expressions import BINARY, UNARY, Operation, affine, postfix

# One name could be read as a product, one is no identifier.
A, B, C = Parameter("a"), Parameter("a*b"), Parameter("c[0]")
BINARY_RULES = {"add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y}
BINARY_RULES |= {"div": lambda x, y: x / y, "pow": lambda x, y: x**y}
UNARY_RULES = {
    name: getattr(math, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "exp", "log")
}
UNARY_RULES |= {"abs": abs, "sign": lambda x: (x > 0) - (x < 0), "conj": lambda x: x}


def evaluated(items, values):
    stack = []
    for item in items:
        if isinstance(item, Parameter):
            stack.append(values[item])
        elif not isinstance(item, Operation):
            stack.append(item)
        elif item.name in UNARY:
            stack.append(UNARY_RULES[item.name](stack.pop()))
        else:
            assert item.name in BINARY
            right, left = stack.pop(), stack.pop()
            left, right = (right, left) if item.name.startswith("r") else (left, right)
            stack.append(BINARY_RULES[item.name.removeprefix("r")](left, right))
    (result,) = stack
    return result


LEAVES = st.one_of(
    st.sampled_from([A, B, C]), st.integers(-3, 3), st.floats(0.1, 3).map(lambda x: round(x, 3))
)


def combined(smaller):
    pairs = st.tuples(st.sampled_from(["+", "-", "*", "/", "2**", "**2"]), smaller, smaller)
    singles = st.tuples(st.sampled_from(["sin", "cos", "arctan", "abs", "sign", "conjugate"]), smaller)
    return st.one_of(pairs, singles)


def built(tree):
    if not isinstance(tree, tuple):
        return tree
    name, first, *rest = tree
    first = built(first)
    if not rest:
        return getattr(first, name)() if hasattr(first, "bind") else first
    second = built(rest[0])
    if name == "2**":
        return 2.0**second
    if name == "**2":
        return first**2.0
    return BINARY_RULES[{"+": "add", "-": "sub", "*": "mul", "/": "div"}[name]](first, second)


VALUES = {A: 0.7, B: -1.3, C: 1.9}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(tree=st.recursive(LEAVES, combined, max_leaves=6))
def test_postfix_and_affine_form_are_qiskits_values(tree):
    try:
        expression = built(tree)
    except (ZeroDivisionError, OverflowError):
        assume(False)
    assume(hasattr(expression, "parameters"))
    bound = expression.bind({p: VALUES[p] for p in expression.parameters}).numeric(strict=False)
    assume(not isinstance(bound, complex) and abs(bound) < 1e6)
    assert evaluated(postfix(expression), VALUES) == pytest.approx(bound, rel=1e-9, abs=1e-9)
    found = affine(expression)
    if found is not None:
        slopes, offset = found
        value = offset + sum(slope * VALUES[parameter] for parameter, slope in slopes.items())
        assert value == pytest.approx(bound, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("expression", "form"),
    [
        (A, ({A: 1.0}, 0.0)),
        (2 * A + 0.5 - B / 4, ({A: 2.0, B: -0.25}, 0.5)),
        (1 - (A - B), ({A: -1.0, B: 1.0}, 1.0)),
        (A.conjugate() * 3, ({A: 3.0}, 0.0)),
        (A - A, ({}, 0.0)),
        (A * B, None),
        (A.sign(), None),
        (A.sign() - 100, None),
        (abs(A), None),
        (2**A, None),
        (A**2, None),
        (1 / A, None),
        (abs(1j * A), None),
    ],
    ids=str,
)
def test_only_affine_expressions_are_taken_for_affine(expression, form):
    assert affine(expression) == form
