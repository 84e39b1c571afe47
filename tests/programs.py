"""A corpus of small numeric programs in the styles people write, as a table of rows.

Every program is a plain function of this module; ``CASES`` says with which arguments it is called and what is asked
of a trace of it. Nothing here imports the package or the oracles.
"""

import cmath
import dataclasses
import functools
import itertools
import math
import operator
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import sqrt as root

GRAVITY = 9.81
SCALE = 3
WEIGHTS = [0.25, 0.5, 0.25]
CONFIG = {"rate": 0.1, "steps": 4}
calls = 0


# ----------------------------------------------------------------------------------------------------------------------
# Expressions
# ----------------------------------------------------------------------------------------------------------------------


def gaussian(x, y):
    return x * math.exp(-0.5 * (x**2 + y**2))


def seed_expression(x, y):
    return 2 * x * y + (x - 1) ** 2


def seed_other(x, y):
    return 3 * y * x + 2 * (x - 1) * x


def shared_product(x, y):
    w = x * y
    return w + w


def square_by_product(x):
    return x * x


def three_times(x, y):
    return x * x * y


def quotient(x, y):
    return x / y - y / x


def all_operators(x, y):
    a = x + y - x * y
    b = x / y + x // y + x % y
    c = -a + +b
    return a**2 + b**-1 + c**0.5 + 2**x


def power_forms(x, y):
    n = 2
    return x**2 + pow(x, 2) + x**n + x**y + 2.0**x + math.pow(x, 3) + x**SCALE


def power_literal_negative(x):
    return x**-2 + (-x) ** 2 - -(x**2) + x**1 + x**0 + x**0.5


