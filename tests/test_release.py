"""What people take home: the package as it is built, and the files beside it."""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import cortexsim
from cortexsim.config.provenance import code_digest
from cortexsim.studies import reproducing

ROOT = Path(cortexsim.__file__).parent.parent
LARGEST = 5 << 20  # Bytes of a wheel.

if not (ROOT / "pyproject.toml").exists():
    pytest.skip("the package is installed apart from its checkout", allow_module_level=True)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    build = pytest.importorskip("hatchling.build")
    folder, before = tmp_path_factory.mktemp("dist"), Path.cwd()
    os.chdir(ROOT)
    try:
        return {"wheel": folder / build.build_wheel(str(folder)), "sdist": folder / build.build_sdist(str(folder))}
    finally:
        os.chdir(before)


def test_a_wheel_holds_all_that_runs_and_is_small(built: dict[str, Path], tmp_path: Path) -> None:
    assert built["wheel"].stat().st_size < LARGEST
    with zipfile.ZipFile(built["wheel"]) as wheel:
        wheel.extractall(tmp_path)
    parts = {
        path.relative_to(ROOT / "cortexsim"): path
        for path in (ROOT / "cortexsim").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert all((tmp_path / "cortexsim" / name).read_bytes() == path.read_bytes() for name, path in parts.items())
    assert Path("py.typed") in parts
    code = (
        "import json; from cortexsim.config import provenance, registry; import cortexsim;"
        "print(json.dumps([cortexsim.__file__, provenance.code_digest(), cortexsim.__version__,"
        " list(registry.model_paths()), list(registry.experiment_paths())]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    file, digest, version, models, experiments = json.loads(found.stdout)
    assert Path(file).is_relative_to(tmp_path)
    assert digest == code_digest()
    assert version == cortexsim.__version__
    assert models == sorted(path.stem for path in (ROOT / "models").glob("*.toml"))
    assert set(experiments) == {path.parent.name for path in (ROOT / "experiments").glob("*/README.md")} - {"tuning"}


def test_a_source_distribution_holds_all_that_is_needed_to_test_and_build(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as file:
        names = {Path(name).relative_to(Path(name).parts[0]).as_posix() for name in file.getnames()}
    wanted = ["pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "CHANGELOG.md", "CONTRIBUTING.md"]
    wanted += ["REPRODUCING.md", "docs/index.md", "tests/test_release.py", "models/clapp.toml", "cortexsim/py.typed"]
    assert set(wanted) <= names


def test_the_version_has_one_place() -> None:
    assert "version" not in PROJECT
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {cortexsim.__version__}\n" in citation
    assert f"\n## {cortexsim.__version__} (" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_citation_is_valid() -> None:
    """The required keys of the Citation File Format 1.2.0, each of its type."""
    yaml = pytest.importorskip("ruamel.yaml")
    citation = yaml.YAML(typ="safe").load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert all(isinstance(citation[key], str) for key in ("message", "title", "version", "license", "date-released"))
    for entry in [citation, *citation["references"]]:
        assert entry["authors"]
        for author in entry["authors"]:
            assert author.keys() in ({"name"}, {"family-names", "given-names"})
    for reference in citation["references"]:
        assert {"type", "title", "year", "doi"} <= reference.keys()
        assert re.fullmatch(r"10\.\d+/\S+", reference["doi"])


def test_the_licence_of_every_dependency_is_listed() -> None:
    extras = [line for several in PROJECT["optional-dependencies"].values() for line in several]
    needed = {re.match(r"[\w-]+", line)[0] for line in PROJECT["dependencies"] + extras}  # type: ignore[index]
    lines = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
    listed = {line.split("|")[1].strip() for line in lines if line.count("|") == 4}
    assert needed <= listed


def test_every_experiment_is_listed_with_how_it_is_measured_again() -> None:
    written = (ROOT / reproducing.FILE).read_text(encoding="utf-8")
    assert reproducing.listed(written) == written, "cortexsim experiment NAME --from-rows writes it anew"


def test_ci_runs_the_line_of_the_readme() -> None:
    (line,) = re.findall(r"^(pip install .*pytest) +# run the tests", (ROOT / "README.md").read_text(), re.MULTILINE)
    run = (ROOT / ".ci" / "run").read_text().splitlines()
    assert set(line.split(" && ")) <= set(run)
