"""A trace on disk and back: Parquet, of our own reading and writing, and plain values as JSON."""