def folded_constants(x):
    return x * (2 * 3) + -0.5 * x + (1 + 2j).real * x if x < 0 else 2**10 * x - (7 // 2) + 1e-3 / 4


def identity(x):
    return x


def constant_result(x):
    return 42


def argument_twice_in_result(x, y):
    return x, y, x


def negative_zero(x):
    return -x * 0.0 + -0.0


def integer_bits(a, b):
    return (a & b) + (a | b) * 2 - (a ^ b) + (a << 3) - (b >> 1) + ~a


def integer_division(a, b):
    return a // b * b + a % b, divmod(a, b), -a // b, -a % b, int(a / b)


def big_integers(n):
    m = n**40 + 1
    return m // 7 + m % 10**9


def boolean_arithmetic(x, y):
    return (x > y) * x + (x <= y) * y + True


def comparison_result(x, y):
    return x < y


def chained_comparison(x, low, high):
    if low <= x < high:
        return x * 2
    return (x - low) * (high - x)


def nested_conditional(x):
    return x**2 if x > 2 else (x**3 if x > 1 else (x if x > 0 else -x))


def short_circuit(x, y):
    a = x and y
    b = x or y
    c = (x > 1 and y > 1 and x * y) or (x + y)
    d = not x
    return a + b * c + (0 if d else x)


def walrus(x):
    if (y := x * 2) > 3 and (z := y - 1) > 1:
        return y * z
    return y


def augmented(x, y):
    a = x
    a += y
    a -= 1
    a *= x
    a /= 2
    a **= 2
    a //= 3
    a %= 50
    a += x
    return a


def augmented_bits(a, b):
    a <<= 2
    a >>= 1
    a |= b
    a &= 1023
    a ^= 5
    return a


def string_beside_numbers(x, name):
    label = f"{name}: {x * 2:.3f}" + "%.2f" % x  # noqa: UP031
    total = x * 2
    for letter in label:
        if letter.isdigit():
            total += x
    return total


def complex_arithmetic(z, w):
    return z * w + z / w - z**2 + abs(z) * 1j


def complex_from_reals(x, y):
    z = complex(x, y)
    for _ in range(3):
        z = z * z + 0.1
    return z.real + z.imag


def complex_exponential(x):
    return abs(cmath.exp(1j * x) + 1)


def fraction_inside(n):
    total = Fraction(0)
    for k in range(1, n):
        total += Fraction(1, k)
    return float(total), total


def decimal_inside(text):
    d = Decimal(text)
    return d * d + 1, float(d) * 2.0


# ----------------------------------------------------------------------------------------------------------------------
# math and builtins
# ----------------------------------------------------------------------------------------------------------------------


def math_exponentials(x):
    return math.exp(x) + math.expm1(x) + math.log(x) + math.log1p(x) + math.log2(x) + math.log10(x) + math.log(x, 3)


def math_circular(x):
    return math.sin(x) * math.cos(x) + math.tan(x) + math.asin(x) - math.acos(x) + math.atan(x)


def math_hyperbolic(x):
    return math.sinh(x) + math.cosh(x) * math.tanh(x) + math.asinh(x) + math.acosh(x + 2) + math.atanh(x)


def math_two(x, y):
    return math.atan2(y, x) + math.hypot(x, y) + math.pow(x, y) + math.fmod(x, y) + math.copysign(x, -y)


def math_special(x):
    return math.erf(x) + math.erfc(x / 2) + math.gamma(x) + math.lgamma(x + 1)


def math_sequences(x, y, z):
    return math.fsum([x, y, z]) + math.prod([x, y, z]) + math.dist((x, y), (y, z)) + math.hypot(x, y, z)


def math_steps(x):
    return math.floor(x) + math.ceil(x) * x + math.trunc(x) + math.fabs(x)


def math_pairs(x):
    fraction, whole = math.modf(x)
    mantissa, exponent = math.frexp(x)
    return fraction * whole + mantissa * exponent


def math_constants(x):
    return math.pi * x + math.e - math.tau / x


def imported_name(x):
    return root(x) + root(x + 1)


def extremes(x, y, z):
    return max(x, y) * min(y, z) + max([x, y, z]) - min((x, 2.5, z)) + max(x, 1)


def sums(x, y):
    return sum([x, y, x]) + sum((x * y, 1)) + sum([x, y], 10) + sum([x, y], start=x)


def rounding(x):
    return round(x) + round(x, 2) + round(x * 10, 1)


def absolute(x, y):
    return abs(x) * abs(y - x) + abs(-3)


def conversions(x, n):
    return float(n) * x + int(x) + int(n / 2) + float(x)


def divmod_unpacked(x, y):
    q, r = divmod(x, y)
    return q * 10 + r


# ----------------------------------------------------------------------------------------------------------------------
# Loops
# ----------------------------------------------------------------------------------------------------------------------


def newton_sqrt(a):
    x = a
    while abs(x * x - a) > 1e-10:
        x = 0.5 * (x + a / x)
    return x


def horner(coefficients, x):
    result = 0.0
    for c in coefficients:
        result = result * x + c
    return result


def polynomial_enumerate(coefficients, x):
    return sum(c * x**k for k, c in enumerate(coefficients))


def polynomial_zip(coefficients, x):
    power, total = 1.0, 0.0
    for c, _ in zip(reversed(coefficients), itertools.count()):
        total += c * power
        power *= x
    return total


def logistic_map(r, x, n):
    for _ in range(n):
        x = r * x * (1 - x)
    return x


def bisection(low, high):
    for _ in range(40):
        middle = (low + high) / 2
        if middle * middle - 2 < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def continued_fraction(terms):
    value = terms[-1]
    for term in reversed(terms[:-1]):
        value = term + 1 / value
    return value


def agm(a, b):
    while abs(a - b) > 1e-14:
        a, b = (a + b) / 2, math.sqrt(a * b)
    return a


def simpson(a, b, n):
    h = (b - a) / n
    total = math.sin(a) + math.sin(b)
    for i in range(1, n):
        total += (4 if i % 2 else 2) * math.sin(a + i * h)
    return total * h / 3


def trapezoid(a, b, n):
    h = (b - a) / n
    return h * (0.5 * (a**3 + b**3) + sum((a + i * h) ** 3 for i in range(1, n)))


def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def extended_gcd(a, b):
    x0, x1, y0, y1 = 1, 0, 0, 1
    while b:
        q, a, b = a // b, b, a % b
        x0, x1 = x1, x0 - q * x1
        y0, y1 = y1, y0 - q * y1
    return a, x0, y0


def power_by_squaring(x, n):
    result = 1
    while n:
        if n & 1:
            result *= x
        x *= x
        n >>= 1
    return result


def fibonacci_loop(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def tuple_swaps(x, y, z):
    x, y = y, x
    x, y, z = z, x, y
    (x, y), z = (y + 1, z), x
    return x * 100 + y * 10 + z


def while_else(x):
    n = 0
    while n < 3:
        x = x * 1.5
        n += 1
        if x > 100:
            break
    else:
        x = x + 1
    return x


def for_else(values, limit):
    total = 0.0
    for v in values:
        if v < 0:
            continue
        if total > limit:
            total = total * 2
            break
        total += v
    else:
        total = -total
    return total


def nested_loops(x, y):
    total = 0.0
    for i in range(3):
        for j in range(i, 4):
            if (i + j) % 3 == 2:
                continue
            total += x * i - y * j + i * j
    return total


def kahan(values):
    total = 0.0
    lost = 0.0
    for v in values:
        y = v - lost
        t = total + y
        lost = (t - total) - y
        total = t
    return total


def counter_beside_value(n):
    total = 0
    for i in range(n):
        total = total + i * i + n * i
    return total


def loop_never_entered(x):
    for _ in range(0):
        x = x * 2
    while x > 100:
        x = x / 2
    return x


def infinite_with_return(x):
    while True:
        x = x * 1.1 + 0.1
        if x > 5:
            return x


# ----------------------------------------------------------------------------------------------------------------------
# Calls
# ----------------------------------------------------------------------------------------------------------------------


def pull(x, y, vx, vy):
    r3 = (x * x + y * y) ** 1.5
    return vx, vy, -x / r3, -y / r3


def moved(state, slope, h):
    return tuple(s + h * d for s, d in zip(state, slope))


def rk4_orbit(x, y, vx, vy, h):
    state = (x, y, vx, vy)
    for _ in range(3):
        k1 = pull(*state)
        k2 = pull(*moved(state, k1, h / 2))
        k3 = pull(*moved(state, k2, h / 2))
        k4 = pull(*moved(state, k3, h))
        state = tuple(s + h / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4))
    return state[0] * state[0] + state[1] * state[1]


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def factorial(n):
    if n <= 1:
        return 1
    return n * factorial(n - 1)


def power_recursive(x, n):
    if n == 0:
        return 1.0
    half = power_recursive(x, n // 2)
    return half * half * x if n % 2 else half * half


def even_part(x, n):
    return x if n == 0 else odd_part(x * 2, n - 1)


def odd_part(x, n):
    return x if n == 0 else even_part(x + 1, n - 1)


def mutual_recursion(x):
    return even_part(x, 5) * odd_part(x, 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def affine(x, slope=2.0, *, offset=1.0):
    return x * slope + offset


def variadic(*values, **named):
    total = 0.0
    for v in values:
        total += v
    for key in sorted(named):
        total *= named[key]
    return total


def default_and_keyword_calls(x, y):
    a = affine(x)
    b = affine(x, y)
    c = affine(x, offset=y)
    d = affine(slope=y, offset=x, x=a)
    return a + b + c + d


def variadic_calls(x, y):
    pair = [x, y]
    named = {"k": x, "b": 2.0}
    return variadic(x, y, x * y) + variadic(*pair, y, **named) + variadic(k=x)


def variadic_argument(*values):
    return values[0] * values[1] + len(values)


def same_argument_twice(x):
    return affine(x, x, offset=x) + three_times(x, x)


def closure_counter(x):
    total = 0.0

    def add(v):
        nonlocal total
        total += v * x
        return total

    add(x)
    add(2.0)
    return add(3.0) + total


def closure_factory(x, k):
    def scaled(factor):
        def inner(v):
            return v * factor + k

        return inner

    twice, thrice = scaled(x), scaled(3)
    return twice(thrice(x)) + thrice(k)


def lambdas(x, y):
    f, g = lambda a, b=2: a * b + x, lambda t: t**2
    return f(y) + f(x, y) + g(y)


def function_values(x):
    total = 0.0
    for f in (math.sin, square_by_product, lambda v: v + 1, abs):
        total = total + f(x)
    return total


def partial_call(x, y):
    shifted = functools.partial(affine, slope=y)
    return shifted(x, offset=x)


def reduce_product(values):
    return functools.reduce(lambda a, b: a * b, values)


def reduce_operator(values):
    return functools.reduce(operator.mul, values, 1.0)


def mapped(values, k):
    return sum(map(lambda v: v * k, values)) + sum(filter(lambda v: v > 1, values))  # noqa: C417


def generator_function(x, n):
    def powers():
        value = x
        for _ in range(n):
            yield value
            value = value * x

    total = 0.0
    for p in powers():
        total += p
    return total + sum(powers())


def global_numbers(x):
    return x * GRAVITY + GRAVITY**2 - SCALE * x


def global_containers(x):
    total = 0.0
    for i, w in enumerate(WEIGHTS):
        total += w * x**2 + i
    return total * CONFIG["rate"] + WEIGHTS[1] * x


def global_statement(x):
    global calls
    calls = 0
    calls += 1
    calls = calls * 3
    return x * calls


# ----------------------------------------------------------------------------------------------------------------------
# Containers
# ----------------------------------------------------------------------------------------------------------------------


def star_unpacking(values):
    first, *middle, last = values
    a, (b, c) = first, (last, middle[0])
    return a * b - c + len(middle)


def list_building(x, n):
    values = [x]
    for i in range(n):
        values.append(values[-1] * 0.5 + values[i])
    values[0] = values[1] * values[2]
    values[1] += x
    return values[0] + values[1] + values[-1]


def list_of_equal_integers(a, b):
    values = [a, b, a * b]
    values[0], values[1] = values[1], values[0]
    values.insert(0, a + b)
    return values[0] * 1000 + values[1] * 100 + values[2] * 10 + values[3]


def slices(values):
    total = 0.0
    for v in values[1:] + values[::-1]:
        total = total * 0.5 + v
    return total


def dictionary(x, y):
    table = {"a": x, "b": y}
    table["c"] = table["a"] * table["b"]
    table["a"] += 1.0
    return sum(table.values()) + table.get("c", 0.0) * table.get("d", 2.0)


def dictionary_argument(parameters, x):
    return parameters["slope"] * x + parameters["offset"]


def nested_argument(layers, x):
    for weight, (bias, gain) in layers:
        x = math.tanh(weight * x + bias) * gain
    return x


def same_element_twice(values):
    return values[0] * 10 + values[1]


def comprehensions(values, k):
    squares = [v * v for v in values]
    scaled = {i: v * k for i, v in enumerate(values)}
    chosen = [s for s in squares if s > 1]
    return sum(squares) + scaled[0] * scaled[1] + sum(v for v in chosen)


def nested_comprehension(x, y):
    grid = [[a * b for b in (x, y, x + y)] for a in (x, y)]
    return sum(sum(row) for row in grid) - grid[0][1] * grid[1][0]


def sum_of_products(xs, ys):
    return sum(a * b for a, b in zip(xs, ys))


def dot_by_index(xs, ys):
    total = 0.0
    for i in range(len(xs)):
        total += xs[i] * ys[i]
    return total


def sorted_with_key(values):
    ordered = sorted(values, key=lambda v: -v)
    return ordered[0] * 100 + ordered[1] * 10 + ordered[2]


def matrix_product(a, b):
    return [[sum(a[i][k] * b[k][j] for k in range(len(b))) for j in range(len(b[0]))] for i in range(len(a))]


def matrix_trace_of_square(a):
    square = matrix_product(a, a)
    return square[0][0] + square[1][1]


def gaussian_elimination(a, b):
    n = len(b)
    for column in range(n):
        pivot = max(range(column, n), key=lambda r: abs(a[r][column]))
        if pivot != column:
            a[column], a[pivot] = a[pivot], a[column]
            b[column], b[pivot] = b[pivot], b[column]
        for r in range(column + 1, n):
            factor = a[r][column] / a[column][column]
            for c in range(column, n):
                a[r][c] -= factor * a[column][c]
            b[r] -= factor * b[column]
    x = [0.0] * n
    for r in range(n - 1, -1, -1):
        s = b[r]
        for c in range(r + 1, n):
            s -= a[r][c] * x[c]
        x[r] = s / a[r][r]
    return x[0] + 2 * x[1] + 3 * x[2]


def variance(values):
    mean = sum(values) / len(values)
    return sum((v - mean) ** 2 for v in values) / (len(values) - 1)


def softmax_first(values):
    top = max(values)
    exponentials = [math.exp(v - top) for v in values]
    return exponentials[0] / sum(exponentials)


def dft_power(values):
    n = len(values)
    total = 0.0
    for k in range(n):
        s = 0j
        for t, v in enumerate(values):
            s += v * cmath.exp(-2j * math.pi * k * t / n)
        total += abs(s) ** 2 * k
    return total


def monte_carlo(n, scale):
    source = random.Random(7)
    total = 0.0
    for _ in range(n):
        x, y = source.random() * scale, source.random() * scale
        if x * x + y * y < 1:
            total += x * y
    return total / n


def prefix_sums(values):
    return list(itertools.accumulate(values))


# ----------------------------------------------------------------------------------------------------------------------
# Exceptions
# ----------------------------------------------------------------------------------------------------------------------


def guarded_division(x, y):
    try:
        z = x / y
    except ZeroDivisionError:
        z = x * 10
    return z + 1


def guarded_domain(x):
    try:
        return math.sqrt(x) * 2
    except ValueError:
        return -x * 3
    finally:
        x = x * 100


def finally_and_else(x, y):
    total = x
    for d in (y, 0.0, 2.0):
        try:
            total = total + x / d
        except ZeroDivisionError as error:
            total = total * 2 + len(error.args)
        else:
            total = total - y
        finally:
            total = total + 0.5
    return total


def raised_in_helper(x, y):
    def risky(a, b):
        c = a * 3
        if b > 2:
            raise ValueError("too big", b)
        return c * b

    total = 0.0
    for v in (x, y):
        try:
            total += risky(x, v)
        except ValueError as error:
            total += error.args[1] * x
    return total


def nested_try(x):
    try:
        try:
            a = x * 2
            b = a / (x - x)
        finally:
            a = x * 5
    except ZeroDivisionError:
        b = a + 1
    return a * b


def with_statement(x):
    class Scaled:
        def __init__(self, k):
            self.k = k

        def __enter__(self):
            return self.k * 2

        def __exit__(self, *details):
            return True

    total = x
    with Scaled(x) as k:
        total = total * k
        total = total / (k - k)
    return total + k


def raises_zero_division(x, y):
    a = x * y
    return a / (y - y)


def raises_domain_error(x):
    return math.log(-x * x)


def raises_overflow(x):
    return math.exp(x * 1000)


def raises_own(x):
    y = x * 2
    raise ArithmeticError("no", y)


def raises_in_recursion(n):
    return 1 / n + raises_in_recursion(n - 1)


def raises_type_error(x):
    return x + "text"


# ----------------------------------------------------------------------------------------------------------------------
# Classes
# ----------------------------------------------------------------------------------------------------------------------


class Spring:
    stiffness = 2.5

    def __init__(self, mass, rest):
        self.mass = mass
        self.rest = rest
        self.steps = 0

    def force(self, x):
        return -self.stiffness * (x - self.rest)

    def step(self, x, v, h):
        self.steps += 1
        v = v + self.force(x) / self.mass * h
        return x + v * h, v

    @staticmethod
    def energy(m, v):
        return 0.5 * m * v**2

    @classmethod
    def unit(cls, rest):
        return cls(1.0, rest)

    @property
    def frequency(self):
        return math.sqrt(self.stiffness / self.mass)


def methods(x, mass):
    spring = Spring(mass, 0.5)
    v = 0.0
    for _ in range(3):
        x, v = spring.step(x, v, 0.1)
    return Spring.energy(mass, v) + x * spring.frequency + spring.steps


def class_methods(x, rest):
    spring = Spring.unit(rest)
    spring.stiffness = x
    return spring.force(x) * spring.rest


@dataclasses.dataclass
class Vector:
    x: float
    y: float

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def dot(self, other):
        return self.x * other.x + self.y * other.y

    def __abs__(self):
        return math.sqrt(self.dot(self))


def vectors(a, b, k):
    u, v = Vector(a, b), Vector(b, 1.0)
    w = u + v * k + 2.0 * u
    return w.dot(u) + abs(w)


def integer_attributes(a, b):
    v = Vector(a, b)
    v.x, v.y = v.y, v.x
    v.x += 1
    return v.x * 10 + v.y


class Polynomial:
    def __init__(self, *coefficients):
        self.coefficients = list(coefficients)

    def __call__(self, x):
        result = 0.0
        for c in self.coefficients:
            result = result * x + c
        return result

    def __getitem__(self, k):
        return self.coefficients[k]

    def __iter__(self):
        return iter(self.coefficients)

    def __len__(self):
        return len(self.coefficients)

    def derivative(self):
        n = len(self) - 1
        return Polynomial(*[c * (n - i) for i, c in enumerate(self.coefficients[:-1])])


def polynomial_object(a, b, x):
    p = Polynomial(a, b, 1.0)
    return p(x) + p.derivative()(x) + p[0] + sum(c for c in p)


# ----------------------------------------------------------------------------------------------------------------------
# Aliases, equal integers, one object twice
# ----------------------------------------------------------------------------------------------------------------------


def aliases(x, y):
    a = x
    b = a
    x = y
    a = a * x
    y = b
    return a + b * y - x


def integers_equal_literals(x, y):
    total = 3
    for i in range(4):
        total = total * 3 + x * 3 - i * y
        if total == 3:
            total = total + 3
    return total - 3 * 3 + x


def small_integers_everywhere(a, b, c):
    one = 1
    two = one + one
    a, b, c = b * two, c * one, a + two
    return (a - b) * two + c * 2 + one * 1


def rebinding_argument(x):
    x = x + 1
    x = x * x
    y = x
    x = 0
    return y + x


def deleted(x, y):
    z = x * y
    del x
    x = z + y
    del z
    return x * x


def equal_floats(x, y):
    a = x + 0.0
    b = y + 0.0
    pair = (a, b)
    return pair[0] * 2 + pair[1] * 3 + (a - b)


def argument_as_default(x):
    def product(p, q=x, *, r=x):
        return p * q + r

    _, difference = product, lambda p, q=x: p - q
    return product(2) + difference(5)


def attribute_by_name(x):
    class Box:
        pass

    box = Box()
    setattr(box, "value", x)  # noqa: B010
    return box.value * 2 + getattr(box, "value")  # noqa: B009


def items_by_function(x, y):
    table = {"a": x, "b": y}
    return operator.getitem(table, "a") * 2 + table.setdefault("c", x) + table.pop("b")


def value_in_exception(x):
    try:
        raise ValueError(x)
    except ValueError as error:
        return error.args[0] * 2


def argument_rows_swapped(rows):
    rows[0], rows[1] = rows[1], rows[0]
    rows[0][0] += 1
    rows.append([5])
    return rows[0][0] * 10 + rows[1][0] + rows[2][0]


def argument_popped(values):
    last = values.pop()
    values.insert(0, last)
    return values[0] * 100 + values[1] * 10 + values[2]


def conditional_alias(x, y, flag):
    chosen = x if flag else y
    other = y if flag else x
    return chosen * chosen + other


def large_straight_line(x):
    a = x * 1.01
    b = a * x + a
    c = (a - b) * (b - a) / (1 + a * a)
    d = math.sin(c) + math.cos(c) * (b + a) - x / (2 + c**2)
    e = (d + c + b + a) * 0.25
    return e * e + d * c - b / (1 + e**2) + (a if e > d else b)


def match_statement(x, kind):
    match (kind, x):
        case ("double", value):
            return value * 2
        case ("square", value) if value > 0:
            return value**2
        case _:
            return x + 1


# ----------------------------------------------------------------------------------------------------------------------
# The table
# ----------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Case:
    """One call of one program, and what is asked of its trace.

    ``wrt``      the arguments in which the result is differentiable at this point
    ``graph``    "exact"; "opaque": operations may be owned up to as ``opaque`` (Python code entered from C: callbacks of
                 the standard library, special methods); "none": values only (the oracle has no number class for it)
    ``refused``  the trace or its gradient may be refused with a VisualDebugError instead
    ``raises``   the exception that the program ends with
    """

    function: Callable
    args: tuple
    features: tuple[str, ...] = ()
    wrt: tuple[str, ...] = ()
    graph: str = "exact"
    refused: bool = False
    raises: type[BaseException] | None = None

    @property
    def name(self) -> str:
        shown = ",".join(f"{a!r}" for a in self.args)
        return f"{self.function.__name__}({shown if len(shown) < 30 else shown[:27] + '...'})"


def case(function, *args, features="", wrt="", **rest):
    return Case(function, args, tuple(features.split()), tuple(wrt.split()), **rest)


CASES: list[Case] = [
    case(gaussian, 2, 7, features="expression seed", wrt="x y"),
    case(gaussian, 2.0, 7.0, features="expression seed", wrt="x y"),
    case(gaussian, 0.3, -0.4, features="expression", wrt="x y"),
    case(seed_expression, 3, 5, features="expression seed", wrt="x y"),
    case(seed_expression, 3, 3, features="expression identity", wrt="x y"),
    case(seed_expression, 2, 1, features="expression identity", wrt="x y"),
    case(seed_other, 3, 5, features="expression seed", wrt="x y"),
    case(shared_product, 3, 5, features="expression shared", wrt="x y"),
    case(square_by_product, 3.5, features="expression shared", wrt="x"),
    case(three_times, 3, 3, features="expression identity", wrt="x y"),
    case(quotient, 3, 5, features="expression", wrt="x y"),
    case(all_operators, 3.7, 1.6, features="expression complex", refused=True),
    case(all_operators, 1.2, 0.5, features="expression", wrt="x y"),
    case(power_forms, 1.7, 2.3, features="pow global", wrt="x y"),
    case(power_forms, 2, 2, features="pow identity", wrt="x y"),
    case(power_literal_negative, 1.7, features="pow", wrt="x"),
    case(folded_constants, 1.25, features="constants", wrt="x"),
    case(identity, 2.5, features="trivial", wrt="x"),
    case(identity, 1, features="trivial", wrt="x"),
    case(constant_result, 42, features="trivial constants", wrt="x"),
    case(argument_twice_in_result, 1, 1, features="trivial identity structure"),
    case(negative_zero, 3.0, features="bits", wrt="x"),
    case(negative_zero, -0.0, features="bits", wrt="x"),
    case(negative_zero, math.inf, features="bits"),
    case(integer_bits, 29, 12, features="int bits"),
    case(integer_bits, 3, 3, features="int bits identity"),
    case(integer_division, 29, 4, features="int structure"),
    case(integer_division, -7.5, 2.0, features="int structure"),
    case(big_integers, 123, features="int"),
    case(boolean_arithmetic, 2.5, 1.5, features="bool", wrt="x y", refused=True),
    case(boolean_arithmetic, True, True, features="bool identity"),
    case(comparison_result, 1, 2, features="bool"),
    case(chained_comparison, 1.5, 1, 3, features="branch", wrt="x low high"),
    case(chained_comparison, 3.0, 1.0, 3.0, features="branch", wrt="x low high"),
    case(nested_conditional, 3.0, features="branch", wrt="x"),
    case(nested_conditional, 1.5, features="branch", wrt="x"),
    case(nested_conditional, 0.5, features="branch", wrt="x"),
    case(nested_conditional, -1, features="branch", wrt="x"),
    case(short_circuit, 2.0, 3.0, features="branch", wrt="x y"),
    case(short_circuit, 0.0, 3.0, features="branch", wrt="x y"),
    case(short_circuit, 1, 1, features="branch identity", wrt="x y"),
    case(walrus, 2.0, features="branch", wrt="x"),
    case(walrus, 1.0, features="branch", wrt="x"),
    case(augmented, 2.5, 3.5, features="augmented", wrt="x y"),
    case(augmented, 2, 3, features="augmented int"),
    case(augmented_bits, 7, 9, features="augmented int"),
    case(string_beside_numbers, 1.5, "size", features="text", wrt="x"),
    case(complex_arithmetic, 1 + 2j, 3 - 1j, features="complex"),
    case(complex_from_reals, 0.3, 0.4, features="complex", wrt="x y", refused=True),
    case(complex_exponential, 0.7, features="complex", wrt="x", refused=True),
    case(fraction_inside, 6, features="fraction", graph="none"),
    case(decimal_inside, "1.25", features="decimal", graph="none"),
    case(math_exponentials, 1.7, features="math", wrt="x"),
    case(math_circular, 0.3, features="math", wrt="x"),
    case(math_hyperbolic, 0.3, features="math", wrt="x"),
    case(math_two, 2.5, 1.5, features="math", wrt="x y"),
    case(math_special, 2.3, features="math", wrt="x"),
    case(math_sequences, 1.5, 2.5, -0.5, features="math sequence", wrt="x y z"),
    case(math_sequences, 2.0, 2.0, 1.0, features="math sequence identity", wrt="x y z"),
    case(math_steps, 2.6, features="math", wrt="x"),
    case(math_pairs, 5.3, features="math unpacking", wrt="x", refused=True),
    case(math_constants, 1.5, features="math", wrt="x"),
    case(imported_name, 2.0, features="math", wrt="x"),
    case(extremes, 1.5, 2.0, 0.5, features="builtins", wrt="x y z"),
    case(extremes, 3, 5, 4, features="builtins", wrt="x y z"),
    case(sums, 1.5, 2.5, features="builtins", wrt="x y"),
    case(sums, 1, 1, features="builtins identity", wrt="x y"),
    case(rounding, 2.3456, features="builtins"),
    case(absolute, -1.5, 2.0, features="builtins", wrt="x y"),
    case(conversions, 2.75, 5, features="builtins", wrt="x", refused=True),
    case(divmod_unpacked, 7.5, 2.0, features="builtins unpacking", wrt="x y", refused=True),
    case(divmod_unpacked, 17, 5, features="builtins unpacking int"),
    case(newton_sqrt, 2.0, features="loop", wrt="a"),
    case(newton_sqrt, 9, features="loop", wrt="a"),
    case(horner, [2.0, -1.0, 0.5, 3.0], 1.5, features="loop list", wrt="coefficients x"),
    case(horner, [1, 2, 3], 2, features="loop list int identity", wrt="coefficients x"),
    case(horner, [1, 1, 1], 1, features="loop list int identity", wrt="coefficients x"),
    case(horner, [], 1.5, features="loop list empty", wrt="x"),
    case(polynomial_enumerate, [2.0, -1.0, 0.5], 1.5, features="loop list generator", wrt="coefficients x"),
    case(polynomial_zip, [2.0, -1.0, 0.5], 1.5, features="loop list", wrt="coefficients x"),
    case(logistic_map, 3.7, 0.4, 8, features="loop", wrt="r x"),
    case(bisection, 0.0, 2.0, features="loop branch", wrt="low high"),
    case(continued_fraction, [3.0, 7.0, 15.0, 1.0], features="loop list slice", wrt="terms"),
    case(agm, 1.0, 2.0, features="loop swap", wrt="a b"),
    case(simpson, 0.0, 2.0, 6, features="loop math", wrt="a b"),
    case(trapezoid, 0.5, 2.0, 5, features="loop generator", wrt="a b"),
    case(collatz, 7, features="loop int"),
    case(gcd, 48, 36, features="loop int swap"),
    case(gcd, 12, 12, features="loop int swap identity"),
    case(extended_gcd, 240, 46, features="loop int swap structure"),
    case(power_by_squaring, 1.5, 11, features="loop int", wrt="x"),
    case(power_by_squaring, 3, 3, features="loop int identity", wrt="x"),
    case(fibonacci_loop, 10, features="loop int swap"),
    case(tuple_swaps, 1, 2, 3, features="swap", wrt="x y z"),
    case(tuple_swaps, 2, 2, 2, features="swap identity", wrt="x y z"),
    case(while_else, 1.5, features="loop else", wrt="x"),
    case(while_else, 60.0, features="loop else", wrt="x"),
    case(for_else, [1.0, -2.0, 3.0], 10.0, features="loop else list", wrt="values"),
    case(for_else, [1.0, -2.0, 3.0, 4.0, 5.0], 3.5, features="loop else list", wrt="values"),
    case(nested_loops, 1.5, 2.5, features="loop counter", wrt="x y"),
    case(nested_loops, 1, 2, features="loop counter identity", wrt="x y"),
    case(kahan, [1.0, 1e-16, 1e-16, 3.3], features="loop list", wrt="values"),
    case(counter_beside_value, 3, features="loop counter identity"),
    case(loop_never_entered, 3.0, features="loop trivial", wrt="x"),
    case(infinite_with_return, 1.0, features="loop", wrt="x"),
    case(rk4_orbit, 1.0, 0.1, 0.2, 0.9, 0.05, features="calls tuple loop generator", wrt="x y vx vy h"),
    case(fibonacci, 7, features="recursion int"),
    case(factorial, 6, features="recursion int"),
    case(power_recursive, 1.3, 6, features="recursion", wrt="x"),
    case(mutual_recursion, 1.5, features="recursion", wrt="x"),
    case(mutual_recursion, 1, features="recursion identity", wrt="x"),
    case(ackermann, 2, 2, features="recursion int"),
    case(default_and_keyword_calls, 1.5, 2.5, features="calls keywords", wrt="x y"),
    case(variadic_calls, 1.5, 2.5, features="calls variadic", wrt="x y"),
    case(variadic_argument, 1.5, 2.5, 3.5, features="variadic", wrt="values"),
    case(same_argument_twice, 3, features="calls identity", wrt="x"),
    case(same_argument_twice, 1.5, features="calls identity", wrt="x"),
    case(closure_counter, 1.5, features="closure", wrt="x"),
    case(closure_counter, 2, features="closure identity", wrt="x"),
    case(closure_factory, 1.5, 0.25, features="closure", wrt="x k"),
    case(closure_factory, 3, 3, features="closure identity", wrt="x k"),
    case(lambdas, 1.5, 2.5, features="lambda", wrt="x y"),
    case(lambdas, 2, 2, features="lambda identity", wrt="x y"),
    case(function_values, 0.7, features="calls lambda", wrt="x"),
    case(partial_call, 1.5, 2.5, features="calls native", wrt="x y", graph="opaque", refused=True),
    case(reduce_product, [1.5, 2.5, 3.5], features="calls native list", wrt="values", graph="opaque", refused=True),
    case(reduce_operator, [1.5, 2.5, 3.5], features="calls native list", wrt="values", graph="opaque", refused=True),
    case(mapped, [1.5, 2.5, 0.5], 2.0, features="calls native list", wrt="values k", graph="opaque", refused=True),
    case(generator_function, 0.9, 4, features="generator", wrt="x"),
    case(global_numbers, 1.5, features="global", wrt="x"),
    case(global_numbers, 3, features="global identity", wrt="x"),
    case(global_numbers, GRAVITY, features="global identity", wrt="x"),  # the very object
    case(global_containers, WEIGHTS[1], features="global list dict identity", wrt="x"),
    case(global_containers, 1.5, features="global list dict", wrt="x"),
    case(global_statement, 1.5, features="global", wrt="x"),
    case(star_unpacking, [1.5, 2.5, 3.5, 4.5], features="unpacking list", wrt="values"),
    case(star_unpacking, [2, 2, 2, 2], features="unpacking list int identity", wrt="values"),
    case(list_building, 1.5, 3, features="list write", wrt="x"),
    case(list_building, 1, 3, features="list write int identity", wrt="x"),
    case(list_of_equal_integers, 1, 1, features="list write int identity", wrt="a b"),
    case(list_of_equal_integers, 2, 3, features="list write int", wrt="a b"),
    case(slices, [1.5, 2.5, 3.5], features="list slice", wrt="values"),
    case(dictionary, 1.5, 2.5, features="dict write", wrt="x y"),
    case(dictionary, 1, 1, features="dict write int identity", wrt="x y"),
    case(dictionary_argument, {"slope": 2.0, "offset": 1.0}, 1.5, features="dict", wrt="parameters x"),
    case(nested_argument, [(0.5, (0.1, 2.0)), (1.5, (0.2, 3.0))], 0.7, features="nested", wrt="layers x"),
    case(same_element_twice, [WEIGHTS[0], WEIGHTS[0]], features="list identity", wrt="values"),
    case(same_element_twice, [2, 2], features="list int identity", wrt="values"),
    case(comprehensions, [1.5, 0.5, 2.5], 2.0, features="comprehension", wrt="values k"),
    case(comprehensions, [2, 1, 3], 2, features="comprehension int identity", wrt="values k"),
    case(nested_comprehension, 1.5, 2.5, features="comprehension", wrt="x y"),
    case(sum_of_products, [1.5, 2.5], [3.5, 0.5], features="generator list", wrt="xs ys"),
    case(dot_by_index, [1.5, 2.5], [3.5, 0.5], features="list loop", wrt="xs ys"),
    case(dot_by_index, [1, 2], [2, 1], features="list loop int identity", wrt="xs ys"),
    case(sorted_with_key, [1.5, 3.5, 2.5], features="list native", wrt="values"),
    case(sorted_with_key, [2, 1, 3], features="list native int", wrt="values", graph="opaque", refused=True),
    case(matrix_product, [[1.0, 2.0], [3.0, 4.0]], [[0.5, 1.5], [2.5, 3.5]], features="nested structure"),
    case(matrix_trace_of_square, [[1.5, 2.5], [0.5, -1.5]], features="nested calls", wrt="a"),
    case(
        gaussian_elimination,
        [[2.0, 1.0, -1.0], [-3.0, -1.0, 2.0], [-2.0, 1.0, 2.5]],
        [8.0, -11.0, -3.0],
        features="nested write list",
        wrt="a b",
    ),
    case(variance, [1.5, 2.5, 4.0], features="list generator", wrt="values"),
    case(softmax_first, [0.5, 1.5, -0.5], features="list comprehension", wrt="values"),
    case(dft_power, [1.0, 2.0, 0.5], features="complex list", wrt="values", refused=True),
    case(monte_carlo, 10, 1.2, features="random loop", wrt="scale"),
    case(prefix_sums, [1.5, 2.5, 3.5], features="native structure", graph="opaque", refused=True),
    case(guarded_division, 1.5, 0.0, features="exceptions", wrt="x"),
    case(guarded_division, 1.5, 2.0, features="exceptions", wrt="x y"),
    case(guarded_domain, 2.5, features="exceptions finally", wrt="x"),
    case(guarded_domain, -2.5, features="exceptions finally", wrt="x"),
    case(finally_and_else, 1.5, 2.5, features="exceptions finally", wrt="x y"),
    case(raised_in_helper, 1.5, 2.5, features="exceptions calls", wrt="x y"),
    case(nested_try, 1.5, features="exceptions finally", wrt="x"),
    case(with_statement, 1.5, features="exceptions with classes", wrt="x", graph="opaque", refused=True),
    case(raises_zero_division, 1, 2, features="raises", raises=ZeroDivisionError),
    case(raises_zero_division, 1.5, 2.5, features="raises", raises=ZeroDivisionError),
    case(raises_domain_error, 1.5, features="raises", raises=ValueError),
    case(raises_overflow, 5.0, features="raises", raises=OverflowError),
    case(raises_own, 5.0, features="raises", raises=ArithmeticError),
    case(raises_in_recursion, 3, features="raises recursion", raises=ZeroDivisionError),
    case(raises_type_error, 3, features="raises", raises=TypeError),
    case(methods, 1.0, 2.0, features="classes", wrt="x mass", graph="opaque", refused=True),
    case(class_methods, 1.5, 0.5, features="classes", wrt="x rest"),
    case(class_methods, 2, 2, features="classes identity", wrt="x rest", graph="opaque", refused=True),
    case(vectors, 1.5, 2.5, 0.5, features="classes dataclass", wrt="a b k", graph="opaque", refused=True),
    case(integer_attributes, 1, 1, features="classes dataclass int identity", wrt="a b", graph="opaque", refused=True),
    case(integer_attributes, 3, 4, features="classes dataclass int", wrt="a b", graph="opaque", refused=True),
    case(polynomial_object, 2.0, -1.0, 1.5, features="classes", wrt="a b x", graph="opaque", refused=True),
    case(aliases, 2.0, 3.0, features="alias", wrt="x y"),
    case(aliases, 3, 3, features="alias identity", wrt="x y"),
    case(integers_equal_literals, 3, 3, features="int identity loop", wrt="x y"),
    case(integers_equal_literals, 1, 0, features="int identity loop", wrt="x y"),
    case(small_integers_everywhere, 1, 2, 1, features="int identity", wrt="a b c"),
    case(rebinding_argument, 0, features="alias identity", wrt="x"),
    case(deleted, 2, 2, features="alias identity", wrt="x y"),
    case(equal_floats, 1.5, 1.5, features="identity tuple", wrt="x y"),
    case(argument_as_default, 3, features="closure defaults identity", wrt="x"),
    case(argument_as_default, 3.5, features="closure defaults", wrt="x"),
    case(attribute_by_name, 2, features="classes identity", wrt="x", graph="opaque", refused=True),
    case(attribute_by_name, 2.5, features="classes", wrt="x", graph="opaque", refused=True),
    case(items_by_function, 2, 2, features="dict native identity", wrt="x y", graph="opaque", refused=True),
    case(items_by_function, 2.5, 3.5, features="dict native", wrt="x y", graph="opaque", refused=True),
    case(value_in_exception, 2, features="exceptions identity", wrt="x", graph="opaque", refused=True),
    case(value_in_exception, 2.5, features="exceptions", wrt="x", graph="opaque", refused=True),
    case(argument_rows_swapped, [[2.5], [3.5]], features="nested write", wrt="rows"),
    case(argument_rows_swapped, [[2], [2]], features="nested write identity", wrt="rows"),
    case(argument_popped, [1.5, 2.5, 3.5], features="list write", wrt="values"),
    case(argument_popped, [1, 1, 1], features="list write identity", wrt="values"),
    case(conditional_alias, 2, 2, True, features="alias identity branch", wrt="x y"),
    case(conditional_alias, 2.0, 3.0, False, features="alias branch", wrt="x y"),
    case(large_straight_line, 0.8, features="expression shared", wrt="x"),
    case(match_statement, 1.5, "square", features="match", wrt="x"),
    case(match_statement, 2, "double", features="match identity", wrt="x"),
    case(match_statement, -1, "square", features="match", wrt="x"),
]
