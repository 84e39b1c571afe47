"""Expressions of published benchmarks of rounding errors, with the ranges that their arguments are given there.

Written from the formulas that the benchmarks of Rosa (E. Darulova and V. Kuncak, POPL 2014), FPTaylor (A. Solovyev et
al., FM 2015), Daisy and Salsa share. Nothing in the package was fitted to them.
"""

import random
from math import atan, cos, exp, log, sin, sqrt

HELD_OUT = [
    (lambda u, v, t: -(331.4 + 0.6 * t) * v / ((331.4 + 0.6 * t + u) ** 2), (-100, 100), (20, 20000), (-30, 50)),
    (lambda u, v, t: -(331.4 + 0.6 * t) * v / ((331.4 + 0.6 * t + u) * (331.4 + 0.6 * t + u)), (-30, 120), (320, 20300), (-50, 30)),
    (lambda x, y, z: -(x * y) - 2.0 * y * z - x - z, (-15, 15), (-15, 15), (-15, 15)),
    (lambda x, y, z: 2.0 * (x * y * z) + 3.0 * z * z - y * (x * y * z) + 3.0 * z * z - y, (-15, 15), (-15, 15), (-15, 15)),
    (lambda v, w, r: 3.0 + 2.0 / (r * r) - 0.125 * (3.0 - 2.0 * v) * (w * w * r * r) / (1.0 - v) - 4.5, (-4.5, -0.3), (0.4, 0.9), (3.8, 7.8)),
    (lambda v, w, r: 6.0 * v - 0.5 * v * (w * w * r * r) / (1.0 - v) - 2.5, (-4.5, -0.3), (0.4, 0.9), (3.8, 7.8)),
    (lambda v, w, r: 3.0 - 2.0 / (r * r) - 0.125 * (1.0 + 2.0 * v) * (w * w * r * r) / (1.0 - v) - 0.5, (-4.5, -0.3), (0.4, 0.9), (3.8, 7.8)),
    (lambda x: 4.0 * x / (1.0 + x / 1.11), (0.1, 0.3)),
    (lambda x: 4.0 * x * x / (1.0 + (x / 1.11) * (x / 1.11)), (0.1, 0.3)),
    (lambda v: (3.5e7 + 0.401 * (1000 / v) * (1000 / v)) * (v - 1000 * 4.27e-5) - 1.3806503e-23 * 1000 * 300, (0.1, 0.5)),
    (lambda x: x - x**3 / 6.0 + x**5 / 120.0 - x**7 / 5040.0, (-1.57, 1.57)),
    (lambda x: 0.954929658551372 * x - 0.12900613773279798 * (x * x * x), (-2, 2)),
    (lambda x: 1.0 + 0.5 * x - 0.125 * x * x + 0.0625 * x * x * x - 0.0390625 * x * x * x * x, (0, 1)),
    (lambda x: x / (x * x + 1), (0, 10)),
    (lambda x, y: (x + y) / (x - y), (0, 1), (2, 3)),
    (lambda x: x / (x + 1), (1, 999)),
    (lambda x, y: 1.0 / (x + 1) - y / (y * y + 2), (1, 100), (1, 100)),
    (lambda x, y: (x * x + y - 11.0) * (x * x + y - 11.0) + (x + y * y - 7.0) * (x + y * y - 7.0), (-5, 5), (-5, 5)),
    (lambda x, y: (x * x + y - 11.0) ** 2 + (x + y * y - 7.0) ** 2, (-5, 5), (-5, 5)),
    (lambda x: log(1.0 + exp(x)), (-8, 8)),
    (lambda x, y: sqrt(x * x + y * y), (1, 100), (1, 100)),
    (lambda x: sqrt(x) + sqrt(x + 1.0), (1, 1000)),
    (lambda x: (exp(x) - 1) / x, (0.01, 0.5)),
    (lambda x: (exp(x) - 1) / log(exp(x)), (0.01, 0.5)),
    (lambda x, y, z, w: x + sin(y) * z + cos(w), (-10, 10), (0, 1.5), (-0.5, 0.5), (0, 3)),
    (lambda p, q, d: atan(cos(q) * sin(d) / (cos(p) * sin(q) - sin(p) * cos(q) * cos(d))), (0, 0.4), (0.5, 1), (0, 3.1)),
    (lambda a, b, c, d, e, f: b * e + c * f - b * c - e * f + a * (-a + b + c - d + e + f), *[(4, 6.36)] * 6),
    (lambda a, b, c, d: a * d * (-a + b + c - d) + b * (a - b + c + d) + c * (a + b - c + d) - b * c * d - a * c - a * b - d, *[(4, 6.36)] * 4),
    (lambda a, b, c: (a + b + c) / 2 * ((a + b + c) / 2 - a) * ((a + b + c) / 2 - b) * ((a + b + c) / 2 - c), (9, 9.1), (4.71, 4.89), (4.71, 4.89)),
    (lambda a, b, c: sqrt((a + b + c) / 2 * ((a + b + c) / 2 - a) * ((a + b + c) / 2 - b) * ((a + b + c) / 2 - c)), (4, 8), (5, 9), (5, 9)),
    (lambda x, y: 2.0 * y + 3.0 * (x - y) - x * y * (x - y) * (x + y), (0, 1), (0, 1)),
    (lambda a, b, c, d, e, f, g, h, i: a * e * i + b * f * g + c * d * h - (c * e * g + b * d * i + a * f * h), *[(-10, 10)] * 9),
    (lambda t, r, l, w, m: m / sqrt(r * r + w * l * (w * l)) * cos(w * t + atan(w * l / r)), (0, 300), (1, 50), (1e-3, 4e-3), (1, 100), (40, 100)),
    (lambda u: (1 - u) * (1 - u) * (1 - u) / 6.0, (0, 1)),
    (lambda u: (3 * u * u * u - 6 * u * u + 4) / 6.0, (0, 1)),
    (lambda u: -(u * u * u) / 6.0, (0, 1)),
    (lambda x, y, r: r * cos(x) - r * sin(y) * (1.0 - cos(x - y)), (0, 3), (0, 3), (1, 10)),
    (lambda x, y: 333.75 * y**6 + x * x * (11 * x * x * y * y - y**6 - 121 * y**4 - 2) + 5.5 * y**8 + x / (2 * y), (1, 10), (1, 10)),
    (lambda x, y: 9 * x**4 - y**4 + 2 * y * y, (1, 100), (1, 200)),
    (lambda m, a, b: (m * (a + b) - 2.0 * a * b) / ((a - b) * (a - b) + m), (1, 5), (0, 1), (0, 1)),
]  # fmt: skip


def samples(ranges, count=6):
    """Points in a box, the same ones in every run."""
    rng = random.Random(20)
    return [tuple(rng.uniform(*bounds) for bounds in ranges) for _ in range(count)]


HELD_OUT = [(function, samples(ranges)) for function, *ranges in HELD_OUT]
