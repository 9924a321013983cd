"""Spectral learning that changes context synapses alone: a control of what feedforward plasticity is worth."""

from dataclasses import replace

from cortexsim.rules.spectral import RULE as SPECTRAL

RULE = replace(SPECTRAL, name="spectral_frozen", feedforward=replace(SPECTRAL.feedforward, third="0"))
