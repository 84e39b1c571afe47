"""Expressions known for their rounding trouble, as plain functions, and points at which they have it.

Written from the mathematics that R. W. Hamming (Numerical Methods for Scientists and Engineers, ch. 3), N. J. Higham
(Accuracy and Stability, ch. 1), W. Kahan and J.-M. Muller use as examples. Functions are global names, so that the
same code can be run over other numbers.
"""

from math import acos, atan, atan2, cos, cosh, exp, expm1, fabs, hypot, log, log1p, sin, sinh, sqrt, tan, tanh

LARGE = (1e5, 1.234e8, 7.7e12)
SMALL = (1e-3, 3.3e-6, 1.7e-9)
PAIRS = ((1.3, 1e-7), (0.7, 2.3e-10), (2.9, 1e-4))


def root_difference(x):
    return sqrt(x + 1) - sqrt(x)


def reciprocal_difference(x):
    return 1 / (x + 1) - 1 / x


def reciprocal_root_difference(x):
    return 1 / sqrt(x) - 1 / sqrt(x + 1)


def sine_of_sum(x, e):
    return sin(x + e) - sin(x)


def cosine_of_sum(x, e):
    return cos(x + e) - cos(x)


def tangent_of_sum(x, e):
    return tan(x + e) - tan(x)


def arctangent_difference(x):
    return atan(x + 1) - atan(x)


def half_tangent(x):
    return (1 - cos(x)) / sin(x)


def logarithm_difference(x):
    return log(x + 1) - log(x)


def cosine_quotient(x):
    return (1 - cos(x)) / (x * x)


def cosine_power_quotient(x):
    return (1 - cos(x)) / x**2


def exponential_less_one(x):
    return exp(x) - 1


def exponential_quotient(x):
    return (exp(x) - 1) / x


def second_exponential_difference(x):
    return exp(x) - 2 + exp(-x)


def cube_root_difference(x):
    return (x + 1) ** (1 / 3) - x ** (1 / 3)


def three_reciprocals(x):
    return 1 / (x + 1) - 2 / x + 1 / (x - 1)


def entropy_difference(n):
    return (n + 1) * log(n + 1) - n * log(n) - 1


def cotangent_difference(x):
    return 1 / x - 1 / tan(x)


def logarithm_quotient(x):
    return log(1 - x) / log(1 + x)


def root_of_exponentials(x):
    return sqrt((exp(2 * x) - 1) / (exp(x) - 1))


def sine_less_argument(x):
    return (x - sin(x)) / (x - tan(x))


def exponential_root(x):
    return exp(x) / sqrt(exp(x) - 1) * sqrt(x)


def quadratic_minus(b, c):
    return (-b - sqrt(b * b - 4 * c)) / 2


def quadratic_plus(b, c):
    return (-b + sqrt(b * b - 4 * c)) / 2


def quadratic_half(b, c):
    return -b + sqrt(b * b - c)


def naive_hyperbolic_sine(x):
    return (exp(x) - exp(-x)) / 2


def naive_hyperbolic_tangent(x):
    return (exp(x) - exp(-x)) / (exp(x) + exp(-x))


def naive_inverse_hyperbolic_sine(x):
    return log(x + sqrt(x * x + 1))


def naive_inverse_hyperbolic_cosine(x):
    return log(x + sqrt(x * x - 1)) - log(2 * x)


def naive_inverse_hyperbolic_tangent(x):
    return log((1 + x) / (1 - x)) / 2


def naive_log1p(x):
    return log(1 + x)


def logistic_complement(x):
    return 1 - 1 / (1 + exp(-x))


def softplus_difference(x):
    return log(1 + exp(x)) - x


def difference_of_squares(x, e):
    return (x + e) * (x + e) - x * x


def powers_difference(x, e):
    return (x + e) ** 5 - x**5


def two_variances(x, e):
    mean = ((x + e) + x + (x - e)) / 3
    return ((x + e) ** 2 + x**2 + (x - e) ** 2) / 3 - mean**2


def kahan_heron(a, e):
    b = a
    c = a + b - e
    s = (a + b + c) / 2
    return sqrt(s * (s - a) * (s - b) * (s - c))


def chord(x):
    return sqrt((1 - cos(x)) ** 2 + sin(x) ** 2) - sin(x)


def arccosine_near_one(x):
    return acos(1 - x) - sqrt(2 * x)


