"""Where pictures go, and which are drawn."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from visual_debug.cli.printing import counted
from visual_debug.cli.usage import PROGRAM, UsageError
from visual_debug.errors import RenderError
from visual_debug.views import export

if TYPE_CHECKING:
    from visual_debug.traces import Trace

#: What one file may be; a longer end of a name goes before a shorter one.
SUFFIXES = tuple(export.FORMATS)
SAVED = (".trace", ".parquet")  #: of the trace itself, which `show` reads
ENDS = (*(f".{name}" for name in dict.fromkeys([*SUFFIXES, "gif"])), *SAVED)
LARGEST_TREE = 300  #: boxes of a tree that is drawn unasked


def destination(options: argparse.Namespace) -> Path | None:
    """Where pictures go: a file if it has the suffix of a picture, else a folder; None if nothing is to be drawn."""
    if options.output is None:
        if options.open:
            return None
        in_print = options.view in ("code", "summary")
        for option in ("view", "format", "step"):
            if getattr(options, option) is not None and (option == "format" or not in_print):
                raise UsageError(f"--{option} is about pictures: say where they go, as -o out/")
        return None
    path = Path(options.output)
    if path.is_dir() or options.output.endswith(("/", os.sep)):
        return path
    if path.suffix.lower() in ENDS:
        if options.format is not None and not path.name.lower().endswith(f".{options.format}"):
            raise UsageError(
                f"--format {options.format} does not go with {path}: the suffix says what a single picture is"
            )
        if path.suffix.lower() in SAVED:
            for option in ("view", "step", "turn", "open"):
                if getattr(options, option):
                    raise UsageError(f"--{option} is about pictures: {path} saves the trace, for {PROGRAM} show {path}")
        return path
    if path.suffix:
        raise UsageError(f"{path}: a file ends in {', '.join(ENDS)}; for a folder of that name write {options.output}/")
    if path.exists():
        raise UsageError(f"{path} is a file: -o needs a folder, or a file that ends in {', '.join(ENDS)}")
    return path


def is_folder(where: Path) -> bool:
    """Whether a destination is a folder (that may not exist yet)."""
    return where.is_dir() or where.suffix.lower() not in ENDS


def draw(trace: Trace, where: Path, options: argparse.Namespace, turn: str | int) -> Path | None:
    """Write the pictures, and print what went where; returns what is to be opened, if there is a picture."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            if is_folder(where):
                return draw_folder(trace, where, options, turn)
            if where.suffix.lower() in SAVED:
                where.parent.mkdir(parents=True, exist_ok=True)
                trace.save(where)
            elif where.suffix.lower() == ".gif":
                if options.step is not None:
                    raise UsageError(f"--step {options.step}: {where} shows every step")
                trace.export_steps(
                    where, view=options.view or "graph", turn=turn, theme=options.theme, progress=progress()
                )
            else:
                trace.export(where, view=options.view or "graph", step=options.step, turn=turn, theme=options.theme)
            print(f"wrote {where}")
            return where
        except OSError as error:
            raise UsageError(f"cannot write to {where}: {error.strerror or error}") from None
        except RenderError as error:
            if trace.exception is None:
                raise
            print(f"{PROGRAM}: note: no picture: {error}", file=sys.stderr)
            return None
        finally:
            for message in dict.fromkeys(str(warning.message) for warning in told):
                print(f"{PROGRAM}: note: {message}", file=sys.stderr)


def draw_folder(trace: Trace, folder: Path, options: argparse.Namespace, turn: str | int) -> Path:
    """All frames of one view in a folder of their own, the final state in both views, and the text tree."""
    view, format = options.view or "graph", options.format or "svg"
    if format not in ("svg", "png") or view == "summary":
        path = trace.export(folder / f"{view}.{format}", view=view, step=options.step, turn=turn, theme=options.theme)
        print(f"wrote {path}")
        return path
    steps = folder / view
    if options.step is not None:
        count = (
            len(export.Request(trace, view, None, trace._reverse_seeds(), turn).code(None))
            if view == "code"
            else len(trace.steps())
        )
        if not -count <= options.step < count:
            raise UsageError(f"--step {options.step}: there are {count} steps, 0 to {count - 1}")
        number = f"{options.step % count:0{max(2, len(str(count - 1)))}d}"
        path = trace.export(
            steps / f"step-{number}.{format}", view=view, step=options.step, turn=turn, theme=options.theme
        )
        print(f"wrote {path}")
        return path
    paths = trace.export_steps(steps, view=view, format=format, turn=turn, theme=options.theme, progress=progress())
    print(f"wrote {counted(len(paths), 'picture')} to {steps}{os.sep} ({paths[0].name} to {paths[-1].name})")
    text = folder / "tree.txt"
    text.write_text(f"{trace.tree()}\n", encoding="utf-8")
    finals = []
    for final in ("graph", "tree", *([view] if view == "code" else [])):
        if final != view and final == "tree" and trace.tree().count("\n") >= LARGEST_TREE:
            print(
                f"no tree.png: the tree repeats shared values and has more than {LARGEST_TREE} boxes; "
                f"{text} has it as text"
            )
            continue
        finals.append(str(trace.export(folder / f"{final}.png", view=final, turn=turn, theme=options.theme)))
    print(f"wrote {', '.join([*finals, str(text)])}")
    older = sorted({p.name for p in steps.glob("step-*.*")} - {p.name for p in paths})
    if older:
        print(
            f"{PROGRAM}: note: {steps} also holds {counted(len(older), 'older file')}, as {older[0]}", file=sys.stderr
        )
    return paths[-1]


def progress() -> Callable[[int, int], None] | None:
    """Something to tell of the pictures while they are drawn, if somebody watches."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, total: int) -> None:
        sys.stderr.write(f"\rdrawing {done:,} of {total:,}" if done < total else "\r\033[K")
        sys.stderr.flush()

    return tell
