"""What a compiled program promises: no trace of how a run was cut, what it ran beside, or that it was evaluated."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cortexsim.errors import UserError
from cortexsim.modulators import Modulator
from cortexsim.rules import Rule, ThreeFactor, known_rules
from cortexsim.spiking import Control, LayerSpec, Settings, Stack, State, Stream, Timing, compiling, describe, program
from cortexsim.spiking.cache import seal
from tests.quick import slow_but

FIXATIONS = 30


def small(settings: Settings, rule: Rule, target: str = "cpp") -> Stack:
    specs = [
        LayerSpec(1, 2, 6, 8, "spiking", True, "sibling", False, settings.input_rate, context_sources=((1,), (0,)))
    ]
    return Stack(*describe(specs, 4, rule, settings, 12), target)


def begun(stack: Stack) -> State:
    draw = np.random.default_rng(0)
    state = stack.initial_state()
    for key in ("feedforward1.w", "context1.w"):
        state[key] = draw.normal(0.3, 0.5, len(state[key]))
    return state


def stream() -> Stream:
    shown = (np.random.default_rng(1).uniform(size=(FIXATIONS, 16)) < 0.3).astype(float)
    return Stream(shown, np.arange(FIXATIONS), eta_factor=np.linspace(1, 0.5, FIXATIONS))


SETTINGS = Settings(input_rate=400.0, eta=6e-3, context_eta=3.0, homeostasis=3e-4, weight_decay=1e-3)
DELAYED = replace(SETTINGS, reset_traces=False, control={"surprise": Control(delay=2, tau_filter=0.1)})


@pytest.fixture(scope="module")
def stack() -> Stack:
    return small(SETTINGS, known_rules()["clapp"])


def equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


PSP = replace(SETTINGS, dendrite="psp", timing=Timing(1e-3, 60e-3, 4e-3))


@pytest.mark.parametrize(
    "settings", slow_but([SETTINGS], [SETTINGS, DELAYED, PSP]), ids=["plain", "delayed and not cleared", "psp"]
)
def test_chunks_of_any_size_give_the_same_spikes_and_weights(settings: Settings) -> None:
    stack = small(settings, known_rules()["clapp"])
    outcomes = [stack.run(stream(), begun(stack), seed=5, chunk=size) for size in (1, 7, 12)]
    (first, state), *others = outcomes
    assert first.spikes["layer1"] > 100
    assert not equal(begun(stack), state)
    for outcome, after in others:
        assert np.array_equal(outcome.activity["layer1"], first.activity["layer1"])
        assert outcome.spikes == first.spikes
        assert equal(after, state)


@pytest.mark.slow
def test_every_target_gives_the_same_spikes_and_weights(stack: Stack) -> None:
    slow = small(SETTINGS, known_rules()["clapp"], "numpy")
    (fast_outcome, fast), (slow_outcome, after) = (entry.run(stream(), begun(entry), seed=5) for entry in (stack, slow))
    assert fast_outcome.spikes == slow_outcome.spikes
    for key, values in fast.items():
        np.testing.assert_allclose(values, after[key], rtol=1e-12, atol=1e-14)


def test_an_interpreted_network_is_run_again_from_its_start() -> None:
    """Whatever was run meanwhile, at another time step too; and copies build their own."""
    stack, learns = small(SETTINGS, known_rules()["clapp"], "numpy"), stream()[:4]
    first, state = stack.run(learns, begun(stack), seed=5)
    finer = small(replace(SETTINGS, timing=Timing(5e-4, 10e-3, 5e-3)), known_rules()["clapp"], "numpy")
    finer.run(learns[:1], begun(finer), seed=5)
    stack.run(Stream(1 - learns.inputs[:2], np.arange(2)), begun(stack), seed=1)
    for other in (stack, deepcopy(stack)):
        again, after = other.run(learns, begun(other), seed=5)
        assert np.array_equal(again.activity["layer1"], first.activity["layer1"])
        assert again.spikes == first.spikes
        assert equal(after, state)


def test_evaluation_changes_nothing(stack: Stack) -> None:
    state = stack.run(stream(), begun(stack), seed=5)[1]
    copy = {key: values.copy() for key, values in state.items()}
    outcome, after = stack.run(Stream(stream().inputs, np.arange(FIXATIONS)), state, seed=9)
    assert outcome.spikes["layer1"] > 100
    assert equal(copy, state)
    assert equal(copy, after)


def test_programs_do_not_disturb_each_other(stack: Stack) -> None:
    alone = [stack.run(stream(), begun(stack), seed=seed)[1] for seed in (1, 2)]
    with ThreadPoolExecutor() as pool:
        together = list(pool.map(lambda seed: stack.run(stream(), begun(stack), seed=seed)[1], (1, 2)))
    assert not equal(*alone)
    assert all(equal(*pair) for pair in zip(alone, together, strict=True))


def test_other_seeds_constants_and_data_need_no_compiler(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.run(stream(), begun(stack), seed=0)

    def refuse(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(program, "compile_into", refuse)
    other = replace(SETTINGS, eta=0.5, tau_eligibility=20e-3, parameters={"tau_membrane": "15 ms"}, input_rate=300.0)
    changed = small(other, known_rules()["clapp"].with_constants({"margin": 2.0}, {"surprise": 0.5}))
    start = time.perf_counter()
    after = changed.run(stream(), begun(changed), seed=1)[1]
    assert not equal(after, stack.run(stream(), begun(stack), seed=1)[1])
    print(f"a second program began and ended in {time.perf_counter() - start:.2f} s")


def test_a_program_asked_for_several_times_at_once_is_compiled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEXSIM_CACHE", str(tmp_path))
    calls: list[int] = []

    def compiled(folder: Path, description: object) -> None:
        calls.append(1)
        time.sleep(0.2)
        folder.mkdir()
        seal(folder, {"key": folder.name, "files": {}, "streams": []})

    monkeypatch.setattr(program, "compile_into", compiled)
    description = small(SETTINGS, known_rules()["clapp"]).description
    with ThreadPoolExecutor() as pool:
        folders = list(pool.map(lambda _: program.Program(description).folder, range(4)))
    assert len(set(folders)) == 1
    assert calls == [1]


def test_without_a_compiler_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    with pytest.raises(UserError, match=r"need a C\+\+ compiler and make.*apt install g\+\+ make.*--target numpy"):
        compiling.compiler()


def test_the_compiler_of_the_environment_may_have_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "env -u LANG g++")
    path, *arguments = compiling.compiler()
    assert (Path(path).name, arguments) == ("env", ["-u", "LANG", "g++"])


def test_a_program_that_fails_says_so(stack: Stack) -> None:
    with pytest.raises(
        UserError, match=r"main: failed \(exit code 1: Cannot set unknown variable 'simulation.nothing'"
    ):
        stack.engine.run({"simulation.nothing": 1.0}, {}, [])


# What may be done to a modulator on its way.


def after(control: Control, fixations: int = 8) -> tuple[State, State]:
    stack = small(replace(SETTINGS, control={"surprise": control}, weight_decay=0.0), known_rules()["clapp"], "numpy")
    shown = stream()[:fixations]
    return begun(stack), stack.run(shown, begun(stack), seed=5)[1]


def changed(control: Control, fixations: int = 8) -> float:
    before, state = after(control, fixations)
    return float(np.abs(state["feedforward1.w"] - before["feedforward1.w"]).max())


def test_a_lesioned_modulator_teaches_nothing() -> None:
    assert changed(Control(lesion=True)) == 0
    assert changed(Control()) > 1e-3


def test_a_delayed_modulator_arrives_as_many_fixations_later() -> None:
    assert changed(Control(delay=3), fixations=3) == 0
    assert changed(Control(delay=3), fixations=4) > 0


def test_a_filtered_modulator_is_weaker_at_first() -> None:
    assert 0 < changed(Control(tau_filter=1.0), fixations=1) < 0.2 * changed(Control(), fixations=1)


def test_a_clamped_modulator_teaches_what_it_is_clamped_to() -> None:
    before, state = after(Control(clamp=0.0))
    assert np.array_equal(state["feedforward1.w"], before["feedforward1.w"])
    assert changed(Control(clamp=1.0)) > 0


def test_a_shuffled_modulator_is_another_one() -> None:
    plain, shuffled = after(Control())[1], after(Control(shuffle=True))[1]
    assert not np.allclose(plain["feedforward1.w"], shuffled["feedforward1.w"], atol=1e-3)


# What keeps cells and weights in their range.


@pytest.mark.slow
def test_soft_bounds_hold_weights_that_would_grow_past_them() -> None:
    grown = {}
    for bound in (0.0, 1.0):
        stack = small(replace(SETTINGS, eta=1.0, context_eta=0.5, w_max=bound), known_rules()["clapp"], "numpy")
        state = begun(stack)
        state["feedforward1.w"] = np.clip(state["feedforward1.w"], -0.9, 0.9)
        grown[bound] = np.abs(stack.run(stream(), state, seed=5)[1]["feedforward1.w"]).max()
    assert grown[1.0] < 1 < grown[0.0]


def test_homeostasis_and_running_means_follow_the_activity() -> None:
    stack = small(replace(SETTINGS, homeostasis=0.01, target_activity=0.3), known_rules()["clapp"], "numpy")
    outcome, after = stack.run(stream(), begun(stack), seed=5)
    activity, mean = outcome.activity["layer1"], np.zeros(12)
    for row in activity:
        mean += SETTINGS.mean_rate * (row - mean)
    np.testing.assert_allclose(after["layer1.mean"], mean, rtol=1e-9)
    np.testing.assert_allclose(after["layer1.bias"], 0.01 * (0.3 - activity).sum(0), rtol=1e-9)


def test_modulators_may_have_names_that_cells_use_too() -> None:
    modulator = Modulator("saccade", value="contrast_all")
    rule = Rule(
        "names", "", "", ThreeFactor("derivative_post", "saccade_all * dendrite_post"),
        context=ThreeFactor("activity_post", "saccade_all"), modulators=(modulator,),
    )  # fmt: skip
    stack = small(SETTINGS, rule, "numpy")
    before = begun(stack)
    after = stack.run(stream()[:3], before, seed=5)[1]
    assert not np.array_equal(after["context1.w"], before["context1.w"])


def test_halves_of_samples_with_large_numbers_have_input_of_their_own() -> None:
    stack = small(PSP, known_rules()["clapp"], "numpy")
    shown = np.ones((4, 16))
    rows = stack._streams(Stream(shown, np.array([2**30 + 5, 2**30 + 999, 2**31 - 7, 3])))["stimulus_id"][:8]
    assert len(set(rows)) == 8
    assert rows.max() < 2**31


def test_the_files_of_a_run_live_in_memory_and_old_ones_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(program, "MEMORY", str(tmp_path))
    monkeypatch.setattr(program, "MEMORY_NEEDED", 0)
    for name, age in (("cortexsim-old", 2 * program.DAY), ("cortexsim-young", 60.0), ("other", 2 * program.DAY)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    assert program.scratch_folder.__wrapped__() == str(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"cortexsim-young", "other"}
    monkeypatch.setattr(program, "MEMORY_NEEDED", 1 << 60)
    assert program.scratch_folder.__wrapped__() is None
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert program.scratch_folder.__wrapped__() is None
