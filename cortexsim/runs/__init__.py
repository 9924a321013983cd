"""Runs: configuration, trials, comparisons, and what is kept of them."""
