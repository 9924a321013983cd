"""CLAPP that changes context synapses alone: a control of what feedforward plasticity is worth."""

from dataclasses import replace

from cortexsim.rules.clapp import RULE as CLAPP

RULE = replace(CLAPP, name="clapp_frozen", feedforward=replace(CLAPP.feedforward, third="0"))
