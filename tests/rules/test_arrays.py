"""NumPy's rows against differences and against the autograd package; shapes, broadcasting, items."""

from __future__ import annotations

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from tests.rules import samples
from tests.rules.checks import check_rule, function_of
from tests.rules.samples import CUBE, FUNCTIONS, POSITIVE, A, B, V
from visual_debug import rules
from visual_debug.rules import arrays
from visual_debug.rules.elementwise import FormulaRule, Missing

NOT_FUNCTIONS_OF_FLOATS = {"bool", "bool_", "digitize", "searchsorted", "shape", "nonzero", "ldexp", "astype", "clip"}
UFUNCS = [
    rule
    for rule in arrays.TABLE.values()
    if isinstance(rule, FormulaRule)
    and rule.op.count(".") == 1
    and hasattr(np, rule.op.removeprefix("numpy."))
    and not isinstance(function_of(rule.op), type)
    and rule.op.removeprefix("numpy.") not in NOT_FUNCTIONS_OF_FLOATS
    and not any(isinstance(partial, Missing) for partial in rule.partials(2))
]


def arguments(rule: FormulaRule) -> list[np.ndarray]:
    name = rule.op.removeprefix("numpy.")
    first = samples.UFUNC.get(name, A)
    function = function_of(rule.op)
    count = function.nin if isinstance(function, np.ufunc) else 3 if name == "where" else 1
    return [first, B, A + 0.1][:count]


#: Those whose differences say nothing: jumps in integers, uninitialised values, steps of one ulp.
CONSTANT = "array_equal allclose size ndim any all argmax argmin count_nonzero array_equiv argsort empty_like nextafter"


@pytest.mark.parametrize("rule", UFUNCS, ids=lambda rule: rule.op)
def test_elementwise_row_against_differences(rule: FormulaRule) -> None:
    args = arguments(rule)
    try:
        function_of(rule.op)(*args)
    except TypeError:
        args = [A, B]
    wheres = [k for k, arg in enumerate(args) if arg.dtype == float]
    if rule.op.removeprefix("numpy.") in CONSTANT.split():
        z = function_of(rule.op)(*args)
        expected = 1.0 if rule.op == "numpy.nextafter" else 0.0
        assert np.all(rule.pull(0, np.ones(np.shape(z)), z, args, {}) == expected)
        return
    check_rule(rule, args, wheres=wheres)


def test_ufuncs_were_generated_from_the_table() -> None:
    assert len(UFUNCS) > 80


BINARY = ["add", "subtract", "multiply", "divide", "power", "maximum", "arctan2", "hypot", "logaddexp"]


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    ("x", "y"),
    [(POSITIVE, V**2), (POSITIVE, 1.7), (1.3, POSITIVE), (POSITIVE[:, :1], POSITIVE[:1]),
     (CUBE**2 + 0.1, POSITIVE[:, :, None]), (1.3, 2.4)],
    ids=["row", "scalar right", "scalar left", "outer", "middle", "two scalars"],
)  # fmt: skip
def test_broadcasting_is_undone(name: str, x: object, y: object) -> None:
    check_rule(rules.find(f"numpy.{name}"), (x, y))


def test_remainder_between_its_jumps() -> None:
    for args in (
        (np.array([7.3, -7.3]), 2.1),
        (7.3, np.array([[2.1], [-2.1]])),
        (np.array([7.3, 9.5]), np.array([[2.1], [-1.3]])),
    ):
        check_rule(rules.find("numpy.remainder"), args)


def test_python_operators_on_arrays() -> None:
    for op, args in {"add": (A, V), "sub": (1.5, A), "mul": (A, 2.5), "truediv": (A, B), "pow": (POSITIVE, B),
                     "mod": (A, 0.7), "neg": (A,), "abs": (A,), "matmul": (A, B.T),
                     "iadd": (A, V)}.items():  # fmt: skip
        check_rule(rules.find(op), args)
    assert isinstance(rules.find("mul").pull(1, np.ones((2, 3)), A * 2.5, (A, 2.5), {}), float)
    assert isinstance(rules.find("mul").pull(1, np.ones((2, 3)), A * 2.5, (A, np.float64(2.5)), {}), np.float64)


def test_a_scalar_adjoint_of_an_array_is_one_for_each_element() -> None:
    assert rules.find("add").pull(1, 1.0, A + 2.0, (A, 2.0), {}) == 6.0
    np.testing.assert_array_equal(rules.find("add").pull(0, 1.0, A + 2.0, (A, 2.0), {}), np.ones((2, 3)))


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case[0])
def test_function_against_differences(case: tuple) -> None:
    op, args, kwargs, wheres = case
    if op == "numpy.astype" and not hasattr(np, "astype"):
        pytest.skip("numpy.astype came with NumPy 2.1")
    check_rule(rules.find(op), args, kwargs, wheres=wheres)


