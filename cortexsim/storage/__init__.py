"""Storage: files written atomically, run folders, checkpoints, and tables of results."""
