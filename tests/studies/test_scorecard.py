"""The scorecard has every rule and card, and its samples are those of the experiments that measured them."""

from runpy import run_path
from typing import Any

import pytest

from cortexsim.analysis.sample_complexity import Threshold
from cortexsim.analysis.scorecard_panels import Line
from cortexsim.config.registry import find_experiment_folder
from cortexsim.protocols.cards import known_cards
from cortexsim.rules import known_rules
from cortexsim.storage.committed_rows import ROWS, read_rows

FOLDER = find_experiment_folder("scorecard")
ROWS_AGAIN = "cortexsim experiment scorecard, and copy its rows.jsonl.gz"


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return run_path(str(FOLDER / "experiment.py"))


def test_every_rule_and_card_is_on_the_page() -> None:
    rows = read_rows(FOLDER / ROWS)
    assert {row["rule"] for row in rows} == known_rules().keys(), ROWS_AGAIN
    assert all(row["verdicts"].keys() == known_cards().keys() for row in rows), ROWS_AGAIN


def test_samples_are_those_that_other_experiments_print(card: dict[str, Any]) -> None:
    printed = (find_experiment_folder("sample_complexity") / "README.md").read_text()
    for depth in (3, 4):
        assert card["reference"](depth).threshold.text() in printed
        found = card["best"]("clapp", depth, False)
        assert (found.experiment, found.learner) == ("sample_complexity", "clapp-tuned")
        assert found.threshold.text() in printed
        assert card["ratio"](found) in printed
    assert card["best"]("clapp_retro", 3, False) is None
    assert card["best"]("clapp", 3, True).spiking


def test_no_learner_with_a_privileged_context_is_taken(card: dict[str, Any]) -> None:
    names = {each.learner for each in card["measured"]()}
    assert not {"clapp-guided-tuned", "clapp-label-spiking"} & names
    assert "clapp-tuned" in names


def test_rules_stand_by_what_they_read(card: dict[str, Any]) -> None:
    families = [card["family"](known_rules()[name]) for name in ("stdp_pair", "oja", "clapp", "dfa", "fa")]
    assert families == list(card["FAMILIES"])


def test_rules_that_need_fewest_samples_come_first() -> None:
    def line(rule: str, found: Threshold | None) -> Line:
        return Line(rule, "", {"a": "pass", "b": "not applicable"}, (), {(3, False): found})

    few, many, never = (
        Threshold((90, 90), (110, 110)),
        Threshold((200, 0), (300, 150)),
        Threshold((500,), (float("inf"),)),
    )
    lines = [line("a", None), line("b", never), line("c", many), line("d", few)]
    assert [each.rule for each in sorted(lines, key=lambda each: each.order)] == ["d", "c", "a", "b"]
    assert lines[0].passed == "1 of 1"