#: What the other system does not have, or answers with NaN (norms of infinite order) or without regard to the mask.
ELSEWHERE_ABSENT = (".reduce", "cumprod", "astype", "numpy.clip", "numpy.full", "broadcast_to", "numpy.sinc")
AUTOGRAD = [
    (op, args, kwargs, wheres)
    for op, args, kwargs, wheres in FUNCTIONS
    if not op.endswith(ELSEWHERE_ABSENT) and not {"where", "initial"} & set(kwargs) and kwargs.get("ord") != np.inf
]


@pytest.mark.parametrize("case", AUTOGRAD, ids=lambda case: case[0])
def test_function_against_autograd(case: tuple) -> None:
    """The same pullback from another system, for the operands that are whole arguments."""
    op, args, kwargs, wheres = case
    function = anp
    for part in op.split(".")[1:]:
        function = getattr(function, part)
    z = function_of(op)(*args, **kwargs)
    delta = np.random.default_rng(3).normal(size=np.shape(z))
    compared = 0
    for where in range(len(args)) if wheres is None else wheres:
        if not isinstance(where, int):
            continue
        try:
            pull, _ = autograd.make_vjp(function, where)(*args, **kwargs)
            expected = pull(delta)
        except (TypeError, NotImplementedError, AttributeError, ValueError):
            continue  # not offered there with these arguments
        if np.shape(expected) != np.shape(args[where]):
            continue
        got = rules.find(op).pull(where, delta, z, args, kwargs)
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
        compared += 1
    if not compared:
        pytest.skip("autograd has no counterpart for this call")


SMOOTH = "exp log sin tanh sqrt arctan sinh square reciprocal expm1 log1p arcsinh absolute"


@pytest.mark.parametrize("name", SMOOTH.split())
def test_ufunc_against_autograd(name: str) -> None:
    z = getattr(np, name)(POSITIVE)
    pull, _ = autograd.make_vjp(getattr(anp, name), 0)(POSITIVE)
    got = rules.find(f"numpy.{name}").pull(0, B, z, (POSITIVE,), {})
    np.testing.assert_allclose(got, pull(B), rtol=1e-12)


def test_ties() -> None:
    tied = np.array([1.0, 3.0, 3.0])
    np.testing.assert_array_equal(rules.find("numpy.max").pull(0, 1.0, 3.0, (tied,), {}), [0, 0.5, 0.5])
    assert "equal shares" in rules.find("numpy.max").note
    np.testing.assert_array_equal(rules.find("numpy.maximum").pull(0, np.ones(3), tied, (tied, tied), {}), [0.5] * 3)
    relu = rules.find("numpy.maximum")
    np.testing.assert_array_equal(relu.partial(0, np.zeros(2), (np.array([0.0, -1.0]), 0.0), {}), [0.5, 0])
    assert "half each" in relu.note
    np.testing.assert_array_equal(rules.find("numpy.clip").pull(0, np.ones(3), tied, (tied, 1.0, 3.0), {}), [1, 1, 1])


def test_a_norm_at_the_origin_has_derivative_zero() -> None:
    zeros = np.zeros(3)
    np.testing.assert_array_equal(rules.find("numpy.linalg.norm").pull(0, 1.0, 0.0, (zeros,), {}), zeros)
    np.testing.assert_array_equal(rules.find("numpy.std").pull(0, 1.0, 0.0, (zeros,), {}), zeros)


@pytest.mark.parametrize(
    "index",
    [0, -1, slice(None, None, 2), (1, 2), (slice(None), 1), ..., [0, 0], (np.array([0, 0]), np.array([2, 2])), A > 0],
    ids=str,
)  # fmt: skip
def test_reading_items(index: object) -> None:
    check_rule(rules.find("getitem"), (A, index), wheres=[0])


@pytest.mark.parametrize(
    "index", [0, (1, 2), slice(None), (slice(None), 1), (np.array([0, 0, 1]), np.array([2, 2, 0])), A > 0], ids=str
)
def test_writing_items(index: object) -> None:
    def written(before: np.ndarray, where: object, value: object) -> np.ndarray:
        after = np.array(before)
        after[where] = value
        return after

    values = (4.5,) if np.shape(A[index]) == () else (4.5, np.arange(1.0, A[index].size + 1).reshape(A[index].shape))
    for value in values:
        check_rule(rules.find("setitem"), (A, index, value), function=written, wheres=[0, 2])


