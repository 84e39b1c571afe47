"""Derivatives over the columns: the reverse and the forward sweep, node by node and on whole columns."""
