"""The commands protocol, cards and fit, with rules of the package and one of a user's own, as its page has it."""

import re
from pathlib import Path

import pytest

from cortexsim import cli
from cortexsim.protocols.cards import known_cards
from tests.pages import files


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["cortexsim", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.fixture
def own_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The rule of the documentation, in a folder outside the package."""
    (tmp_path / "my_stdp.py").write_text(files("howto/rule_beside_experiments.md")["my_stdp.py"])
    monkeypatch.chdir(tmp_path)
    return "my_stdp.py"


def test_a_rule_of_ten_lines_is_compared_with_data(
    own_rule: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = Path(own_rule).read_text().split("RULE = ")[1]
    assert len(rule.strip().splitlines()) <= 10
    assert call(monkeypatch, "protocol", "pair_window", "--rule", own_rule, "--out", "window.svg") == 0
    shown = capsys.readouterr().out
    assert "pass: " in shown
    assert "0.7625" in shown  # A measured point.
    assert Path("window.svg").read_text().startswith("<?xml")


def test_cards_make_a_matrix_and_a_page(
    own_rule: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "cards", own_rule, "stdp_triplet:VISUAL_FULL", "clapp") == 0
    shown, page = capsys.readouterr().out, Path("cards.html").read_text()
    assert "1/3 my_stdp.py: 1 passed of 6 asked" in shown
    assert "3/3 clapp: 0 passed of 0 asked" in shown
    assert all(name in shown and name in page for name in known_cards())
    assert "E = 0.34" in page
    assert "which the spikes of two cells do not give" in page
    assert page.count("<svg") == 12


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["protocol", "frequenci"], "protocol 'frequenci' is not known (did you mean 'frequency'?)"),
        (["protocol", "dopamine", "--rule", "stdp_pair"], "cannot be asked of rule 'stdp_pair': it has no dopamine"),
        (["protocol", "frequency", "--rule", "none.py"], "rule file 'none.py' does not exist"),
        (["protocol", "frequency", "--out", "figure.doc"], "--out figure.doc: not a figure (.png, .svg or .pdf)"),
        (["fit", "stdp_pair", "--to", "frequenci"], "protocol 'frequenci' is not known (did you mean 'frequency'?)"),
        (["fit", "stdp_pair", "--to", "sequential"], "cannot be asked of rule 'stdp_pair': it has no acetylcholine"),
        (["fit", "stdp_pair", "--to", "homeostasis"], "protocol 'homeostasis' has no measured points"),
        (["fit", "stdp_pair", "--to", "frequency", "--constants", "a"], "--constants: rule 'stdp_pair' has no 'a'"),
        (["fit", "stdp_pair", "--to", "frequency", "--out", "a.txt"], "--out a.txt: not a Python file (.py)"),
        (["cards", "stdp_pairs"], "rule 'stdp_pairs' is not known (did you mean 'stdp_pair'?)"),
    ],
)
def test_wrong_arguments_end_in_one_line(
    arguments: list[str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *arguments) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert complaint in printed


def test_a_page_that_is_not_of_this_package_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cards.html").write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "cards", "stdp_pair") == 2
    assert "is there, and no report" in capsys.readouterr().err


def test_a_fit_writes_a_rule_that_commands_accept(
    own_rule: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted = ("fit", own_rule, "--to", "frequency", "--constants", "tau_late", "--starts", "1", "--out", "a/new.py")
    Path("a").mkdir()
    assert call(monkeypatch, *fitted) == 0
    shown = capsys.readouterr().out
    assert "2/2, 0 s left: profile of tau_late" in shown
    assert "tau_late [ms]" in shown
    after = shown.split(" before, ")[1].split(" after")[0]
    assert Path("a/new.png").stat().st_size > 10_000
    assert call(monkeypatch, "protocol", "frequency", "--rule", "a/new.py") == 0
    assert f"E = {float(after):.2f}" in capsys.readouterr().out
    assert call(monkeypatch, *fitted, "--quiet") == 0  # Its own file is replaced.
    assert "left" not in capsys.readouterr().out
    for out in ("a/new.py", own_rule):  # But no file by which the rule is defined.
        before = Path(out).read_text()
        assert call(monkeypatch, "fit", "a/new.py", "--to", "frequency", "--constants", "tau_late", "--out", out) == 2
        assert Path(out).read_text() == before
    assert "--out a/new.py: rule 'a/new.py' is defined by this file" in capsys.readouterr().err
    Path("a/next.py").write_text(re.sub(r"load_rule\('.+?'", "load_rule('new.py'", Path("a/new.py").read_text()))
    assert call(monkeypatch, "fit", "a/next.py", "--to", "frequency", "--out", "a/new.py") == 2
    assert "--out a/new.py: rule 'a/next.py' is defined by this file" in capsys.readouterr().err


def test_an_interrupted_fit_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cortexsim.protocols.fitting.fit", interrupt)
    assert call(monkeypatch, "fit", "stdp_pair", "--to", "frequency") == 130
    assert capsys.readouterr().out == "Interrupted. Nothing was written.\n"
    assert not list(tmp_path.iterdir())


def test_a_file_that_no_fit_wrote_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fitted.py").write_text("RULE = None")
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "fit", "stdp_pair", "--to", "frequency") == 2
    assert "--out fitted.py: is there, and no fit wrote it" in capsys.readouterr().err
