"""Runs the command line: ``python -m cortexsim``."""

from cortexsim.cli import main

main()
