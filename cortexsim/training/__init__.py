"""Training: one trial is run, monitored, saved in checkpoints, and measured."""
