from pathlib import Path
from typing import get_args

import pytest

from cortexsim.config.building import CONTRASTS
from cortexsim.config.registry import find_model, folders, model_paths, read_model
from cortexsim.config.schema import NetworkTable, RuleTable, TrainingTable
from cortexsim.errors import UserError
from cortexsim.rate import TRANSFERS
from cortexsim.rules import FEEDBACK, MASKS

SPIKING = 'learner = "local"\n[rule]\nname = "clapp"\n[network]\nsubstrate = "spiking"\n'
BRIAN_RATE = SPIKING.replace("spiking", "brian-rate")
GOOD = 'learner = "local"\n[rule]\nname = "clapp"\n'
PROJECTED = 'learner = "local"\n[rule]\nname = "lpl"\n[network]\nsends = "projection"\nprojection = 8\n'
DIRECT = 'learner = "feedback"\n[rule]\nname = "dfa"\n'


@pytest.mark.parametrize("name", sorted(model_paths()))
def test_every_model_of_the_package_is_valid_and_described(name: str) -> None:
    assert find_model(name).description
    assert find_model(str(folders("models")[0] / f"{name}.toml")).name == name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"key 'learner' is missing \(one of: local, feedback, backprop, untrained\)"),
        ('learner = "locl"', r"learner = 'locl' is not known \(did you mean 'local'\?\)"),
        ('learner = "local"', r"rule: missing; learner = 'local' needs a table \[rule\]"),
        (GOOD + "[network]\ncels = 3", r"unknown key 'network.cels' \(did you mean 'cells'\?\)"),
        (GOOD + "[netwrk]\ncells = 3", r"unknown key 'netwrk' \(did you mean 'network'\?\)"),
        (GOOD + "[network]\ncells = 0", "network.cells = 0: should be greater than or equal to 1"),
        (GOOD + "[network]\ncells = 2.5", "network.cells = 2.5: should be a valid integer"),
        (GOOD + '[network]\nsubstrate = "rat"', r"network.substrate = 'rat' is not known \(did you mean 'rate'\?\)"),
        (GOOD + "[training]\neta = -1", "training.eta = -1: should be greater than 0"),
        (GOOD + "[training]\neta = nan", "training.eta = nan: should be a finite number"),
        (GOOD + '[training]\neta = "5 ms"', "training.eta = '5 ms': should be a valid number"),
        (GOOD + "[task]\nmultiplicity = 9", "72 distinct tuples"),
        (GOOD + 'contxt = "sibling"', r"unknown key 'rule.contxt' \(did you mean 'context'\?\)"),
        (GOOD + "constants = { magin = 1.0 }", r"no constant 'magin' \(did you mean 'margin'\?\)"),
        (GOOD + "gain = { error = 0.0 }", r"no modulator 'error'"),
        ('learner = "local"\n[rule]\nname = "clap"', r"rule 'clap' is not known \(did you mean 'clapp'\?\)"),
        ('learner = "local"\n[rule]\nname = "dfa"', r"needs the output error \(learner = 'feedback'\)"),
        ('learner = "feedback"\n[rule]\nname = "clapp"', r"does not use the output error \(learner = 'local'\)"),
        ('learner = "backprop"\n[rule]\nname = "clapp"', "uses no rule"),
        ('learner = "local"\n[rule]\nname = "hebb"\ntop = "label"', "has no context synapses"),
        (GOOD + 'context = "siblin"', r"rule.context = 'siblin': 'siblin' is not known \(did you mean 'sibling'\?"),
        (GOOD + 'context = "sibling+sibling"', "a context is named twice"),
        (GOOD + 'context = "sibling+top"', r"schedule = 'simultaneous'\)"),
        (
            GOOD + 'context = "top"\nschedule = "simultaneous"\ntop = "label"',
            "the top is a single column that receives",
        ),
        (GOOD + 'context = "label"\n[network]\nsends = "prediction"', "no column receives another"),
        (DIRECT + '[network]\nsends = "prediction"', "rule 'dfa' has no context synapses to predict with"),
        (
            SPIKING.replace('"spiking"', '["spiking", "brian-rate", "brian-rate"]') + 'sends = "prediction"',
            r"only layers of one substrate with a local learner support it \(sends = 'activity'\)",
        ),
        (
            SPIKING.replace('"spiking"', '"brian-rate"')
            + 'sends = "prediction"\n[spiking]\nprediction_synapses = "taught"',
            r"spiking.prediction_synapses = 'taught': cells without spikes",
        ),
        (
            SPIKING.replace('"spiking"', '"brian-rate"') + "[spiking]\nafferents = 30",
            "spiking.afferents = 30: the lowest layer has no spikes",
        ),
        (SPIKING + "[spiking]\nafferents = 0", "spiking.afferents = 0: should be greater than or equal to 1"),
        ('learner = "local"\n[rule]\nname = "hebb"\ncontext = "cousin"', "rule 'hebb' has no context synapses"),
        ('learner = "local"\n[rule]\nname = "hebb"\ncontext = "synonym"', "rule 'hebb' has no context synapses"),
        ('learner = "local"\n[rule]\nname = "lpl"\ncontext = "synonym+label"', "rule 'lpl' has no context synapses"),
        (
            'learner = "local"\n[rule]\nname = "lpl"\ncontext = "synonym"\n[network]\nsends = "prediction"',
            "rule 'lpl' has no context synapses to predict with",
        ),
        (DIRECT + 'context = "synonym"', "rule.context = 'synonym': rule 'dfa' has no context synapses"),
        (
            SPIKING.replace("[network]", 'context = "synonym"\n[network]'),
            r"rule.context = 'synonym': layers of substrate 'spiking' do not support 'synonym' \('sibling'",
        ),
        (
            BRIAN_RATE.replace("[network]", 'context = "sibling+synonym"\n[network]'),
            r"rule.context = 'sibling\+synonym': layers of substrate 'brian-rate' do not support 'synonym' \('sibling'",
        ),
        (
            SPIKING.replace("[network]", 'context = "cousin"\n[network]'),
            "layers of substrate 'spiking' do not support 'cousin'",
        ),
        (
            SPIKING.replace("[network]", 'context = "sibling+neighbour"\n[network]'),
            r"rule.context = 'sibling\+neighbour': layers in Brian2 support a single context \('sibling', 'neigh",
        ),
        (GOOD + '[training]\nloss = "clapp"', r"learner = 'local' minimises no loss .* \(learner = 'backprop'\)"),
        (DIRECT + '[training]\nloss = "clapp"', "rule 'dfa' learns from labels"),
        ('learner = "backprop"\n[training]\nloss = "clap"', r"loss = 'clap' is not known \(did you mean 'clapp'\?\)"),
        ('learner = "backprop"\n[training]\nloss = "infonce"\nbatch = 8', r"with 8 others \(9 or more\)"),
        (
            'learner = "backprop"\n[network]\nunits = "vector"\n[training]\nloss = "clapp"',
            "vector cells stand for classes",
        ),
        ("learner = ", "Invalid value"),
        (SPIKING + '[spiking]\ncell = "liff"', r"spiking.cell: cell 'liff' is not known \(did you mean 'lif'\?\)"),
        (SPIKING + '[spiking]\ncell = "rate"', r"spiking.cell = 'rate' does not spike \(substrate = 'brian-rate'\)"),
        (SPIKING + "[spiking]\ndt = 3", "spiking.dt = 3: write a time with its unit, such as '10 ms'"),
        (SPIKING + '[spiking]\ndt = "3 Hz"', "spiking.dt = '3 Hz': '3 Hz' is not a time in s or ms or us"),
        (SPIKING + '[spiking]\ndt = "-1 ms"', "spiking.dt = -1 ms is too short"),
        (SPIKING + '[spiking]\ndt = "7 ms"', "spiking.fixation = 60 ms is no whole number of time steps of 7 ms"),
        (
            SPIKING + '[spiking]\ndt = "20 ms"\nblank = "20 ms"',
            r"spiking.dt = 20 ms is too large for tau_membrane = 10 ms \(at most half of it\)",
        ),
        (SPIKING + '[spiking]\nblank = "1 ms"', r"spiking.blank = 1 ms is too short \(t_refractory: 2 ms\)"),
        (SPIKING + '[spiking]\ninput_rate = "2 kHz"', "spiking.input_rate = 2000 Hz: dt has room for one spike"),
        (SPIKING + "[spiking]\ntarget_activity = 2.0", r"1 / t_refractory = 500 Hz"),
        (SPIKING + '[spiking]\ndendrite = "psp"', "dendrite = 'psp': fixation and blank are 65 time steps"),
        (
            SPIKING + "[spiking]\nw_max = 1.0\nweight_bits = 9",
            "spiking.weight_bits = 9: should be less than or equal",
        ),
        (SPIKING + "[spiking]\nweight_bits = 2.5", "spiking.weight_bits = 2.5: should be a valid integer"),
        (
            SPIKING + "[spiking]\nweight_bits = 4",
            r"spiking.weight_bits = 4: weights of few levels need a bound",
        ),
        (
            SPIKING + "[spiking]\nw_max = 1.0\nhidden_weights = true",
            "spiking.hidden_weights = true: weights of any number of levels take their steps at once",
        ),
        (
            SPIKING + "[spiking]\nw_max = 1.0\nbound_exponent = 1.5",
            "spiking.bound_exponent = 1.5: should be less than or equal to 1",
        ),
        (
            SPIKING.replace("clapp", "simclr_local")
            + '[spiking]\ncentred = false\ntag_stages = 2\n[modulator.misjudged]\ndelay = "65 ms"',
            "spiking.tag_stages = 2: rule 'simclr_local': third = .* is no product of what is local and of angle_all",
        ),
        (
            SPIKING + "[spiking]\nrelease_probability = 0.0",
            "spiking.release_probability = 0.0: should be greater than 0",
        ),
        (
            SPIKING + "[spiking]\nrelease_probability = 1.5",
            "spiking.release_probability = 1.5: should be less than or equal to 1",
        ),
        (
            SPIKING.replace("spiking", "brian-rate") + "[spiking]\nrelease_probability = 0.5",
            r"spiking.release_probability = 0.5: cells without spikes release none .1.0",
        ),
        (SPIKING + "[spiking]\ndale = true", "spiking.homeostasis = 0: spiking.dale = true, and inhibitory weights"),
        (
            SPIKING.replace("spiking", "brian-rate") + "[spiking]\ndale = true",
            "spiking.dale = true: inhibitory cells spike",
        ),
        (SPIKING + '[spiking.parameters]\ntau = "1 ms"', "spiking.parameters.tau: cell 'lif' has no such parameter"),
        (SPIKING + '[modulator.surprize]\ndelay = "0 ms"', r"no such modulator \(did you mean 'surprise'\?\)"),
        (SPIKING + '[modulator.surprise]\ndelay = "-65 ms"', "modulator.surprise.delay = -65 ms is negative"),
        (SPIKING + '[modulator.surprise]\ndelay = "30 ms"', "no whole number of fixations .such as 65 ms"),
        (
            SPIKING.replace("clapp", "clapp_retro"),
            r"network.substrate: rule 'clapp_retro' needs 'returned_post'",
        ),
        (
            SPIKING.replace("clapp", "clapp_bidirectional") + '[spiking]\nfixation = "59 ms"\ndendrite = "psp"',
            r"rule 'clapp_bidirectional' waits for the context of the next fixation \('trace'\)",
        ),
        (SPIKING.replace("clapp", "hebb"), r"spiking.centred = true: the rule reads mean_post"),
        (SPIKING.replace("clapp", "lpl"), r"spiking.centred = true: the rule reads mean_post"),
        (
            SPIKING.replace("clapp", "spectral") + '[spiking]\ncentred = false\nfixation = "59 ms"\ndendrite = "psp"',
            "spiking.dendrite = 'psp': rule 'spectral' contrasts nothing",
        ),
        (
            SPIKING.replace("clapp", "hebb") + '[spiking]\ncentred = false\nfixation = "59 ms"\ndendrite = "psp"',
            "spiking.dendrite = 'psp': rule 'hebb' has no context synapses",
        ),
        (
            SPIKING.replace('"clapp"', '"spectral"\ntop = "label"') + "[spiking]\ncentred = false",
            "rule.top = 'label': rule 'spectral' reads the mean of its context",
        ),
        (SPIKING + "[spiking]\ncovariance_rate = 0.2", "no rule reads running variances or covariances"),
        (
            SPIKING.replace("local", "feedback").replace("clapp", "dkp")
            + '[spiking]\ncentred = false\n[modulator.error]\ndelay = "65ms"',
            "modulator.error: feedback synapses that learn receive it at once",
        ),
        (PROJECTED.replace("projection = 8", "projection = 0"), "network.sends = 'projection': there is none"),
        (PROJECTED.replace('"projection"', '"prediction"'), "network.projection = 8, with sends = 'prediction'"),
        (
            PROJECTED + 'substrate = "brian-rate"\n[spiking]\ncentred = false',
            "network.sends = 'projection': in Brian2 only spiking layers with a local learner",
        ),
        (
            PROJECTED.replace('"lpl"', '"clapp"')
            + 'substrate = "spiking"\n[spiking]\nfixation = "59 ms"\ndendrite = "psp"',
            "network.projection = 8: its cells have no postsynaptic potentials",
        ),
        (
            PROJECTED + 'substrate = "spiking"\n[spiking]\ncentred = false\nw_max = 1.0\nweight_bits = 4',
            "network.projection = 8: its weights have any number of levels",
        ),
        (
            PROJECTED + 'substrate = "spiking"\n[spiking]\ncentred = false\ntag_stages = 2',
            "network.projection = 8: its synapses hold no tags",
        ),
        (
            PROJECTED.replace('"lpl"', '"clapp_bidirectional"') + 'substrate = "spiking"',
            "network.projection = 8: in Brian2 it cannot wait for a later fixation, as 'clapp_bidirectional'",
        ),
        (
            PROJECTED.replace('"lpl"', '"lpl"\nbelow_projection = "bp"')
            + 'substrate = "spiking"\n[spiking]\ncentred = false',
            "rule.below_projection = 'bp': needs feedback other than by random weights",
        ),
        (PROJECTED + 'units = "vector"', "network.projection = 8, with units = 'vector'"),
        (PROJECTED.replace("local", "feedback").replace("lpl", "dfa"), "learner = 'feedback' has its error from the"),
        (PROJECTED.replace('"lpl"', '"lpl"\nbelow_projection = "dfa"'), "rule.below_projection: rule 'dfa' does not"),
        (
            PROJECTED.replace('"lpl"', '"lpl"\nbelow_projection = "weight_mirror"'),
            "rule.below_projection: rule 'weight_mirror' needs more than this error",
        ),
        (
            PROJECTED.replace('"lpl"', '"clapp"\ncontext = "label"'),
            "network.projection = 8: no column receives another",
        ),
        (GOOD + 'below_projection = "fa"', "rule.below_projection = 'fa': layers have no projection"),
        (GOOD + '[spiking]\ncell = "alif"', "spiking: no layer is simulated in Brian2"),
        (GOOD + '[network]\nsubstrate = ["rate", "spikin"]', r"network.substrate = 'spikin' is not known"),
        (GOOD + '[network]\nsubstrate = ["spiking", "rate"]', r"network.shared = true, .* \(shared = false\)"),
        ('learner = "backprop"\n[network]\nsubstrate = "spiking"', "spikes have no gradient"),
        (DIRECT + 'masks = "tru"', r"rule.masks = 'tru' is not known .did you mean 'true'"),
        (DIRECT + 'feedback = "transpose"', r"feedback = 'transpose': not for an error whose route is direct"),
        (
            DIRECT + "[training]\nfeedback_eta = 2.0",
            r"training.feedback_eta = 2: rule 'dfa' has fixed feedback weights",
        ),
        (DIRECT + '[network]\nunits = "vector"', r"network.units = 'vector': rule 'dfa' is for scalar cells"),
        (DIRECT.replace("dfa", "gevb"), r"network.units = 'scalar': rule 'gevb' is for vector cells"),
        (GOOD + 'masks = "true"', r"masks = 'true': rule 'clapp' uses no error"),
        (
            DIRECT + 'masks = "true"\n[network]\nsubstrate = "spiking"',
            r"needs feedback other than by random weights",
        ),
        (
            DIRECT.replace("dfa", "sign_symmetry") + '[network]\nsubstrate = "spiking"',
            r"needs feedback other than by random weights",
        ),
        ("learner = 3", "learner = 3 is not known"),
        ("rule = 3\nlearner = 'local'", "rule = 3: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=complaint) as caught:
        read_model(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_learner_that_is_taught_sees_samples_in_one_view(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from cortexsim.modulators import ERROR\n"
        "from cortexsim.rules import ErrorPath, Rule, ThreeFactor\n"
        "W, B = ThreeFactor('derivative_post', 'feedback_post'), ThreeFactor('activity_post', '1')\n"
        "RULE = Rule('mine', 'dw = ...', 'me', W, B, modulators=(ERROR,), path=ErrorPath('direct'))\n"
    )
    (tmp_path / "mine.toml").write_text('learner = "feedback"\n[rule]\nname = "mine.py"\ncontext = "synonym"\n')
    with pytest.raises(
        UserError, match=r"mine.toml: rule.context = 'synonym': learner = 'feedback' uses a single view"
    ):
        find_model(str(tmp_path / "mine.toml"))


def test_a_missing_file_and_a_misspelt_name_are_named() -> None:
    with pytest.raises(UserError, match=r"none\.toml: No such file"):
        find_model("none.toml")
    with pytest.raises(UserError, match=r"model 'clap' is not known .did you mean 'clapp'"):
        find_model("clap")


def test_a_model_may_bring_its_own_rule(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from cortexsim.modulators import AROUSAL\n"
        "from cortexsim.rules import Rule, ThreeFactor\n"
        "RULE = Rule('mine', 'dw = z x', 'me', ThreeFactor('activity_post', 'arousal_all'), modulators=(AROUSAL,))\n"
    )
    (tmp_path / "mine.toml").write_text('learner = "local"\n[rule]\nname = "mine.py"\n')
    assert find_model(str(tmp_path / "mine.toml")).plasticity_rule().name == "mine"


def test_every_choice_of_a_table_is_one_that_the_engines_have() -> None:
    fields = NetworkTable.model_fields
    assert set(get_args(fields["transfer"].annotation)) == set(TRANSFERS)
    assert set(get_args(get_args(RuleTable.model_fields["feedback"].annotation)[0])) == set(FEEDBACK)
    assert set(get_args(get_args(RuleTable.model_fields["masks"].annotation)[0])) == set(MASKS)
    assert {"labels", *CONTRASTS} == set(get_args(TrainingTable.model_fields["loss"].annotation))