def test_one_adjoint_buffer_takes_several_reads() -> None:
    rule = rules.find("getitem")
    buffer = np.zeros((2, 3))
    rule.add_into(buffer, 2.0, (0, 1))
    rule.add_into(buffer, np.ones(3), ([0, 0, 1], [1, 1, 0]))
    np.testing.assert_array_equal(buffer, [[0, 4, 0], [1, 0, 0]])


def test_masks_and_out() -> None:
    mask, out = A > 0, np.full((2, 3), 7.0)
    z = np.exp(A, out=out.copy(), where=mask)
    call = {"out": out, "where": mask}
    rule = rules.find("numpy.exp")
    np.testing.assert_array_equal(rule.pull(0, np.ones((2, 3)), z, (A,), call), np.where(mask, np.exp(A), 0))
    np.testing.assert_array_equal(rule.pull(("out",), np.ones((2, 3)), z, (A,), call), ~mask)
    np.testing.assert_array_equal(
        rules.find("numpy.sum").pull(("out",), np.ones(3), V, (A, 0), {"out": V}), np.zeros(3)
    )


def test_integer_arrays_do_not_wrap_around() -> None:
    small = np.array([100, 120], dtype=np.int8)
    np.testing.assert_array_equal(rules.find("numpy.square").pull(0, np.ones(2), small, (small,), {}), [200.0, 240.0])
    unsigned = np.array([3, 5], dtype=np.uint64)
    got = rules.find("truediv").pull(1, np.ones(2), unsigned / unsigned, (unsigned, unsigned), {})
    np.testing.assert_allclose(got, [-1 / 3, -1 / 5])
    got = rules.find("pow").pull(0, np.ones(2), np.ones(2), (np.array([2, 4]), 0), {})
    np.testing.assert_array_equal(got, [0, 0])
    np.testing.assert_array_equal(
        rules.find("numpy.reciprocal").pull(0, np.ones(1), np.array([1]), (np.array([1]),), {}), [-1]
    )


def test_conversion_to_integers_is_piecewise_constant() -> None:
    z = A.astype(int)
    np.testing.assert_array_equal(
        rules.find("numpy.astype").pull(0, np.ones((2, 3)), z, (A, int), {}), np.zeros((2, 3))
    )
    np.testing.assert_array_equal(rules.find("numpy.array").pull(0, np.ones((2, 3)), z, (A, int), {}), np.zeros((2, 3)))


def test_methods_that_take_their_shape_apart() -> None:
    delta = np.arange(24.0)
    z = CUBE.reshape(4, 6)
    got = rules.find("numpy.reshape").pull(0, delta.reshape(4, 6), z, (CUBE, 4, 6), {})
    np.testing.assert_array_equal(got, delta.reshape(2, 3, 4))
    z = CUBE.transpose(2, 0, 1)
    got = rules.find("numpy.transpose").pull(0, delta.reshape(4, 2, 3), z, (CUBE, 2, 0, 1), {})
    np.testing.assert_array_equal(got, delta.reshape(4, 2, 3).transpose(1, 2, 0))


def test_results_that_are_tuples() -> None:
    z = np.divmod(A, 0.7)
    got = rules.find("numpy.divmod").pull(1, (0, np.ones((2, 3))), z, (A, 0.7), {})
    assert got == pytest.approx(-np.sum(A // 0.7))
    parts = np.split(V, 3)
    got = rules.find("numpy.split").pull(0, (0, np.array([2.0]), 0), parts, (V, 3), {})
    np.testing.assert_array_equal(got, [0, 2, 0])


def test_what_has_no_derivative_is_refused() -> None:
    refused = [("numpy.bitwise_and", (1, 3)), ("numpy.linalg.svd", (A,))]
    for op, args in refused:
        z = function_of(op)(*args)
        with pytest.raises(rules.MissingPartial):
            ones = tuple(np.ones(np.shape(part)) for part in z) if isinstance(z, tuple) else np.ones(np.shape(z))
            rules.find(op).pull(0, ones, z, args, {})


def test_holomorphic_rows_on_complex_arrays() -> None:
    x = A + 1j * B
    for name in ("exp", "log", "sin", "tanh", "sqrt", "square", "reciprocal", "negative"):
        check_rule(rules.find(f"numpy.{name}"), (x,))
    check_rule(rules.find("numpy.multiply"), (x, B))
    check_rule(rules.find("matmul"), (x, B.T))


def test_reading_an_item_by_method() -> None:
    for args in ((A, 4), (A, 1, 2), (A, (0, 1)), (np.array([[3.0]]),)):
        found, front = rules.resolve(args[0].item)
        assert found == "numpy.item"
        check_rule(rules.find(found), (*front, *args[1:]), function=lambda a, *index: a.item(*index), wheres=[0])
