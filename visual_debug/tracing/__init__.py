"""Before and while the user's program runs: its bytecode rewritten, its values and its path recorded."""
