import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cortexsim.errors import UserError
from cortexsim.modulators import AROUSAL, ERROR, SURPRISE, TARGET, Modulator
from cortexsim.rules import ErrorPath, Rule, ThreeFactor, known_rules, load_rule


def rule(feedforward: ThreeFactor, **kwargs) -> Rule:
    return Rule("mine", "dw = ...", "nobody", feedforward, **kwargs)


@pytest.mark.parametrize("module", ["cortexsim.rules", "cortexsim.modulators", "cortexsim.protocols.cards"])
def test_rules_need_no_engine(module: str) -> None:
    code = f"import sys, {module}; assert not {{'torch', 'brian2'}} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_engine_knows_a_rule_by_name() -> None:
    import cortexsim

    package = Path(cortexsim.__file__).parent
    for folder in ("rate", "learners", "analysis"):
        for path in (package / folder).glob("*.py"):
            lines = path.read_text().splitlines()
            code = "\n".join(line for line in lines if not line.lstrip().startswith((">>> ", "... ")))  # Not examples.
            assert not any(f'"{name}"' in code for name in known_rules()), path


@pytest.mark.parametrize(
    ("factor", "complaint"),
    [
        (
            ThreeFactor(post="activity_post", third="weights_downstream"),
            "third of the feedforward synapses reads 'weights_downstream', which is not local there",
        ),
        (ThreeFactor(post="activity_post", third="weight"), "a synapse knows its own weight, but cells"),
        (ThreeFactor(post="activity_post", third="w * activity_post"), "reads 'w': a synapse knows its own"),
        (ThreeFactor(post="weight_post", third="1"), "a synapse knows its own weight"),
        (ThreeFactor(post="sum(activity_post)", third="1"), "only a modulator can sum over classes"),
        (ThreeFactor(post="noise_post", third="1"), "for feedback synapses alone"),
        (ThreeFactor(post="dendrite_post", third="1"), "the rule has no context synapses"),
        (ThreeFactor(post="activity_pre", third="1"), "post may read \\*_post"),
        (ThreeFactor(post="arousal_all", third="1"), "which is not local there"),
        (ThreeFactor(pre="activity_post", post="1", third="1"), "pre may read \\*_pre"),
        (ThreeFactor(post="activity_post", third="surprise_all"), "no modulator of the rule broadcasts it"),
        (ThreeFactor(post="activty_post", third="1"), "did you mean 'activity_post'"),
        (ThreeFactor(post="1", third="feedback_post"), "projected through random weights"),
        (ThreeFactor(post="1", third="1", decay="activity_pre"), "decay may read"),
    ],
)
def test_audit_refuses_what_is_not_local(factor: ThreeFactor, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        rule(factor, modulators=(AROUSAL,))


def test_audit_covers_context_synapses() -> None:
    with pytest.raises(UserError, match="third of the context synapses reads 'error_post'"):
        rule(ThreeFactor("1", "1"), context=ThreeFactor("activity_post", "error_post"))


@pytest.mark.parametrize(
    "asked",
    [
        {"feedforward": ThreeFactor("returned_post", "1")},
        {"feedforward": ThreeFactor("1", "1", decay="returned_post")},
        {"context": ThreeFactor("activity_post", "returned_post")},
        {"modulators": (Modulator("mine", value="score_all", score="returned_post", scope="column"),)},
    ],
)
def test_what_context_synapses_bring_back_comes_after_they_have_changed(asked: dict[str, Any]) -> None:
    fine = {"feedforward": ThreeFactor("1", "returned_post"), "context": ThreeFactor("activity_post", "1")}
    assert (
        rule(**fine)
        .missing_on("spiking")[0]
        .startswith("'returned_post' (retrograde signal of its context synapses onto others")
    )
    with pytest.raises(UserError, match="'returned_post', which comes after"):
        rule(**(fine | asked), breaks={"returned_post": "declared"})
    assert "copies of their context weights" in known_rules()["clapp_retro"].locality_violations[0]
    with pytest.raises(UserError, match="reads 'returned_post', but the rule has no context synapses"):
        rule(fine["feedforward"])


def test_a_rule_may_declare_what_it_breaks() -> None:
    broken = rule(ThreeFactor("1", "transported"), breaks={"transported": "weights of another cell"})
    assert dict(broken.breaks) == {"transported": "weights of another cell"}


@pytest.mark.parametrize(
    ("name", "carried", "learned"),
    [
        ("predicted_rate_post", "dendritic signals", "rates"),
        ("predicted_dendrite_post", "rates", "dendritic signals"),
    ],
)
def test_a_sum_whose_synapses_cannot_be_is_declared_or_refused(name: str, carried: str, learned: str) -> None:
    """What they carry and what they would learn from are two things: no synapse has both."""
    context = ThreeFactor(post="activity_post", third="1")
    refused = f"{name}', which implies synapses from its column, which carry {carried} and learn from {learned}"
    with pytest.raises(UserError, match=refused):
        rule(ThreeFactor(post="1", third=name), context=context)
    scored = Modulator("mine", scope="column", score=name, value="score_all")
    with pytest.raises(UserError, match=f"modulator 'mine' reads '{refused}"):
        rule(ThreeFactor(post="1", third="mine_all"), context=context, modulators=(scored,))
    declared = {"context": context, "breaks": {name: "as if it could"}}
    assert rule(ThreeFactor(post="1", third=name), **declared).locality_violations == ["as if it could"]
    rule(ThreeFactor(post="1", third="mine_all"), modulators=(scored,), **declared)


def test_a_rule_names_the_synapses_behind_its_sums() -> None:
    rules = known_rules()
    lateral = "synapses from its column, which carry rates and learn from rates and rates"
    assert rules["lpl"].implied_synapses == [lateral]
    assert lateral in rules["lpl"].needs
    assert rules["clapp"].implied_synapses == []
    assert len(rules["spectral"].implied_synapses) == len(rules["spectral"].breaks) == 2


def test_modulators_read_only_what_is_broadcast() -> None:
    with pytest.raises(UserError, match=r"value reads 'activity_post'.*score_all"):
        Modulator("mine", value="activity_post")
    with pytest.raises(UserError, match="only cells"):
        Modulator("mine", value="score_all", score="contrast_all", scope="layer")
    with pytest.raises(UserError, match="not over the network"):
        Modulator("mine", value="score_all", score="activity_post")


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"value": "output_all * label_all"}, "has one number per class, and a scalar has one for all .sum"),
        ({"value": "1 - output_all"}, "has one number per class"),
        ({"value": "sum(output_all) * label_all"}, "has one number per class"),
        ({"value": "sum(contrast_all)"}, "sum.contrast_all. sums over classes, and has none"),
        (
            {"value": "1", "projection": "random"},
            "is one number for all, and projection = 'random' brings one per class",
        ),
        ({"value": "sum(label_all)", "projection": "component"}, "is one number for all"),
        ({"value": "label_all", "projection": "random", "scope": "column"}, "scope = 'column': the output"),
        ({"value": "score_all"}, "it has no score to sum"),
        ({"value": "share_all"}, "it has no score to sum"),
        ({"value": "score_all", "score": "sum(activity_post)", "scope": "layer"}, "score: sum.*cells have none"),
        ({"value": "1", "constants": {"exp": 1.0}}, "constant 'exp': means something else"),
        ({"value": "1", "constants": {"activity_post": 1.0}}, "means something else"),
        ({"value": "1", "constants": {"a b": 1.0}}, "constant 'a b': not a name"),
        ({"value": "1", "constants": {"a": float("nan")}}, "constant a = nan: not a finite number"),
        ({"value": "1", "constants": {"a": True}}, "constant a = True: not a finite number"),
        ({"value": "1", "gain": float("inf")}, "gain = inf: not a finite number"),
    ],
)
def test_modulators_say_what_their_hearers_take(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=f"modulator 'mine': .*{complaint}"):
        Modulator("mine", **asked)


