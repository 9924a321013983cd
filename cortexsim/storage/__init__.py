"""Storage: folders of runs, checkpoints and rows, written so that they survive."""
