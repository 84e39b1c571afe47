"""Generators, coroutines and asynchronous generators, decorated and followed; tasks and threads that overlap."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import threading
import types

import pytest

import visual_debug as vd
from visual_debug import visual_debug


def halves(x):
    sent = yield x / 2
    while sent is not None:
        sent = yield sent * x
    return x * 10


def delegating(x):
    total = yield from halves(x)
    yield total + x


async def product(a, b):
    await asyncio.sleep(0)
    return a * b


async def multiples(x, n):
    for i in range(n):
        await asyncio.sleep(0)
        yield x * i


class Manager:
    def __init__(self, x):
        self.x = x

    async def __aenter__(self):
        await asyncio.sleep(0)
        return self.x * 3

    async def __aexit__(self, *details):
        self.x = self.x * 2


def test_kinds_are_those_of_the_plain_functions():
    assert inspect.isgeneratorfunction(visual_debug(halves))
    assert inspect.iscoroutinefunction(visual_debug(product))
    assert inspect.isasyncgenfunction(visual_debug(multiples))


def test_a_decorated_generator_leaves_its_trace_when_it_ends():
    traced = visual_debug(halves)
    generator = traced(3.0)
    assert next(generator) == 1.5
    with pytest.raises(vd.TraceError, match="no trace yet"):
        len(traced.trace)
    assert generator.send(5.0) == 15.0
    with pytest.raises(StopIteration) as stop:
        generator.send(None)
    assert stop.value.value == 30.0
    assert traced.trace.result == [1.5, 15.0]
    assert traced.trace.grad(of=0) == {"x": 0.5}
    assert traced.trace.grad(of=1) == {"x": 5.0}  # what was sent came from outside


def test_a_generator_that_is_closed_or_dropped_leaves_its_trace():
    traced = visual_debug(delegating)
    generator = traced(3.0)
    next(generator)
    generator.close()
    assert traced.trace.result == [1.5]
    assert traced.trace.exception is None
    next(traced(4.0))
    assert traced.trace.result == [2.0]


def test_an_exception_thrown_into_a_generator():
    @visual_debug
    def careful(x):
        try:
            yield x * 2
        except ValueError:
            yield x * 3

    generator = careful(2.0)
    next(generator)
    assert generator.throw(ValueError()) == 6.0
    with pytest.raises(KeyError):
        generator.throw(KeyError("k"))
    assert isinstance(careful.trace.exception, KeyError)
    assert careful.trace.result == [4.0, 6.0]
    assert careful.trace.grad(of=1) == {"x": 3.0}


def test_followed_generators_delegate_and_are_sent_numbers():
    @visual_debug
    def main(x, y):
        generator = delegating(x)
        first = next(generator)
        second = generator.send(y)
        third = generator.send(None)
        return first * second + third

    # x/2 * x*y + 11*x
    assert main(3.0, 5.0) == 1.5 * 15 + 33
    assert main.trace.grad() == {"x": 3.0 * 5 + 11, "y": 4.5}


def test_two_generators_that_a_foreign_consumer_resumes_in_turn():
    def one(x):
        yield from (x, x * 2)

    def inner(y):
        yield y * 3
        yield y * 5

    def other(y):
        yield from inner(y)

    @visual_debug(follow="all")
    def main(x, y):
        return sum([a * b for a, b in list(zip(one(x), other(y), strict=True))])

    assert main(2.0, 7.0) == 2 * 21 + 4 * 35
    assert main.trace.grad() == {"x": 91.0, "y": 26.0}


def test_a_tree_walked_by_recursive_generators():
    def walk(node):
        if node is not None:
            left, value, right = node
            yield from walk(left)
            yield value
            yield from walk(right)

    @visual_debug
    def weighted(a, b, c):
        tree = ((None, a, None), b, (None, c, (None, a * b, None)))
        total = 0.0
        for i, value in enumerate(walk(tree)):
            total += value * i
        return total

    assert weighted(2.0, 3.0, 5.0) == 3 + 10 + 18
    assert weighted.trace.grad() == {"a": 9.0, "b": 7.0, "c": 2.0}


def test_coroutines_with_everything():
    @visual_debug
    async def main(x, y):
        total = 0.0
        async for value in multiples(x, 3):
            total += value
        total += y
        async with Manager(x) as entered:
            total += entered
        squares = [v * v async for v in multiples(y, 3) if v > 0]
        a = await product(x, y)
        b, c = await asyncio.gather(product(a, x), product(a, y))
        return total + sum(squares) + b * c

    x, y = 2.0, 3.0
    expected = 3 * x + y + 3 * x + 5 * y * y + (x * x * y) * (x * y * y)
    assert asyncio.run(main(x, y)) == expected
    assert main.trace.result == expected
    assert main.trace.grad() == {"x": 6 + 3 * x * x * y**3, "y": 1 + 10 * y + 3 * x**3 * y * y}


def test_tasks_that_interleave_have_traces_of_their_own():
    @visual_debug(keep=10)
    async def steps(x, n):
        for _ in range(n):
            x = x * 2.0
            await asyncio.sleep(0)
        return x

    async def main():
        with vd.recording() as traces:
            results = await asyncio.gather(*[steps(float(i), 3 + i) for i in range(5)])
        return results, traces

    results, _ = asyncio.run(main())
    assert results == [i * 2.0 ** (3 + i) for i in range(5)]
    assert len(steps.traces) == 5
    for trace in steps.traces:
        x, n = trace.inputs["x"].value, trace.inputs["n"].value
        assert trace.result == x * 2**n
        assert trace.grad("x") == 2.0**n


def test_a_generator_that_outlives_the_call_goes_on_unrecorded():
    def count(x):
        while True:
            x = x + 1.0
            yield x

    @visual_debug
    def make(x):
        generator = count(x)
        return next(generator), generator

    first, generator = make(1.0)
    assert make.trace.grad(of=0) == {"x": 1.0}
    recorded = len(make.trace._tape.values)
    assert [next(generator) for _ in range(1000)] == [3.0 + i for i in range(1000)]
    assert first == 2.0
    assert len(make.trace._tape.values) == recorded


def test_threads_do_not_mix():
    @visual_debug(keep=100)
    def power(x, n):
        result = 1.0
        for _ in range(n):
            result = result * x
        return result

    barrier = threading.Barrier(4)

    def work(i):
        barrier.wait()
        with vd.recording() as traces:
            for n in range(1, 20):
                power(float(i), n)
        return [(t.result, t.grad("x")) for t in traces]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for i, got in zip(range(2, 6), pool.map(work, range(2, 6)), strict=True):
            assert got == [(float(i) ** n, n * float(i) ** (n - 1)) for n in range(1, 20)]


def test_trace_runs_generators_and_coroutines_to_their_end():
    assert vd.trace(product, 2.0, 3.0).grad() == {"a": 3.0, "b": 2.0}
    assert vd.trace(multiples, 2.0, 3).result == [0.0, 2.0, 4.0]

    async def inside():
        vd.trace(product, 2.0, 3.0)

    with pytest.raises(vd.UntraceableError, match="await it"):
        asyncio.run(inside())


async def summed(x):
    return sum(await asyncio.gather(*(product(x, float(k)) for k in range(3))))


async def picked(x):
    async def same():
        await asyncio.sleep(0)
        return x

    both = await asyncio.gather(same(), same())
    return both[0] * both[1]


async def largest(x):
    found = await asyncio.gather(product(x, 2.0), product(x, 3.0))
    return max(found) * len(found)


async def awaited_together(x):
    done, _ = await asyncio.wait([asyncio.create_task(product(x, k)) for k in (2.0, 3.0)])
    return max(task.result() for task in done)


async def in_the_order_of_completion(x):
    total = 0.0
    for awaitable in asyncio.as_completed([product(x, 2.0), product(x, 3.0)]):
        total += await awaitable
    return total


@pytest.mark.parametrize(
    "program", [summed, picked, largest, awaited_together, in_the_order_of_completion], ids=lambda p: p.__name__
)
def test_what_several_tasks_return_comes_from_them(program):
    trace = vd.trace(program, 1.5)
    assert trace.result == asyncio.run(program(1.5))
    h = 2.0**-20
    slope = (asyncio.run(program(1.5 + h)) - asyncio.run(program(1.5 - h))) / (2 * h)
    assert trace.grad("x") == pytest.approx(slope, rel=1e-9)


def test_functions_made_of_a_generator_s_code():
    """A generator shows the code that records: what is made of it is recorded once, or not at all, and runs as ever."""

    def made_of_code(x, change):
        def multiples(items):
            for item in items:
                yield item * x

        code = multiples([]).gi_code
        if change:
            code = code.replace(co_name="changed")
        again = types.FunctionType(code, {}, None, None, multiples.__closure__)
        expression = types.FunctionType((item for item in [x]).gi_code, {})
        return sum(again([1.0, 2.0])) * sum(expression(iter([x, 3.0])))

    traced = visual_debug(made_of_code)
    assert traced(1.5, False) == made_of_code(1.5, False) == 20.25
    assert traced.trace.grad("x") == 3 * (2 * 1.5 + 3.0)
    assert traced(1.5, True) == 20.25
    with pytest.raises(vd.TraceError, match="does not fit the code"):
        traced.trace.grad("x")
