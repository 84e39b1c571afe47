"""Builtins that move numbers about without computing: where what they give comes from."""

from visual_debug.replaying.models import (
    builtin,
    calling,
    combining,
    folding,
    joining,
    lazy,
    mappings,
    of_arrays,
    ordering,
    records,
    sequences,
)
from visual_debug.replaying.models.registry import (
    MOVING,
    Pending,
    answers_by_code,
    is_callback,
    is_pure,
    model_of,
    told,
)

__all__ = ["MOVING", "Pending", "answers_by_code", "builtin", "calling", "combining", "folding", "is_callback", "is_pure", "joining", "lazy", "mappings", "model_of",
           "of_arrays", "ordering", "records", "sequences", "told"]  # fmt: skip
