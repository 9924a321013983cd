"""Analysis: probes, readouts, sample complexity, tables and figures.

Probes measure a network (`probes`, `geometry`, `readout`, `alignment`); `summary`, `sample_complexity` and `thresholds`
turn rows of results into means, P* and ratios; figures draw these: `plots` those of comparisons, `panels` those of
experiments, `threshold_panels` those of sweeps, `spikes` rasters. Studies call them (`cortexsim.studies`).

Rows of results are reused only if the code that they depend on is the same; what only shows results is exempt: a new
module of figures belongs into `config.provenance.PRESENTATION`.
"""