@pytest.mark.parametrize("name", ["g o; int x", "", "1st", "lambda", "µ", "score", "label", "exp", "a_post"])
def test_modulators_have_names_that_texts_can_hold(name: str) -> None:
    with pytest.raises(UserError, match=r"not a name|means something else"):
        Modulator(name, value="1")


def test_modulators_of_a_rule_fit_each_other() -> None:
    column = Modulator("column", value="score_all", score="activity_post", scope="column")
    wide = Modulator("wide", value="column_all")
    factor = ThreeFactor("1", "1")
    with pytest.raises(
        UserError, match="'wide' reads 'column_all', which has one value per column, but has one per network"
    ):
        rule(factor, modulators=(column, wide))
    with pytest.raises(UserError, match="another one is read as 'arousal_all' too"):
        rule(factor, modulators=(AROUSAL, AROUSAL))
    with pytest.raises(UserError, match="another one is read as 'feedback_post' too"):
        rule(factor, modulators=(ERROR, TARGET))
    with pytest.raises(UserError, match="reads 'dendrite_post', but the rule has no context synapses"):
        rule(factor, modulators=(SURPRISE,))
    one, two = (Modulator(name, value="a", constants={"a": value}) for name, value in (("one", 1.0), ("two", 2.0)))
    with pytest.raises(UserError, match="constant 'a' is 1 and 2"):
        rule(factor, modulators=(one, two))
    with pytest.raises(UserError, match="constant 'clip': means something else"):
        rule(factor, constants={"clip": 1.0})
    other = Modulator("other", value="column_all", scope="column")
    assert rule(factor, modulators=(column, other)).missing_on("spiking") == []
    level, graded = Modulator("level", value="1"), replace(ERROR, value="level_all * (output_all - label_all)")
    lacking = rule(factor, modulators=(level, graded), path=ErrorPath("direct")).missing_on("spiking")
    assert lacking == ["output errors that depend on scalar modulators"]


