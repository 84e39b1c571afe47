"""Histograms and picks of elements: which ones count is constant between jumps."""

from __future__ import annotations

from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial
from visual_debug.rules.defined import value_of
from visual_debug.rules.definitions.calculus import linspace
from visual_debug.rules.definitions.registry import defines


@defines("histogram_bin_edges")
def _edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    if isinstance(bins, str):
        raise NoPartial(f"its derivative with bins={bins!r} is not covered")
    if np.ndim(bins):
        return bins
    low, high = (np.min(a), np.max(a)) if range is None and np.size(a) else (0.0, 1.0) if range is None else range
    if value_of(low) == value_of(high):
        low, high = low - 0.5, high + 0.5
    return linspace(low, high, int(value_of(bins)) + 1)


@defines("histogram")
def _histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    edges = _edges(a, bins, range)
    if weights is None:
        found: Any = np.histogram(value_of(a), value_of(bins), value_of(range))[0]
    else:
        if np.iscomplexobj(weights):
            raise NoPartial("its derivative with complex weights is not covered")
        values = np.ravel(value_of(a))
        limits = np.histogram_bin_edges(values, value_of(bins), value_of(range))
        inside = np.flatnonzero((values >= limits[0]) & (values <= limits[-1]))
        places = np.minimum(np.searchsorted(limits, values[inside], side="right") - 1, len(limits) - 2)
        found = np.bincount(places, np.reshape(weights, -1)[inside], len(limits) - 1)
    if density:
        found = found / (edges[1:] - edges[:-1]) / np.sum(found)
    return found, edges


@defines("trim_zeros")
def _trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    if np.ndim(filt) != 1:
        raise NoPartial("its derivative for arrays of several dimensions is not covered")
    places = np.flatnonzero(np.asarray(value_of(filt)))
    first = (places[0] if places.size else np.size(filt)) if "f" in trim.lower() else 0
    stop = (places[-1] + 1 if places.size else 0) if "b" in trim.lower() else np.size(filt)
    return filt[first:stop]


@defines("setdiff1d")
def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    values = np.ravel(value_of(ar1))
    index = np.arange(values.size) if assume_unique else np.unique(values, return_index=True)[1]
    return np.reshape(ar1, -1)[index[~np.isin(values[index], value_of(ar2))]]
