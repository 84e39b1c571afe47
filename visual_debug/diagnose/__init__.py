"""What went wrong with the numbers: each module answers one question about a trace, with plain data that prints itself."""
