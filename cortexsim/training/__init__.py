"""Training: one trial run, kept, followed and measured."""
