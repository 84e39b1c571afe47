"""A small expression, the one to begin with: 2xy + (x - 1)².

    visual-debug examples/expression.py:expression x=3 y=5            # its tree and its gradient
    visual-debug examples/expression.py:expression x=3 y=5 -o out/    # a picture of every step of both passes
    python examples/expression.py                                     # the same tree, from Python

Two contributions reach x, one along each term, so its gradient is their sum: 2y + 2(x - 1).
"""

from visual_debug import visual_debug


@visual_debug
def expression(x, y):
    """2xy + (x - 1)²."""
    return 2 * x * y + (x - 1) ** 2


def main():
    """Evaluate it at (3, 5) and show where the number comes from."""
    print("expression(3, 5) =", expression(3, 5))
    print(expression.trace)
    print("gradient:", expression.trace.grad())


if __name__ == "__main__":
    main()
