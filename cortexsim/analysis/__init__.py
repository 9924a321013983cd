"""Analysis: probes, readouts, sample complexity, tables and figures."""
