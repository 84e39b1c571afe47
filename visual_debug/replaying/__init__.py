"""The recorded path followed again with node numbers for values: what was recorded becomes columns, a row per operation."""
