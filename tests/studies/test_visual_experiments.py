"""Experiments on receptive fields, ocular dominance and swapped objects, at toy size."""

from typing import Any

import numpy as np
import pytest

from cortexsim.studies.experiment import open_experiment
from cortexsim.studies.program_experiment import Program, ProgramExperiment


def program(name: str) -> Program:
    opened = open_experiment(name)
    assert isinstance(opened, ProgramExperiment)
    return opened.program


def measured(name: str, *cases: dict[str, Any]) -> list[dict[str, Any]]:
    """Measure cases, and check that tables and figures can be made from them."""
    experiment = program(name)
    rows = [row for case in cases for row in experiment.measure(case)]
    assert all(text.count("\n") >= 2 for text in experiment.tables(rows).values())
    assert all(draw().axes for draw in experiment.figures(rows).values())
    return rows


@pytest.mark.parametrize(
    ("name", "seeds"), [("receptive_fields", 10), ("ocular_dominance", 10), ("swap", 10), ("next_fixation", 10)]
)
def test_no_seed_is_measured_on_which_constants_were_chosen(name: str, seeds: int) -> None:
    assert {case["seed"] for case in program(name).cases} == set(range(seeds))


def test_oja_approaches_first_components_and_control_is_not_selective() -> None:
    pytest.importorskip("sklearn")
    small = {"photographs": "china+flower", "seed": 0, "patches": 8000, "epochs": 8}
    oja, control, bcm, same = measured("receptive_fields", {"rule": "oja", **small}, {"rule": "bcm", **small})
    assert np.shape(oja["fields"]) == (24, 13, 13)
    assert np.abs(np.array(oja["norm"]) - 1).max() < 0.1
    assert np.mean(oja["subspace"]) > 0.8
    assert control["selectivity"] == same["selectivity"]
    assert np.mean(control["selectivity"]) < 0.2 < np.mean(bcm["selectivity"])


def test_a_spiking_cell_learns_from_few_patches_and_its_control_is_not_selective() -> None:
    pytest.importorskip("sklearn")
    case = {"rule": "stdp_triplet:SLIDING", "photographs": "china+flower", "seed": 0, "patches": 30}
    oja = {**case, "rule": "oja", "epochs": 1}
    learned, control = measured("receptive_fields", oja, case)[-2:]
    assert np.shape(learned["fields"]) == (24, 13, 13)
    assert np.mean(learned["rate"]) > 1
    assert np.mean(control["selectivity"]) < 0.2
    assert learned["selectivity"] != control["selectivity"]


@pytest.mark.parametrize(("columns", "samples"), [("rate", 2000), pytest.param("spiking", 600, marks=pytest.mark.slow)])
def test_a_column_predicts_its_next_fixation_and_its_control_does_not(columns: str, samples: int) -> None:
    pytest.importorskip("sklearn")
    case = {"columns": columns, "contrast": "equal", "seed": 0, "samples": samples}
    learned, control = measured("next_fixation", case)
    first, *_, last = learned["course"]
    assert np.shape(learned["fields"]) == (24, 13, 13)
    assert len(learned["course"]) == 3
    assert (first["told"], first["surprised"]) == (0.5, 1)
    assert last["told"] > 0.55 if columns == "spiking" else last["surprised"] < 1
    assert np.mean(control["selectivity"]) < 0.2
    assert learned["selectivity"] != control["selectivity"]


def test_a_closed_eye_loses_and_regains_its_cells() -> None:
    pytest.importorskip("sklearn")
    *closed, reversed_row = measured("ocular_dominance", {"rule": "oja", "seed": 0, "shorter": 20})
    assert [row["noise"] for row in closed] == [0.1, 0.3, 0.6, 1.0]
    for row in closed:
        assert abs(row["dominance"][0]) < 0.05 < row["dominance"][-1]
    start, end = reversed_row["dominance"]
    assert start == closed[-1]["dominance"][-1]
    assert end < start


def test_only_a_context_of_the_other_fixation_tells_positions_apart() -> None:
    names = ("lpl", "clapp", "hebb", "lpl, own fixation")
    rows = measured("swap", *({"condition": name, "seed": 0, "shorter": 10} for name in names))
    changes = {row["condition"]: np.divide(*np.array(row["selectivity"])[[-1, 0]]) - 1 for row in rows}
    assert all(changes[name][0] < changes[name][2] - 0.2 for name in ("lpl", "clapp"))
    assert all(abs(changes[name][0] - changes[name][2]) < 0.2 for name in names[2:])
