"""Products of adjoints and partials, and their shapes: what all kinds of rule share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from visual_debug.rules import safe
from visual_debug.rules.base import ZERO

if TYPE_CHECKING:
    from visual_debug.columns import Where

Path = tuple[int | str, ...]

_NO_SHAPE: tuple[int, ...] = ()


def shape_of(value: Any) -> tuple[int, ...]:
    """Shape of an array, () for a number; a list or tuple counts as the array it would make."""
    if isinstance(value, (list, tuple)):
        import numpy as np

        return np.shape(value)
    return getattr(value, "shape", _NO_SHAPE)


def times(delta: Any, partial: Any) -> Any:
    """delta * partial, for any pair of numbers: inf for an overflow, decimals meet floats as floats."""
    if type(partial) is int and partial == 1:
        return delta
    try:
        return delta * partial
    except OverflowError:
        return safe.mul(delta, partial)
    except TypeError:
        if _is_decimal(delta) or _is_decimal(partial):
            return float(delta) * float(partial)
        raise


def _is_decimal(value: Any) -> bool:
    return type(value).__name__ == "Decimal"


def in_kind_of(operand: Any, contribution: Any) -> Any:
    """The contribution as a number that adds up with the operand's others: decimals never mix with floats."""
    if _is_decimal(operand) and not _is_decimal(contribution):
        import decimal

        if isinstance(contribution, Fraction):
            return decimal.Decimal(contribution.numerator) / contribution.denominator
        return decimal.Decimal(contribution)
    if isinstance(operand, float) and _is_decimal(contribution):
        return float(contribution)
    return contribution


def pulled(delta: Any, partial: Any, z: Any, operand: Any, *, selects: bool = False) -> Any:
    """Contribution of an elementwise operation: delta * partial, summed over the axes that broadcasting added.

    With `selects`, elements whose partial is 0 were not chosen, and get 0 whatever the adjoint is.
    """
    if partial is ZERO:
        return zero_like(operand)
    shape = getattr(z, "shape", _NO_SHAPE)
    if shape == () == getattr(operand, "shape", _NO_SHAPE) and not isinstance(operand, (list, tuple)):
        return in_kind_of(operand, 0 if selects and partial == 0 else times(delta, partial))
    if type(partial) is int and getattr(delta, "shape", None) == shape == getattr(operand, "shape", None):
        return times(delta, partial)  # a sum or difference
    import numpy as np

    with np.errstate(all="ignore"):
        product = times(delta, partial)
        if selects:
            product = np.where(partial == 0, 0, product)
        if getattr(product, "shape", None) == shape == getattr(operand, "shape", None):
            return product
        return reduced(product, shape, operand)


def reduced(product: Any, shape: tuple[int, ...], operand: Any) -> Any:
    """A product that stands for one of `shape`, summed over the axes that broadcasting added to the operand's."""
    import numpy as np

    return unbroadcast(np.broadcast_to(product, shape), operand)


def are_real_arrays(delta: Any, z: Any, args: Sequence[Any]) -> bool:
    """Whether a result and its adjoint are arrays of one shape, and the arguments arrays or numbers, all of them real."""
    import numpy as np

    for array in (delta, z):
        if type(array) is not np.ndarray or array.dtype.kind != "f" or not array.ndim or array.shape != z.shape:
            return False
    return all(arg.dtype.kind == "f" if type(arg) is np.ndarray else type(arg) in (float, int) for arg in args)


def zero_like(value: Any) -> Any:
    """An adjoint of zeros: an array for an array, a tuple for a list or tuple, a dict for a dict, else 0."""
    if isinstance(value, (list, tuple)):
        return tuple(zero_like(item) for item in value)
    if isinstance(value, dict):
        return {key: zero_like(item) for key, item in value.items()}
    shape = getattr(value, "shape", _NO_SHAPE)
    if shape == ():
        return 0
    import numpy as np

    return np.zeros(shape)


def summed_axes(shape: tuple[int, ...], operand: tuple[int, ...]) -> tuple[int, ...]:
    """Axes of `shape` along which an operand of shape `operand` was repeated.

    >>> summed_axes((4, 2, 3), (2, 1))
    (0, 2)
    """
    lead = len(shape) - len(operand)
    return tuple(i for i, n in enumerate(shape) if i < lead or (operand[i - lead] == 1 and n != 1))


def unbroadcast(contribution: Any, operand: Any) -> Any:
    """Sum over what broadcasting repeated: an array in the shape of `operand`, a number for a number."""
    import numpy as np

    shape = np.shape(operand)
    axes = summed_axes(contribution.shape, shape)
    total = np.sum(contribution, axis=axes).reshape(shape) if axes else np.array(contribution).reshape(shape)
    if shape == () and not isinstance(operand, np.ndarray):
        return total[()] if isinstance(operand, np.generic) else total.item()
    return total


def pushed(tangent: Any, partial: Any, z: Any, *, selects: bool = False) -> Any:
    """Contribution of an operand's tangent to the result's: partial * tangent in the shape of z."""
    if partial is ZERO:
        return zero_like(z)
    shape = shape_of(z)
    if shape == ():
        return in_kind_of(z, 0 if selects and bool(partial == 0) else times(tangent, partial))
    import numpy as np

    with np.errstate(all="ignore"):
        product = times(np.asarray(tangent), partial)
        if selects:
            product = np.where(partial == 0, 0, product)
    return np.array(np.broadcast_to(product, shape))


def positional(
    where: Where, args: Sequence[Any], kwargs: Mapping[str, Any], names: Sequence[str]
) -> tuple[int | str, Path, tuple[Any, ...]]:
    """A call with the keywords `names` put at their positions: the argument that holds the operand, its path in there,
    and the positional arguments. A position may have two names, `"a_min|min"`; one left out between others is None.

    >>> positional(("exp",), (3,), {"exp": 2}, ("base", "exp"))
    (1, (), (3, 2))
    """
    head, rest = (where, ()) if isinstance(where, int) else (where[0], where[1:])
    values = list(args)
    for position, name in enumerate(names):
        given = [key for key in name.split("|") if key in kwargs]
        if head in given:
            head = position
        if given and position >= len(args):
            values += [None] * (position - len(values)) + [kwargs[given[0]]]
    return head, rest, tuple(values)


def placed(change: Any, operand: Any, path: Path) -> Any:
    """Zeros in the form of `operand`, an array or nested lists of arrays and numbers, with `change` at `path`."""
    if not path:
        return change
    if isinstance(operand, (list, tuple)):
        items = [zero_like(item) for item in operand]
        step = int(path[0])
        items[step] = placed(change, operand[step], path[1:])
        return tuple(items)
    import numpy as np

    whole: Any = np.zeros(np.shape(operand), dtype=np.result_type(np.asarray(change), np.float64))
    whole[path] = change
    return whole


def number_for(operand: Any, whole: Any, path: Path) -> Any:
    """The part of `whole` at `path`; a Python number for an operand that is one."""
    part = whole[path] if path else whole
    for step in path:
        operand = operand[step]
    is_plain = isinstance(operand, (int, float, complex)) and not hasattr(operand, "dtype")
    return part.item() if is_plain and hasattr(part, "item") else part
