"""A trace as something to look at: steps, code with values, summaries, pages, and the formats of export."""
