"""The benchmark runs; what it measures is not held to anything here."""

import pytest

from tests.benchmarks import costs


def test_every_ratio_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(costs, "ROUNDS", 1)
    monkeypatch.setattr(costs, "STEPS", 2)
    costs.compare_steps(8)
    shown = capsys.readouterr().out
    assert shown.count("ratio") == 8
    assert shown.count("bare torch") == 5
