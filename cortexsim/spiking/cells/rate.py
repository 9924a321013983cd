"""Rate: a cell without spikes, tau dr/dt = -r + phi(a), whose steady state is the rate cell of torch.

Wilson & Cowan, "Excitatory and inhibitory interactions in localized populations of model neurons", Biophysical J. 1972,
with phi(a) = max(a, 0), so that its derivative is 1 above zero and 0 below.

It has a rate instead of spikes:

>>> CELL.spikes
False
"""

from cortexsim.spiking.cells import Cell

CELL = Cell(
    name="rate",
    equations="""
        drate/dt = (clip(drive, 0, inf) - rate) / tau_rate : 1
        drive = current + bias : 1
        current : 1
        derivative = int(drive > 0) : 1
    """,
    parameters={"tau_rate": "5 ms"},
    on_saccade={"rate": "0"},
    method="exponential_euler",
    source="Wilson & Cowan 1972",
)