def test_constants_and_gains_can_be_changed_where_there_are_any() -> None:
    clapp = known_rules()["clapp"]
    tuned = clapp.with_constants({"margin": 2.0}, {"surprise": 0.5})
    assert (tuned.modulators[0].constants["margin"], tuned.modulators[0].gain) == (2.0, 0.5)
    assert clapp.modulators[0] == SURPRISE
    with pytest.raises(UserError, match=r"no constant 'magin' .did you mean 'margin'"):
        clapp.with_constants({"magin": 2.0}, {})
    with pytest.raises(UserError, match="no modulator 'error'"):
        clapp.with_constants({}, {"error": 0.0})


def test_every_known_rule_bears_the_name_of_its_file() -> None:
    folder = Path(sys.modules["cortexsim.rules"].__file__ or "").parent
    for name, found in known_rules().items():
        assert (folder / f"{name}.py").exists()
        assert found.equation
        assert found.source
    assert set(known_rules()) >= {"clapp", "dfa", "hebb"}


def test_a_rule_can_live_in_any_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from cortexsim.rules import Rule, ThreeFactor\n"
        "RULE = Rule('mine', 'dw = z x', 'me', ThreeFactor(post='activity_post', third='1'))\n"
    )
    assert load_rule("mine.py", beside=tmp_path).name == "mine"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("1 / 0", "ZeroDivisionError"), ("RULE = 3", "no Rule named RULE"), ("RULE = ", "SyntaxError")],
)
def test_a_broken_rule_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(UserError, match=f"mine.py.*{complaint}"):
        load_rule("mine.py", beside=tmp_path)


def test_unknown_rules_get_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"rule 'clap' is not known .did you mean 'clapp'"):
        load_rule("clap")
    with pytest.raises(UserError, match=r"none\.py' does not exist"):
        load_rule("none.py")
