"""The audit of a cell: that it has all that layers need, and that its names and units make sense there."""

import ast
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence

from cortexsim.errors import UserError, error_prefix, nearest
from cortexsim.quantities import kind_of
from cortexsim.spiking.dimensions import FUNCTIONS, KINDS, NUMBER, SECOND, UNITS, Dimension, dimension
from cortexsim.spiking.equations import Equations, check_method, parsed, read_equations

GIVEN = {"bias": NUMBER, "dt": SECOND, "inf": NUMBER, "t": SECOND, **UNITS}
"""Names that the network and Brian2 give, by dimension."""

TAKEN = {
    *GIVEN, *FUNCTIONS, "N", "age", "activity", "average_derivative", "blank", "centred", "covariance_rate", "cross",
    "cross_input", "cross_power", "decay", "delayed_signal", "delayed_spike", "dendrite", "dendrite_mean", "e", "error",
    "expected", "exponential", "feedback", "fixation_age", "from_column", "from_views", "homeostasis", "i", "j",
    "last_saccade", "last_spike", "last_update", "lastspike", "lateral", "mean", "mean_rate", "not_refractory",
    "offset", "output", "own_cross", "passed_error", "pi", "power", "psp", "psp_unit", "recent", "recent_derivative",
    "rivals", "scale", "seed", "share", "signal", "spike_line", "spiked", "spikes", "standard_view", "stimulus_number",
    "target_activity", "target_drive", "tau_activity", "tau_dendrite", "third_factor", "unit_rate", "variance", "view",
    "view_deviation", "view_mean", "view_variance", "waiting", "weight_decay", "winning", "xi",
    "carry", "eligibility", "eligibility_unit", "eta", "fraction", "levels", "lowest", "period", "release_probability",
    "spacing", "target", "tau_eligibility", "unit", "w", "w_max", "correlation", "learns", "level", "probability",
    "released", "silence", "step", "trace", "value", "bound_exponent", "draw", "first", "half_mean", "half_psp_mean",
    "hidden", "kept", "moves", "place", "psp_mean", "quantum", "taught", "wanted", "whole",
}  # fmt: skip
"""Names that layers, their synapses and Brian2 use themselves."""

TAKEN_PATTERN = re.compile(
    r"_.*|.*_(pre|post|all)|(at_least|context|modulator|predicted|previous|read|rule|value)_.*|(gate|local|tag)(_.*)?"
)
READ_BY_LAYERS = ("current", "drive", "derivative", "rate")


def audit(
    equations: str,
    parameters: Mapping[str, str],
    threshold: str,
    reset: Sequence[str],
    on_saccade: Mapping[str, str],
    method: str,
) -> None:
    """Check that a cell has all that layers need, and that its units agree.

    >>> audit("dv/dt = -v / tau : 1", {}, "v > 1", ["v = 0"], {}, "")
    Traceback (most recent call last):
    cortexsim.errors.UserError: equations: 'current' is missing (a cell gives current, drive, derivative, v)

    Args:
        equations, parameters, threshold, on_saccade, method: of a `Cell`.
        reset: its statements.

    Raises:
        UserError: where it lacks something, with the name.
    """
    read = read_equations(equations)
    _check_required(read, parameters, threshold, on_saccade)
    known = GIVEN | _dimensions(read, parameters)
    for name, text in read.texts.items():
        if text:
            _check_value(f"equations: {name}", text, known[name], known)
    for name, text in read.states.items():
        _check_value(f"equations: d{name}/dt", text, known[name] / SECOND, known)
    if threshold:
        _check_value("threshold", threshold, NUMBER, known)
    for statement in reset:
        _check_statement("reset", statement, read.variables, known)
    for name, value in on_saccade.items():
        if name not in read.variables:
            raise UserError(f"on_saccade: '{name}' is no variable of the cell ({nearest(name, read.variables)})")
        _check_value(f"on_saccade: {name}", value, known[name], known)
    check_method(read.states, read.texts, method)


def _check_required(
    read: Equations, parameters: Mapping[str, str], threshold: str, on_saccade: Mapping[str, str]
) -> None:
    required = ["current", "drive", "derivative", *(["v"] if threshold else ["rate"])]
    if missing := [name for name in required if name not in read.units]:
        raise UserError(f"equations: '{missing[0]}' is missing (a cell gives {', '.join(required)})")
    times = ["tau_synapse", "t_refractory"] if threshold else []
    if missing := [name for name in times if name not in parameters]:
        raise UserError(f"parameters: '{missing[0]}' is missing (a cell that spikes has {' and '.join(times)})")
    for name in times:
        if kind_of(parameters[name]) != "time":
            raise UserError(f"parameters: {name} = '{parameters[name]}' is no time (such as '5 ms')")
    for name in (*read.units, *parameters):
        if name in TAKEN or TAKEN_PATTERN.fullmatch(name) or keyword.iskeyword(name):
            raise UserError(f"'{name}' means something else in a layer (give it another name)")
        if name in parameters and name in read.units:
            raise UserError(f"'{name}' is both a parameter and a variable (give one another name)")
    if left := [name for name in read.states if name not in on_saccade]:
        raise UserError(f"on_saccade: '{left[0]}' is missing (a saccade sets all that differential equations change)")


def _dimensions(read: Equations, parameters: Mapping[str, str]) -> dict[str, Dimension]:
    """Find the dimensions of variables and parameters."""
    found = {}
    for name, unit in read.units.items():
        tree = parsed(f"equations: unit of {name}", unit)
        _check_names(f"equations: the unit of {name}", tree, UNITS)
        found[name] = dimension(tree, UNITS)
        if name in READ_BY_LAYERS and found[name] != NUMBER:
            raise UserError(f"equations: '{name}' is in {found[name]}, but layers read a number (: 1)")
    for name, value in parameters.items():
        with error_prefix(f"parameters: {name}"):
            found[name] = KINDS[kind_of(value)]
    return found


def _check_names(where: str, tree: ast.AST, known: Iterable[str]) -> None:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in (FUNCTIONS if id(node) in called else known):
            raise UserError(f"{where} reads '{node.id}', which is not known ({nearest(node.id, known)})")


def _check_value(where: str, text: str, wanted: Dimension, known: Mapping[str, Dimension]) -> None:
    """Check what a text reads, and its dimension."""
    tree = parsed(where, text)
    _check_names(where, tree, known)
    with error_prefix(where):
        found = dimension(tree, known)
    if found != wanted:
        raise UserError(f"{where} = {text} is in {found} (in {wanted})")


def _check_statement(where: str, statement: str, variables: set[str], known: Mapping[str, Dimension]) -> None:
    found = re.fullmatch(r"(\w+) *([-+*/]?)= *(.+)", statement)
    if found is None or found[1] not in variables:
        raise UserError(f"{where}: '{statement}' sets no variable of the cell (such as 'v = 0')")
    scales = found[2] in ("*", "/")
    _check_value(f"{where}: {found[1]}", found[3], NUMBER if scales else known[found[1]], known)
