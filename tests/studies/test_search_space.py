from pathlib import Path

import pytest

from cortexsim.errors import UserError
from cortexsim.seeds import stream
from cortexsim.studies.random_search import read_search
from cortexsim.studies.search_space import draw

PLAN = 'models = ["clapp"]\nsamples = [64]\ngrammar_seeds = [0]\n[space]\n"rule.constants" = {listed}\n'


def read(path: Path, listed: str) -> dict:
    (path / "search.toml").write_text(PLAN.format(listed=listed))
    return dict(read_search(path / "search.toml").space)


def test_a_table_that_is_no_range_is_a_value(tmp_path: Path) -> None:
    space = read(tmp_path, "[{ margin = 0.5 }, { low = 1.0, high = 2.0 }]")
    drawn = [draw(space, stream(seed, "search"))["rule.constants"] for seed in range(20)]
    assert {"margin": 0.5} in drawn
    assert all(value == {"margin": 0.5} or 1 <= value <= 2 for value in drawn)


def test_a_range_in_a_list_is_checked_when_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"search.toml: .*low must be below high") as refused:
        read(tmp_path, "[{ low = 2.0, high = 1.0 }]")
    assert "\n" not in str(refused.value)
