"""Settings of layers in Brian2: times in seconds, rates in hertz, activity in units of a cell's ``unit_rate``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, isclose
from typing import Literal

from cortexsim.errors import UserError, nearest
from cortexsim.quantities import quantity
from cortexsim.spiking.cells import Cell, load_cell
from cortexsim.spiking.delay_line import MAX_DELAY

MOST_STEPS = 100_000  # In a fixation; with a chunk of 4096 of them, programs count steps in 32 bits.
RESPONSE = ("tau_synapse", "t_refractory")  # Times that every cell that spikes has.
MOST_SLOTS = 1000  # Fixations by which a broadcast is delayed.


@dataclass(frozen=True)
class Timing:
    """Divide time into fixations.

    >>> from cortexsim.spiking import Timing
    >>> timing = Timing(dt=1e-3, fixation=60e-3, blank=5e-3)
    >>> timing.steps, timing.period
    (65, 0.065)
    >>> timing.fixations(delay=0.13)
    2

    Args:
        dt: time step in seconds.
        fixation: duration of the input in seconds.
        blank: silence in seconds, after each saccade and before the input; longer than any refractory period.

    Raises:
        UserError: where a duration is negative, or no whole number of time steps.
    """

    dt: float = 1e-3
    fixation: float = 60e-3
    blank: float = 5e-3

    def __post_init__(self) -> None:
        for name in ("dt", "fixation", "blank"):
            value = getattr(self, name)
            if value < 0 or (value == 0 and name != "blank"):
                least = "0 ms or more" if name == "blank" else "more than 0 ms"
                raise UserError(f"{name} = {value * 1e3:g} ms is too short ({least})")
            if not isclose(value / self.dt, round(value / self.dt), abs_tol=1e-6):
                raise UserError(f"{name} = {value * 1e3:g} ms is no whole number of time steps of {self.dt * 1e3:g} ms")
        if self.steps > MOST_STEPS:
            raise UserError(f"fixation and blank are {self.steps} time steps (at most {MOST_STEPS})")

    @property
    def steps(self) -> int:
        """Time steps from one saccade to the next."""
        return round((self.fixation + self.blank) / self.dt)

    @property
    def period(self) -> float:
        """Seconds from one saccade to the next."""
        return self.steps * self.dt

    def fixations(self, delay: float) -> int:
        """Count the fixations that a delay in seconds lasts.

        Raises:
            UserError: where it is negative, no whole number of them, or beyond all use.
        """
        count = delay / self.period
        if delay < 0:
            raise UserError(f"delay = {delay * 1e3:g} ms is negative (0 ms or more)")
        if count > MOST_SLOTS:
            raise UserError(f"delay = {delay * 1e3:g} ms is {count:g} fixations (at most {MOST_SLOTS})")
        if not isclose(count, round(count), abs_tol=1e-6):
            whole = max(1, round(count)) * self.period * 1e3
            raise UserError(f"delay = {delay * 1e3:g} ms is no whole number of fixations (such as {whole:g} ms)")
        return round(count)


@dataclass(frozen=True)
class Control:
    """Interfere with a modulator on its way to the synapses.

    Args:
        delay: in fixations.
        tau_filter: time constant of a low-pass filter in seconds; 0 for none.
        clamp: value that arrives in its place; None for its own.
        lesion: whether it is 0.
        shuffle: whether a layer receives the value of a random one of the last 16 fixations, and each column, with
            probability 1/2, that after the saccade in place of that before; the draws are the same for every seed.
    """

    delay: int = 0
    tau_filter: float = 0.0
    clamp: float | None = None
    lesion: bool = False
    shuffle: bool = False

    @property
    def slots(self) -> int:
        """Slots of its delay line: fixations whose value is stored, the present one included."""
        return 16 + self.delay if self.shuffle else self.delay + 1


@dataclass(frozen=True)
class Settings:
    """Set everything about layers in Brian2 that is not architecture.

    >>> from cortexsim.spiking import Settings, Timing
    >>> settings = Settings(timing=Timing(fixation=100e-3), parameters={"tau_membrane": "15 ms"}, w_max=1.0)
    >>> settings.check()
    >>> settings.cell_values(settings.cell_of("spiking"))
    {'tau_membrane': 0.015, 'tau_synapse': 0.005, 't_refractory': 0.002}

    Args:
        timing: time steps and fixations.
        cell: which cell spiking layers consist of: one, or its name.
        parameters: its parameters where they differ from the cell's own, with units.
        encoding: ``poisson`` or ``regular`` input spikes.
        input_rate: rate of an input of activity 1, of all of its afferents together, in Hz.
        afferents: cells by which each input arrives, independent ones with synapses of their own, which begin with one
            weight. Of a single cell with a time step of 1 ms, 600 Hz are a spike in three steps of five, whose number
            varies 2.5 times less than that of a Poisson process; of thirty, hardly less.
        unit_rate: rate of a cell of activity 1, in Hz.
        gain: drive by an input of activity 1 through a weight of 1, in units of the rheobase.
        tau_eligibility: time constant of eligibility traces, in seconds.
        tau_activity: time constant with which activity is read from spikes, in seconds.
        dendrite: ``trace``, which reads the siblings' activity at the end of the fixation, and after the saccade that
            of the fixation before; or ``psp``, a potential driven continuously by their spikes with a delay of half a
            fixation, so that the first half of each fixation still sees the sample before, and the second the present.
        tau_dendrite: time constant of that potential, in seconds.
        reset_traces: whether a saccade resets eligibility traces.
        tag_stages: stages of the filter through which the product of eligibility and of what is local in the third
            factor passes until a modulator that is delayed arrives: `cortexsim.spiking.tags`; 0 where synapses hold no
            such tags, so that what is local is that of the fixation in which the modulator arrives.
        centred: whether plasticity and dendrites read activity less its running mean, and labels less their mean.
        mean_rate: rate of the running mean, per fixation.
        covariance_rate: rate of running variances and covariances, per fixation.
        homeostasis: rate at which biases follow the distance from ``target_activity``, per fixation.
        target_activity: of homeostasis.
        target_drive: root mean square, about ``prediction_rest``, to which prediction cells scale their drive.
        prediction_rest: drive of prediction cells where nothing but the mean is expected; 1 is the rheobase, and from
            less only those fire that expect so much more.
        prediction_synapses: ``copied`` from the context synapses onto the dendrites of the columns that are predicted,
            or ``taught`` by the activity of these columns; or, ``kolen-pollack``, they follow the rule of the context
            synapses.
        w_max: bound of the weights; 0 for none.
        bound_exponent: mu of the bound (Guetig, Aharonov, Rotter, Sompolinsky 2003), from 1, soft, where a step towards
            the bound shrinks in proportion to what is left, to 0, hard, where it is taken whole and cut off there.
        weight_bits: binary digits of feedforward and context weights, which then have 2^bits levels from -w_max, or
            under Dale's law 0, to w_max, and are rounded to them at random, without bias, whenever they learn; None
            for any number of levels.
        hidden_weights: whether the steps of weights of few levels add up in a hidden variable of each synapse, whose
            precision is not limited, and the weight moves by a level when they have come to one.
        release_probability: of a quantum of transmitter at a presynaptic spike, at each release site of each synapse
            independently; 1 for reliable synapses. Synapses onto dendrites are reliable.
        release_sites: of each synapse, among which its weight is divided.
        release_gain: factor of the size of quanta; 1 / ``release_probability`` makes up for what is lost.
        dale: whether presynaptic cells only excite, through feedforward weights that are never negative, while
            inhibitory cells inhibit. Context weights, and copies of them that drive prediction cells, stay signed: they
            stand for excitation, and for inhibition by cells not simulated.
        inhibition: under Dale's law, ``pooled``: by a few cells of each column, which learn to balance excitation, in
            place of homeostasis; or ``relayed``: by an interneuron for each presynaptic cell, whose synapses learn by
            the rule, with the opposite sign.
        labels: how labels reach dendrites that have them as their context: ``numbers``; or ``spikes``, which also
            teach a class cell for each label, and the most active of these is then the class that is answered.
        eta, context_eta, feedback_eta, weight_decay: as in rate layers.
        readout_eta: learning rate of the output of feedback learning.
        control: by name of the modulator.
    """

    timing: Timing = Timing()
    cell: Cell | str = "lif"
    parameters: Mapping[str, str] = field(default_factory=dict)
    encoding: Literal["poisson", "regular"] = "poisson"
    input_rate: float = 600.0
    afferents: int = 1
    unit_rate: float = 280.0
    gain: float = 4.0
    tau_eligibility: float = 60e-3
    tau_activity: float = 60e-3
    dendrite: Literal["trace", "psp"] = "trace"
    tau_dendrite: float = 10e-3
    reset_traces: bool = True
    tag_stages: int = 0
    centred: bool = True
    mean_rate: float = 0.01
    covariance_rate: float = 0.01
    homeostasis: float = 0.0
    target_activity: float = 0.15
    target_drive: float = 1.0
    prediction_rest: float = 1.0
    prediction_synapses: Literal["copied", "taught", "kolen-pollack"] = "copied"
    w_max: float = 0.0
    bound_exponent: float = 1.0
    weight_bits: int | None = None
    hidden_weights: bool = False
    release_probability: float = 1.0
    release_sites: int = 1
    release_gain: float = 1.0
    dale: bool = False
    inhibition: Literal["pooled", "relayed"] = "pooled"
    labels: Literal["numbers", "spikes"] = "numbers"
    eta: float = 1e-3
    context_eta: float = 1.0
    feedback_eta: float = 1.0
    weight_decay: float = 0.0
    readout_eta: float = 1e-2
    control: Mapping[str, Control] = field(default_factory=dict)

    def check(self, spikes: bool = True) -> None:
        """Check that times and rates are consistent.

        Args:
            spikes: whether any layer spikes; what cells without spikes do not read is not checked.

        Raises:
            UserError: where they are not, with the setting and what would be right.
        """
        if spikes:
            self._check_spikes()
        self.cell_values(load_cell("rate"))
        if not spikes and (unread := set(self.parameters) - set(load_cell("rate").parameters)):
            raise UserError(f"parameters.{min(unread)}: no layer spikes (leave it out)")
        read = {"tau_eligibility": True, "tau_activity": spikes, "tau_dendrite": self.dendrite == "psp"}
        for name in (name for name, is_read in read.items() if is_read):
            if (value := getattr(self, name)) < 2 * self.timing.dt:
                raise UserError(
                    f"{name} = {value * 1e3:g} ms is too short for dt = {self.timing.dt * 1e3:g} ms (at least twice dt)"
                )
        if self.weight_bits is not None and not self.w_max:
            raise UserError(
                f"weight_bits = {self.weight_bits}: weights of few levels need a bound (w_max above 0, such as 1.0)"
            )
        if self.hidden_weights and self.weight_bits is None:
            raise UserError("hidden_weights = true: weights of any number of levels take their steps at once (false)")
        if self.dendrite == "psp" and (self.timing.steps % 2 or self.timing.steps > 2 * MAX_DELAY):
            raise UserError(
                f"dendrite = 'psp': fixation and blank are {self.timing.steps} time steps"
                f" (an even number, at most {2 * MAX_DELAY})"
            )

    def _check_spikes(self) -> None:
        """Check rates of spikes, and the refractory period."""
        values = self.cell_values(self.cell_of("spiking"))
        if self.input_rate <= 0 or self.max_input < 1:
            most = self.afferents / self.timing.dt
            raise UserError(
                f"input_rate = {self.input_rate:g} Hz: dt has room for one spike (above 0, at most {most:g} Hz)"
            )
        most = 1 / values["t_refractory"] if values["t_refractory"] else 1 / self.timing.dt
        if self.unit_rate <= 0 or self.target_activity * self.unit_rate > most:
            raise UserError(
                f"target_activity = {self.target_activity:g} times unit_rate = {self.unit_rate:g} Hz is more than"
                f" a cell can fire (1 / t_refractory = {most:g} Hz)"
            )
        if self.timing.blank < values["t_refractory"]:
            blank, refractory = self.timing.blank * 1e3, values["t_refractory"] * 1e3
            raise UserError(f"blank = {blank:g} ms is too short (t_refractory: {refractory:g} ms)")

    @property
    def pooled(self) -> bool:
        """Whether a few inhibitory cells of each column balance excitation."""
        return self.dale and self.inhibition == "pooled"

    @property
    def relayed(self) -> bool:
        """Whether each presynaptic cell has an interneuron of its own."""
        return self.dale and self.inhibition == "relayed"

    @property
    def max_input(self) -> float:
        """The largest activity that the input can encode: one spike of each afferent a time step."""
        return self.afferents / (self.input_rate * self.timing.dt)

    def cell_of(self, substrate: str) -> Cell:
        """Find the cell of a layer: the model's own for ``spiking``, ``rate`` for ``brian-rate``.

        Raises:
            UserError: where there is no such cell, or it does not spike.
        """
        cell = self._own_cell if substrate == "spiking" else load_cell("rate")
        if substrate == "spiking" and not cell.spikes:
            raise UserError(f"cell = '{cell.name}' does not spike (substrate = 'brian-rate')")
        return cell

    @property
    def _own_cell(self) -> Cell:
        return load_cell(self.cell) if isinstance(self.cell, str) else self.cell

    def cell_values(self, cell: Cell) -> dict[str, float]:
        """Values of a cell's parameters, in units of SI.

        Raises:
            UserError: where the cell has no such parameter, its value is not possible, or the time step is too long.
        """
        known = {**self._own_cell.parameters, **load_cell("rate").parameters}
        for name in self.parameters:
            if name not in known:
                own = self._own_cell.name
                raise UserError(f"parameters.{name}: cell '{own}' has no such parameter ({nearest(name, known)})")
        found = {}
        for name, default in cell.parameters.items():
            kind = cell.kinds[name]
            try:
                found[name] = quantity(self.parameters.get(name, default), kind)
            except UserError as error:
                raise UserError(f"parameters.{name} = {error}") from None
            if kind == "time" and found[name] < 0:
                raise UserError(f"parameters.{name} = {found[name] * 1e3:g} ms is negative")
            if kind == "capacitance" and found[name] <= 0:
                raise UserError(f"parameters.{name} = {found[name] * 1e12:g} pF is no capacitance (above 0)")
            if kind == "time" and name != "t_refractory" and self.timing.dt > found[name] / 2:
                raise UserError(
                    f"dt = {self.timing.dt * 1e3:g} ms is too large for {name} = {found[name] * 1e3:g} ms"
                    f" (at most half of it)"
                )
        # Where the two are equal, the closed form of the membrane is 0 / 0.
        others = [found[name] for name, kind in cell.kinds.items() if kind == "time" and name not in RESPONSE]
        if found.get("tau_synapse", 0.0) in others or "capacitance" in cell.kinds.values():
            found["tau_synapse"] *= 1 + 1e-6
        return found

    def window(self, tau: float) -> float:
        """Integrate a constant rate of 1 into a trace of time constant tau; its value at the end of a fixation.

        Args:
            tau: in seconds.

        Returns:
            In seconds: the limit over many fixations, where a saccade does not reset the trace.
        """
        one_fixation = tau * (1 - exp(-self.timing.fixation / tau))
        return one_fixation if self.reset_traces else one_fixation / (1 - exp(-self.timing.period / tau))
