"""The first lines of a test run: how long all tests took the last time."""

import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parent / "conftest.py"
SETTINGS = """[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = "-m 'not slow'"
markers = ["slow: not run here"]
"""


def run(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300).stdout


def test_a_whole_run_says_how_long_the_last_one_took(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "tests" / "test_one.py").write_text("def test_one():\n    pass\n")
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    first, some, again = run(tmp_path), run(tmp_path, "tests/test_one.py"), run(tmp_path)
    assert "1 passed" in first
    assert "the last time they took" not in first + some
    assert "cortexsim: all tests but the slow ones; about five minutes on two cores" in first
    assert "cortexsim: all tests but the slow ones; the last time they took " in again
