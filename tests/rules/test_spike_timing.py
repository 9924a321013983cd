from pathlib import Path
from typing import Any

import pytest

from cortexsim import load_model
from cortexsim.errors import UserError
from cortexsim.rate import Plasticity
from cortexsim.rules import Neuromodulator, Rule, SpikeTiming, Term, Trace, load_rule
from cortexsim.spiking.rule_translation import Translation

EARLY = {"early": Trace("20 ms", "pre")}
REWARD = {"reward": Neuromodulator("1 s")}


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"at_post": "erly_pre"}, "at_post: reads 'erly_pre', which no synapse knows .did you mean 'early_pre'"),
        ({"at_post": "early_post"}, "reads 'early_post', which no synapse knows"),
        ({"at_post": "weights_downstream"}, "which no synapse knows"),
        ({"at_pre": "reward_all"}, "at_pre: reads 'reward_all', but a broadcast acts through the third factor"),
        ({"third": "early_pre"}, "third: reads 'early_pre', but may read"),
        ({"third": "dopamine_all"}, "third: reads 'dopamine_all', which no synapse knows"),
        ({"at_post": "1 - eligibility"}, "reads 'eligibility', and there is none"),
        ({"third": "eligibility", "tau_eligibility": "1 s"}, "third: reads 'eligibility'"),
        ({"always": "sum(weight)"}, "only a modulator can sum over classes"),
        ({"tau_eligibility": "fast"}, "tau_eligibility: 'fast'"),
        ({"tau_eligibility": "0 ms"}, "not above 0"),
        ({"bounds": (1.0, 0.0)}, "the first is not below the second"),
        ({"also": (Term(at_pre="nothing_post"),)}, "at_pre of term 2: reads 'nothing_post'"),
    ],
)
def test_what_a_synapse_cannot_know_is_refused(form: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=f"rule 'mine': .*{complaint}"):
        Rule("mine", "", "", SpikeTiming(**{"traces": EARLY, "modulators": REWARD, **form}))


def test_a_synapse_knows_its_own_weight_and_eligibility() -> None:
    form = SpikeTiming(
        at_post="(1 - weight) * early_pre - eligibility",
        at_pre="-weight * potential_post",
        third="reward_all * weight * scale",
        tau_eligibility="1 s",
        traces=EARLY,
        modulators=REWARD,
    )
    assert Rule("mine", "", "", form, constants={"scale": 2.0}).reads >= {"weight", "eligibility", "reward_all"}


@pytest.mark.parametrize("name", ["weight", "eligibility", "exp", "a_pre"])
def test_names_keep_their_meaning(name: str) -> None:
    for form in ({"traces": {name: Trace("1 s", "pre")}}, {"modulators": {name: Neuromodulator()}}):
        with pytest.raises(UserError, match="means something else"):
            Rule("mine", "", "", SpikeTiming(**form))
    with pytest.raises(UserError, match="means something else"):
        Rule("mine", "", "", SpikeTiming(), constants={name: 1.0})


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"tau": "20"}, "tau: '20' is not a time"),
        ({"tau": "-1 ms"}, "not above 0"),
        ({"side": "dendrite"}, "side = 'dendrite': not known"),
        ({"of": "spikes"}, "of = 'spikes': not known .did you mean 'spike'"),
        ({"of": "voltage"}, "no access to the voltage of its presynaptic cell"),
        ({"side": "post", "of": "voltage", "pairing": "nearest"}, "pairing = 'nearest': of spikes"),
    ],
)
def test_impossible_traces_are_refused(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Trace(**({"tau": "1 s", "side": "pre"} | asked))


def test_layers_refuse_rules_of_single_spikes_in_one_line(tmp_path: Path) -> None:
    rule, words = load_rule("stdp_pair"), "rule 'stdp_pair' needs traces of single spikes .`cortexsim protocol` runs"
    assert rule.substrates == ()
    with pytest.raises(UserError, match=words):
        Plasticity(rule)
    with pytest.raises(UserError, match=words):
        Translation(rule, context=False)
    model = tmp_path / "mine.toml"
    for substrate in ("rate", "spiking"):
        model.write_text(f'learner = "local"\n[rule]\nname = "stdp_pair"\n[network]\nsubstrate = "{substrate}"\n')
        with pytest.raises(UserError, match=words):
            load_model(model)


def test_a_variant_is_a_variable_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab_rules.py").write_text(
        "from cortexsim import Rule, SpikeTiming\nMINE = Rule('mine', '', '', SpikeTiming(at_pre='1'))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load_rule("lab_rules:MINE").name == "mine"
    with pytest.raises(UserError, match=r"no such Rule .did you mean 'MINE'"):
        load_rule("lab_rules:MINEE")
    with pytest.raises(UserError, match="rule 'no_such_module:RULE': ModuleNotFoundError"):
        load_rule("no_such_module:RULE")


def test_rows_of_the_triplet_rule_are_packages() -> None:
    taus = {}
    for name in ("VISUAL_FULL", "VISUAL_NEAREST", "HIPPOCAMPUS"):
        form = load_rule(f"stdp_triplet:{name}").feedforward
        assert isinstance(form, SpikeTiming)
        taus[name] = form.traces["o2"].tau
    assert taus == {"VISUAL_FULL": "125 ms", "VISUAL_NEAREST": "40 ms", "HIPPOCAMPUS": "27 ms"}
