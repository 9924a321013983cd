"""Studies: many trials and what is made of them: comparisons, sweeps, searches, thresholds."""
