"""Text that Brian2 generates is replaced where it has the known form; any other form ends in an error."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cortexsim.rules import known_rules
from cortexsim.spiking.device import along_row
from tests.spiking.test_program import SETTINGS, small


def test_cells_are_looked_up_along_the_row() -> None:
    known = "const int32_t _postsynaptic_idx = _ptr_array_synaptic_post[_idx];"
    assert along_row([known]) == "const int32_t _postsynaptic_idx = _row_post + _place;"


@pytest.mark.parametrize("cell", ["pre", "post"])
def test_a_form_of_another_version_is_refused(cell: str) -> None:
    with pytest.raises(RuntimeError, match=f"looks up {cell}synaptic cells has an unknown form"):
        along_row(f"const int32_t _{cell}synaptic_idx = _lookup(_idx);")


@pytest.mark.slow
def test_a_program_reads_headers_that_were_compiled_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "env g++")
    (tmp_path / "description.json").write_text(small(SETTINGS, known_rules()["clapp"]).description.to_json())
    build = [sys.executable, "-m", "cortexsim.spiking.build", str(tmp_path / "description.json"), str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True)
    target = next(tmp_path.glob("code_objects/*.o")).relative_to(tmp_path)
    make = subprocess.run(["make", "-nB", str(target)], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert make.stdout.startswith("env g++ ")
    read = subprocess.run([*shlex.split(make.stdout), "-H"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "! ./headers.h.gch" in read.stderr, "as GCC marks a compiled header that it could use"
