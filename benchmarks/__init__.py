"""How fast, how large, how soon: one file a question, each answering on its own and in `python -m benchmarks`."""
