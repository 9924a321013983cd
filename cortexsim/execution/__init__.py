"""Execution: trials side by side, on one machine or a cluster."""