def polynomial_at_root(x, e):
    y = 1 + e * x
    return y**3 - 3 * y**2 + 3 * y - 1


def expanded_square(x, e):
    y = x + e
    return y * y - 2 * x * y + x * x


def two_angles(x, e):
    return sin(x) * cos(x + e) - cos(x) * sin(x + e)


def pythagoras(x):
    return sqrt(x * x + 1) - x


def pythagoras_hypot(x):
    return hypot(x, 1.0) - x


def one_less_tanh(x):
    return 1 - tanh(log(x))


def gamma_factor(v):
    return 1 / sqrt(1 - v * v) - 1


def kinetic_energy(v):
    return 1 / sqrt((1 - v) * (1 + v)) - 1 - v * v / 2


def compound_interest(x):
    return (1 + x) ** 100 - 1


def annuity(x):
    return (1 - (1 + x) ** -10) / x - 10


def secant_slope(x, e):
    return ((x + e) ** 3 - x**3) / e


def derivative_of_exponential(x, e):
    return (exp(x + e) - exp(x)) / e


def second_difference(x, e):
    return (sin(x + e) - 2 * sin(x) + sin(x - e)) / (e * e)


def atan_addition(x):
    return atan2(x + 1, 1.0) - atan2(x, 1.0)


def catenary(x):
    return cosh(x) - 1


def langevin(x):
    return cosh(x) / sinh(x) - 1 / x


def sinc_complement(x):
    return 1 - sin(x) / x


def log_gradient(x, e):
    return (log(x + e) - log(x)) / e


def relative_difference(x, e):
    return fabs((x + e) / x - 1)


def muller_fraction(x):
    return x - sqrt(x) * sqrt(x - 1)


def rational_cancel(x):
    return x / (x - 1) - (x + 1) / x


def determinant(x, e):
    return (x + e) * (x - e) - x * x


def planck(x):
    return 1 / (exp(x) - 1) - 1 / x


def debye(x):
    return log(1 - exp(-x)) - log(x)


def lens(x):
    return 1 / (1 / x - 1 / (x + 1))


def log_ratio(x, e):
    return log((x + e) / x)


def good_expm1(x):
    return expm1(x) / x


def good_log1p(x):
    return log1p(x) / x


EXPRESSIONS = [
    *((f, tuple((x,) for x in LARGE)) for f in (
        root_difference, reciprocal_difference, reciprocal_root_difference, arctangent_difference, logarithm_difference,
        cube_root_difference, three_reciprocals, entropy_difference, naive_inverse_hyperbolic_cosine, pythagoras,
        pythagoras_hypot, one_less_tanh, atan_addition, muller_fraction, rational_cancel, lens,
    )),
    *((f, tuple((x,) for x in SMALL)) for f in (
        half_tangent, cosine_quotient, cosine_power_quotient, exponential_less_one, exponential_quotient,
        second_exponential_difference, cotangent_difference, logarithm_quotient, root_of_exponentials,
        exponential_root, naive_hyperbolic_sine, naive_hyperbolic_tangent, naive_inverse_hyperbolic_sine,
        naive_inverse_hyperbolic_tangent, naive_log1p, chord, arccosine_near_one, gamma_factor, kinetic_energy,
        compound_interest, annuity, catenary, langevin, sinc_complement, planck, debye, good_expm1, good_log1p,
    )),
    (sine_less_argument, ((1e-2,), (3.3e-4,), (1.7e-3,))),
    (logistic_complement, ((10.0,), (25.5,), (36.0,))),
    (softplus_difference, ((10.0,), (25.5,), (36.0,))),
    *((f, PAIRS) for f in (
        sine_of_sum, cosine_of_sum, tangent_of_sum, difference_of_squares, powers_difference, two_variances, kahan_heron,
        polynomial_at_root, expanded_square, two_angles, secant_slope, derivative_of_exponential, second_difference,
        log_gradient, relative_difference, determinant, log_ratio,
    )),
    (quadratic_minus, ((-1e5, 1.0), (-3e7, 2.0), (-1.1e3, 0.3))),
    (quadratic_plus, ((1e5, 1.0), (3e7, 2.0), (1.1e3, 0.3))),
    (quadratic_half, ((1e5, 1.0), (3e7, 2.0), (1.1e3, 0.3))),
]  # fmt: skip
