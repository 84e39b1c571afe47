"""`visual-debug check FILE.py:FUNCTION …`: run a function and say what is wrong with its numbers.

Exit codes: 0 if nothing is; 1 if something is, or the function raised; 2 for a command that cannot be carried out, and
where a question cannot be answered.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from visual_debug.cli import literals, printing, targets
from visual_debug.cli.usage import PROGRAM, UsageError, traceback_text
from visual_debug.errors import NoDerivativeError, TraceError

if TYPE_CHECKING:
    from visual_debug.traces import Trace

QUESTIONS = ("nonfinite", "gradient", "rounding", "cancellations", "condition", "truth", "why")
#: Asked unless some are named.
USUAL = ("nonfinite", "gradient", "truth", "cancellations")
EPILOG = """\
examples:
  visual-debug check examples/quadratic_formula.py:textbook a=1.0 b=1e8 c=1.0
  visual-debug check examples/gradient_nan.py:naive x=0.0 y=0.0 --only gradient
  visual-debug check model.py:loss 0.5 --digits 12

What is asked: nonfinite (NaNs and infinities), gradient (its health, and every rule against differences), truth (correct
digits, by evaluating the computation again in as many digits as it takes), cancellations; and with --only also rounding,
condition and why. Exit codes: 0 if all is well; 1 if something is wrong or the function raised; 2 for a command that
cannot be carried out, and where a question cannot be answered: ask the others with --only."""


def main(command: Sequence[str]) -> int:
    """Carry out `check`."""
    from visual_debug.cli import shielded

    options = parser().parse_intermixed_args(shielded(command))
    if os.environ.get("VISUAL_DEBUG") == "0":
        raise UsageError("recording is switched off by VISUAL_DEBUG=0 in the environment: unset it")
    arguments, keywords = literals.values(options.arguments)
    with targets.module_of(options.target) as (module, name):
        function = targets.find(module, name, options.target)
        targets.check_call(function, name, arguments, keywords)
        trace = targets.call(function, arguments, keywords, {})
        print(printing.heading(trace, arguments, keywords))
        if trace.exception is not None:
            sys.stdout.flush()
            print(traceback_text(trace.exception), end="", file=sys.stderr)
        asked = options.only or (USUAL if trace.exception is None else ("nonfinite",))
        return report(trace, asked, options.digits)


def parser() -> argparse.ArgumentParser:
    """The options."""
    from visual_debug.cli import Parser

    result = Parser(
        prog=f"{PROGRAM} check",
        usage=f"{PROGRAM} check FILE.py:FUNCTION [ARGUMENT ...] [--only QUESTION ...] [--digits N]",
        description="Run a Python function, and say what went wrong with its numbers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument("target", metavar="FILE.py:FUNCTION", help="the function to run; or package.module:FUNCTION")
    result.add_argument("arguments", metavar="ARGUMENT", nargs="*", help="its arguments: literals, or name=literal")
    result.add_argument(
        "--only",
        metavar="QUESTION",
        action="append",
        choices=QUESTIONS,
        help=f"one of {', '.join(QUESTIONS)}; may be repeated",
    )
    result.add_argument(
        "--digits",
        type=float,
        default=8.0,
        metavar="N",
        help="correct decimal digits that the result must have (default: 8)",
    )
    return result


def report(trace: Trace, questions: Sequence[str], digits: float) -> int:
    """Print what is asked; returns the exit code."""
    well, answered = trace.exception is None, True
    for question in questions:
        print(f"\n{question}:")
        try:
            text, good = _ask(trace, question, digits)
        except (NoDerivativeError, TraceError) as error:
            text, good, answered = f"not to be had: {error}", True, False
        print("\n".join(f"  {line}" for line in text.splitlines()))
        well = well and good
    sys.stdout.flush()
    return 1 if not well else 0 if answered else 2


def _ask(trace: Trace, question: str, digits: float) -> tuple[str, bool]:
    found: Any
    if question == "nonfinite":
        found = trace.nonfinite()
        return str(found), found.ok
    if question == "gradient":
        found, checked = trace.gradient_health(), trace.gradient_check()
        return f"{found}\n{checked}", found.finite and checked.ok
    if question == "truth":
        found = trace.truth()
        return str(found), found.digits >= digits and not found.flipped
    if question == "cancellations":
        return str(trace.cancellations()), True
    if question == "rounding":
        found = trace.rounding()
        return str(found), found.digits >= digits
    if question == "condition":
        return str(trace.condition()), True
    return str(trace.why()), True
