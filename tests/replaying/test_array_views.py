"""Random programs of views and writes: values as they were then, and gradients against differences."""

from __future__ import annotations

import random

import numpy as np
import pytest

import visual_debug as vd

VIEWS = ["{x}[1:]", "{x}[::-1]", "{x}[:, :2]", "{x}.T", "{x}.T[1:]", "{x}.reshape(-1)", "{x}.ravel()", "{x}[0]", "{x}[:, 0]",
         "{x}[..., ::2]", "{x}[:]", "np.swapaxes({x}, 0, 1)", "{x}.reshape(3, 2)", "np.squeeze({x}[None])"]  # fmt: skip
WRITES = [
    "{x}[0] = {s}", "{x}[1:] *= {s}", "{x} += {s}", "{x} *= {y}.mean()", "{x}[...] = {y}.sum() * 0.3", "{x}.fill({s})",
    "np.multiply({x}, {s}, out={x})", "np.copyto({x}, {x} * {x} * 0.5)", "{x}[-1] -= {y}.max()", "{x}[{x} > 0.2] *= 0.5",
    "{x}[...] = np.sin({x})", "{x}.flat[0] = {s}", "np.add.at({x}, 0, {s})", "{x}[::-1] += {x} * 0.25",
    "np.putmask({x}, {x} < 0, {s})", "{x}[[0, 0]] += {s}", "{x}[:1] = {x}[-1:] * {s}", "{x}.sort()",
]  # fmt: skip
READS = ["s{n} = ({x} * {y}.mean()).sum() * 0.1", "s{n} = float({x}.max()) * {s}", "s{n} = np.tanh({x}.mean() + {s})"]


def program(seed: int) -> str:
    """A function of an array and a number, in which arrays show each other's memory."""
    rng = random.Random(seed)
    arrays, numbers = ["b0"], ["s"]
    lines = ["b0 = a * 1.5"]
    for n in range(1, rng.randint(5, 12)):
        x, y, s = rng.choice(arrays), rng.choice(arrays), rng.choice(numbers)
        kind = rng.random()
        if kind < 0.3:
            lines.append(f"b{n} = " + rng.choice(VIEWS).format(x=x))
            arrays.append(f"b{n}")
        elif kind < 0.85:
            lines.append(rng.choice(WRITES).format(x=x, y=y, s=s))
        else:
            lines.append(rng.choice(READS).format(x=x, y=y, s=s, n=n))
            numbers.append(f"s{n}")
    total = " + ".join([f"({x} * {x} * {0.3 + i}).sum()" for i, x in enumerate(arrays)] + numbers)
    body = "\n    ".join([*lines, f"return {total}"])
    return f"def f(a, s):\n    {body}\n"


def made(seed: int):
    names = {"np": np}
    exec(compile(program(seed), f"<program {seed}>", "exec"), names)  # noqa: S102
    return names["f"]


def usable() -> list[int]:
    """Programs whose shapes fit."""
    found = []
    for seed in range(700):
        try:
            with np.errstate(all="raise"):
                value = made(seed)(*start())
        except (ValueError, IndexError, TypeError, FloatingPointError):
            continue
        if np.isfinite(value) and abs(value) < 1e3:
            found.append(seed)
    return found


def start() -> tuple[np.ndarray, float]:
    return np.array([[0.31, -1.17, 0.63], [0.74, 0.43, -0.57]]), 0.37


SEEDS = usable()


def test_enough_programs_are_usable() -> None:
    assert len(SEEDS) > 150


@pytest.mark.parametrize("chunk", range(8))
def test_gradients_of_random_programs(chunk: int) -> None:
    for seed in SEEDS[chunk::8]:
        f = made(seed)
        trace = vd.trace(f, *start())
        assert trace.result == f(*start()), program(seed)
        gradient = trace.grad()
        tangent = np.random.default_rng(seed).normal(size=(2, 3))

        def at(step: float, f=f, tangent=tangent) -> float:
            a, s = start()
            return f(a + step * tangent, s + step * 0.7)

        h = 1e-6
        slopes = [(at(step) - at(-step)) / (2 * step) for step in (h, 3 * h)]
        if abs(slopes[0] - slopes[1]) > 1e-5 * (1 + abs(slopes[0])):
            continue  # at a kink
        got = (gradient["a"] * tangent).sum() + 0.7 * gradient["s"]
        assert got == pytest.approx(slopes[0], rel=1e-5, abs=1e-6), program(seed)
        assert trace.jvp(a=tangent, s=0.7) == pytest.approx(got, rel=1e-9, abs=1e-9), program(seed)


def test_lists_of_elements_that_change_afterwards() -> None:
    def f(a):
        items = a[0].tolist()
        items[0] = 5.0 * items[1]
        rows = list(a)
        rows.reverse()
        numbers = list(a[1])
        numbers.reverse()
        numbers.append(2.0)
        _, *others = a
        least, _, _ = sorted(a[0])
        return items[0] + items[2] + rows[0].sum() * 3.0 + numbers[0] * numbers[3] + others[0][1] + least

    a = np.array([[1.0, 2.0, 1.0], [4.0, 4.0, 6.0]])
    trace = vd.trace(f, a)
    assert trace.result == f(a)
    assert trace.grad("a").tolist() == [[1.0, 5.0, 1.0], [3.0, 4.0, 5.0]]
    for node in trace:
        if node.op == "getitem" and np.ndim(node.value) == 0:
            _, index = trace._columns.calls[node.id].args
            assert trace[node.operands[0]].value[index] == node.value


def states(seed: int) -> dict[int, dict[str, np.ndarray]]:
    """Line -> what each array shows after it, by executing the lines one by one."""
    a, s = start()
    names = {"np": np, "a": a, "s": s}
    found = {}
    for number, line in enumerate(program(seed).splitlines()[1:-1], 2):
        exec(line.strip(), names)  # noqa: S102
        found[number] = {k: v.copy() for k, v in names.items() if k[0] == "b" and isinstance(v, np.ndarray)}
    return found


@pytest.mark.parametrize("chunk", range(4))
def test_values_of_random_programs_in_any_order(chunk: int) -> None:
    for seed in SEEDS[chunk::8]:
        trace = vd.trace(made(seed), *start())
        expected = states(seed)
        lines = program(seed).splitlines()
        last: dict[int, int] = {}
        for node in trace:
            if node.op == "setitem" or (lines[node.source.line - 1].strip()[:4] == f"{node.name} ="):
                last[node.source.line] = node.id
        order = list(last.items())
        random.Random(seed).shuffle(order)
        for line, node in order:
            name = lines[line - 1].split()[0].split("[")[0].split(".")[0]
            if name in expected[line]:
                assert np.array_equal(trace[node].value, expected[line][name]), (line, program(seed))
