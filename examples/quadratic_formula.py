"""The quadratic formula loses all its digits: which operation does it, and what to write instead.

    visual-debug examples/quadratic_formula.py:textbook a=1.0 b=1e8 c=1.0           # its tree and its gradient
    visual-debug check examples/quadratic_formula.py:textbook a=1.0 b=1e8 c=1.0     # right to less than one digit
    visual-debug check examples/quadratic_formula.py:stable a=1.0 b=1e8 c=1.0       # right to all digits
    python examples/quadratic_formula.py                                            # the same from Python

The root of x² + 10⁸x + 1 near 0 is -10⁻⁸. The formula subtracts two numbers that agree in 16 digits.
"""

import math

from visual_debug import visual_debug


@visual_debug
def textbook(a, b, c):
    """The larger root of ax² + bx + c, as in school."""
    return (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)


@visual_debug
def stable(a, b, c):
    """The same root for b > 0, without a subtraction of near numbers: 2c / (-b - √…)."""
    return 2 * c / (-b - math.sqrt(b * b - 4 * a * c))


def main():
    """Compare both with the truth."""
    for function in (textbook, stable):
        print(f"{function.__name__}(1, 1e8, 1) = {function(1.0, 1e8, 1.0)!r}")
        print(function.trace.truth())
    print(textbook.trace.rounding() if textbook(1.0, 1e8, 1.0) else "")
    print(textbook.trace.cancellations())


if __name__ == "__main__":
    main()
