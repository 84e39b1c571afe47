"""The flight recorder: a recording that forgets all but its newest values while it goes on.

Between two turns of a loop of the traced function itself everything that is to come depends on its variables and on the
iterators of its loops. Now and then these are noted, and what was recorded before the last but one note is forgotten:
then the trace begins there, with the variables as they were for its inputs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from visual_debug.tracing.tape import Beginning, Tape


class Note(NamedTuple):
    """A place where the recording could begin, and how much of everything lies before it."""

    beginning: Beginning
    values: int
    words: int
    arguments: int


def turn(tape: Tape, instruction: int, variables: dict[str, Any], stack: tuple[Any, ...]) -> None:
    """A loop of the traced function goes round: forget what is too old, and note where the recording could begin."""
    last: Note | None = tape.note
    if last is not None and len(tape.values) - last.values < tape.last:
        return
    if tape.running:
        return  # generators are about, which would go on with what is to be forgotten
    if last is not None:
        _forget(tape, last)
    iterators = tuple([_left(item) for item in stack])
    beginning = Beginning(instruction, dict(variables), iterators, tape.generators)
    tape.note = Note(beginning, len(tape.values), len(tape.path), len(tape.arguments))


def _forget(tape: Tape, note: Note) -> None:
    """Forget what lies before a note. The lists stay the same objects, for frames stand on them."""
    tape.beginning = note.beginning
    del tape.values[: note.values]
    tape.shells.made.intersection_update(map(id, tape.values))
    tape.exchanged = max(tape.exchanged - note.values, 0)
    del tape.path[: note.words]
    path, previous = tape.path, 0
    for position, word in enumerate(path):
        if word < 0 <= previous:  # the length of the values, which begins an event
            path[position] = word + note.values
        previous = word
    for index in [index for index in tape.arguments if 0 < index < note.arguments]:
        del tape.arguments[index]
    tape.unsettled[:] = [index for index in tape.unsettled if index in tape.arguments]
    tape.copies.clear()  # by identities, which only snapshots keep from being given again
    tape.snapshots[:] = [s._replace(at=s.at - note.values) for s in tape.snapshots if s.at >= note.values]


def _left(item: Any) -> Any:
    """What is left of a range that a loop goes over; any other iterator says what it gives when it gives it."""
    if type(item) is _RANGE_ITERATOR:
        reduced: Any = item.__reduce__()  # iter, (range,), and how far it has come, before 3.12
        done = reduced[2] if len(reduced) > 2 and reduced[2] else 0
        return reduced[1][0][done:]
    return item


_RANGE_ITERATOR = type(iter(range(0)))
