"""Measurements in chunks: interrupted anywhere, they end as if they were not."""

from pathlib import Path

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.studies.chunks import Arrays, Chunked, carry_out


def walk(log: list[int], stop_at: int = -1) -> Chunked:
    def advance(number: int, state: Arrays) -> Arrays:
        if number == stop_at:
            raise KeyboardInterrupt
        log.append(number)
        return {"x": np.cumsum(state["x"]) + 1 / (number + 3), "seen": np.append(state["seen"], number)}

    begin = {"x": np.linspace(0, 1, 7), "seen": np.zeros(0)}
    return Chunked(5, lambda: dict(begin), advance, lambda s: [{"x": s["x"].tolist(), "seen": s["seen"].tolist()}])


def test_an_interrupted_measurement_goes_on_with_the_next_chunk(tmp_path: Path) -> None:
    whole = carry_out(walk([]), tmp_path / "whole", print)
    log: list[int] = []
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        carry_out(walk(log, stop_at=3), tmp_path / "state", lines.append)
    assert carry_out(walk(log), tmp_path / "state", lines.append) == whole
    assert log == [0, 1, 2, 3, 4]
    assert [line.split(",")[0] for line in lines] == [f"chunk {number}/5" for number in range(1, 6)]
    assert not list(tmp_path.iterdir())


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"nothing")
    with pytest.raises(UserError, match="state: damaged"):
        carry_out(walk([]), tmp_path / "state", print)
