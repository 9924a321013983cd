"""Studies: comparisons, sweeps, searches, thresholds, and the experiments that consist of them.

A study chooses trials and passes them to an `engine.Engine`, which runs them, reuses finished ones and resumes; a new
kind of study is a module here, and a command in `cortexsim.commands`. An experiment of the package needs no module: see
`experiment.Experiment` for the kinds of files that its folder may have.
"""
