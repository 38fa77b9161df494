"""The workshop's sessions: plain ``nox`` is what a change must pass.

Versions of the tools stand in pyproject.toml under ``[dependency-groups]``; the package itself is installed as a user
would install it. With ``CI`` set every environment is made anew, and an interpreter that is missing is skipped all the
same: that a machine lacks Python 3.15 says nothing about the change.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "schema", "tests", "examples"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "no" if os.environ.get("CI") else "yes"
nox.options.default_venv_backend = "uv|virtualenv"

PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
COVERED = f"{sys.version_info.major}.{sys.version_info.minor}"  # the one that runs nox is the one that is always there

PACKAGE = "elarian_trio"
PLUGIN = "_elarian_trio_pytest.py"
SCHEMA = Path("schema")
PROTO_PACKAGE = "elarian_trio.wire"
COMPILED = Path("elarian_trio/_wire/_pb")
COMPILED_PACKAGE = "elarian_trio._wire._pb"

# Rooms without I/O and the tests of their own that must reach every branch of them.
ROOMS = {
    "elarian_trio/_arguments.py": "test/unit/test_arguments.py",
    "elarian_trio/_late.py": "test/unit/test_late.py",
    "elarian_trio/errors.py": "test/unit/test_errors.py",
    "elarian_trio/options.py": "test/unit/test_options.py",
    "elarian_trio/models": "test/unit/models",
    "elarian_trio/_wire": "test/unit/_wire",
    "elarian_trio/_rsocket": "test/unit/_rsocket",
    "elarian_trio/sandbox/world": "test/unit/sandbox_world",
    "elarian_trio/sandbox/books.py": "test/unit/sandbox_planship",
    "elarian_trio/sandbox/exchange.py": "test/unit/sandbox_planship",
    "elarian_trio/sandbox/planship/rules": "test/unit/sandbox_planship",
    "elarian_trio/sandbox/talonone": "test/unit/sandbox_talonone",  # its server, too: over sockets of the machine's own
    "elarian_trio/talonone": "test/unit/talonone",  # its client, too: what it sends goes to a service of the test's
    "elarian_trio/_http/exchange.py": "test/unit/_http",
    "elarian_trio/planship/models.py": "test/unit/planship",
    "elarian_trio/planship/reading.py": "test/unit/planship/test_planship_models.py",
    "elarian_trio/planship/endpoints.py": "test/unit/planship/test_planship_endpoints.py",
}

JS_TRANSPORTS = ("tcp-client", "tcp-server", "websocket-client", "websocket-server")
# Folders of npm packages that test/interop and test/bench find peers in; two lines of rsocket-js cannot share one.
NPM_PEERS = {
    "js0": [f"rsocket-{part}@0.0.27" for part in ("core", "flowable", "types", *JS_TRANSPORTS)] + ["ws@7"],
    "js1": [f"rsocket-{part}@1.0.0-alpha.3" for part in ("core", *JS_TRANSPORTS)] + ["ws@8"],
    "sdk": ["elarian@0.2.25"],
    "planship": ["@planship/fetch@0.3.4", "ws@8"],
    "talon-one": ["talon_one@4.3.0"],
}

SHIPS_TYPES = f"""
import importlib.resources
import {COMPILED_PACKAGE}.app_socket_pb2
package = importlib.resources.files("{PACKAGE}")
assert package.joinpath("py.typed").is_file()
assert package.joinpath("_wire/_pb/app_socket_pb2.pyi").is_file()
"""


def group(name: str) -> list[str]:
    """The pinned requirements of one dependency group."""
    return nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), name)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, checkpoints of async functions, and who imports whom."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    checkpoints = "ASYNC910,ASYNC911,ASYNC912,ASYNC913"
    session.run("flake8", f"--select={checkpoints}", f"--enable={checkpoints}", "--exclude=_pb", PACKAGE)
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types in the package, complete types at its door, and programs as users write them."""
    session.install("-e", ".[all]", *group("types"))
    programs = [folder for folder in ("test/typed", "examples") if any(Path(folder).glob("*.py"))]
    session.run("mypy", PACKAGE, PLUGIN)
    for program in programs:
        session.run("mypy", program)
    session.run("pyright", PACKAGE, PLUGIN, *programs)
    readme = readme_program(Path(session.create_tmp()).resolve() / "readme_program.py")
    session.run("mypy", "--config-file=", "--strict", readme)
    session.run("pyright", readme)
    session.run("pyright", "--ignoreexternal", "--verifytypes", PACKAGE)


def readme_program(path: Path) -> str:
    """Write the first program of the README where a type checker can read it, with the checks of a reader's editor."""
    fences = Path("README.md").read_text(encoding="utf-8").split("```")
    path.write_text(fences[1].replace("python", "# pyright: standard", 1), encoding="utf-8")
    return str(path)


@nox.session
def schema(session: nox.Session) -> None:
    """Compile schema/ again and compare with what is committed; ``nox -s schema -- --write`` replaces it."""
    session.install(*group("schema"))
    fresh = compile_schema(session, Path(session.create_tmp()).resolve())
    if "--write" in session.posargs:
        for path in fresh:
            shutil.copy(path, COMPILED / path.name)
    committed = {path.name for path in COMPILED.glob("*_pb2.py*")}
    different = {path.name for path in fresh if not same(path, COMPILED / path.name)}
    different |= committed - {path.name for path in fresh}
    if different:
        session.error(f"{COMPILED} is not what {SCHEMA} compiles to: {', '.join(sorted(different))}")


def compile_schema(session: nox.Session, output: Path) -> list[Path]:
    """Compile every file of schema/ into *output*.

    protoc derives the Python import path from the proto path, and the proto path is the key under which protobuf keeps
    a file for the whole process. Ours says ``elarian_trio/wire``; the room says ``elarian_trio/_wire/_pb``.
    """
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    sources = sorted(path.as_posix() for path in SCHEMA.rglob("*.proto"))
    to = output.as_posix()
    session.run("python", "-m", "grpc_tools.protoc", f"-I{SCHEMA}", f"--python_out={to}", f"--pyi_out={to}", *sources)
    compiled = sorted(output.rglob("*_pb2.py*"))
    imported = re.compile(rf"{re.escape(PROTO_PACKAGE)}(?= import |\.\w+_pb2)")
    for path in compiled:
        path.write_bytes(imported.sub(COMPILED_PACKAGE, path.read_text(encoding="utf-8")).encode())
    return compiled


def same(one: Path, other: Path) -> bool:
    """Whether both files are there and hold the same."""
    return other.exists() and filecmp.cmp(one, other, shallow=False)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Every test, on each interpreter that is here; with branch coverage on the one that runs nox."""
    session.install("-e", ".[all]", *group("tests"))
    if session.python != COVERED:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    measured = {"COVERAGE_FILE": str(Path(session.create_tmp()).resolve() / "coverage")}
    session.run("python", "-m", "coverage", "run", "-m", "pytest", *session.posargs, env=measured)
    session.run("python", "-m", "coverage", "report", env=measured)


@nox.session
def lowest(session: nox.Session) -> None:
    """Every test with the oldest packages that pyproject.toml allows: its bounds are seen, not believed."""
    session.install("uv")
    uv = ("uv", "pip", "install", "--quiet", "--python", str(Path(session.bin, "python")))
    session.run(*uv, "--resolution", "lowest-direct", "-e", ".[all]", *group("tests"))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Each room without I/O by its own tests: every branch."""
    session.install("-e", ".[all]", *group("tests"))
    measured = {"COVERAGE_FILE": str(Path(session.create_tmp()).resolve() / "coverage")}
    for room, its_tests in ROOMS.items():
        include = f"{room}/*" if Path(room).is_dir() else room
        session.run("python", "-m", "coverage", "run", "-m", "pytest", "-q", its_tests, env=measured)
        session.run("python", "-m", "coverage", "report", f"--include={include}", "--fail-under=100", env=measured)


@nox.session
def faults(session: nox.Session) -> None:
    """Connections cut, stalled, garbled and lost by the thousand, and what must come of it counted: CI's size."""
    session.install("-e", ".[all]", *group("tests"))
    run_in_halves(session, "test/faults", ELARIAN_TRIO_FAULTS="ci")


@nox.session
def trials(session: nox.Session) -> None:
    """The sandbox's server killed, its disk failing, its rules under random commands, its runs compared: CI's size."""
    session.install("-e", ".[all]", *group("tests"))
    run_in_halves(session, "test/trials", ELARIAN_TRIO_FAULTS="ci")


@nox.session
def crash(session: nox.Session) -> None:
    """The sandbox's server killed 200 times under load, and its disk failing as often: minutes."""
    session.install("-e", ".[all]", *group("tests"))
    run_in_halves(session, "test/trials/test_kills.py", "test/trials/test_disk.py", ELARIAN_TRIO_FAULTS="soak")


@nox.session
def scale(session: nox.Session) -> None:
    """A sandbox with a million customers and as many pending reminders in its file: minutes, and 2 GB of disk."""
    session.install("-e", ".[all]", *group("tests"))
    command = ("python", "-m", "pytest", "test/scale", *patient("soak"))
    session.run(*command, *session.posargs, env={"ELARIAN_TRIO_FAULTS": "soak"})


@nox.session
def soak(session: nox.Session) -> None:
    """Faults and trials ten times over, and every cut crossed with every other: hours."""
    session.install("-e", ".[all]", *group("tests"))
    run_in_halves(session, "test/faults", "test/trials", ELARIAN_TRIO_FAULTS="soak")


def patient(size: str) -> list[str]:
    """Give the words that let a test of that size take its time: what shows where one hangs may crash one that runs."""
    return ["-o", f"faulthandler_timeout={3600 if size == 'soak' else 120}"]


def run_in_halves(session: nox.Session, *places: str, **environment: str) -> None:
    """Run the tests of folders or files in two processes at once, one a backend: each keeps one core busy."""
    command = [str(Path(session.bin, "python")), "-m", "pytest", *places, "-p", "no:cacheprovider"]
    command += patient(environment.get("ELARIAN_TRIO_FAULTS", ""))
    surroundings = {**os.environ, **environment}
    output = Path(session.create_tmp()).resolve() / "other.log"
    other = [*command, "-k", "not trio", *session.posargs]
    with output.open("wb") as log, subprocess.Popen(other, env=surroundings, stdout=log, stderr=log) as beside:
        ahead = subprocess.run([*command, "-k", "trio", *session.posargs], env=surroundings, check=False)
    session.log(f"the other half:\n{output.read_text(encoding='utf-8', errors='replace')}")
    if ahead.returncode or beside.returncode:
        session.error(f"pytest ended with {ahead.returncode} and {beside.returncode}")


@nox.session
def interop(session: nox.Session) -> None:
    """Peers that others wrote, at both ends; they are installed into this session's own temporary folder."""
    if not (shutil.which("node") and shutil.which("npm")):
        session.skip("node and npm are not installed")
    session.install("-e", ".[all]", *group("tests"))
    peers = Path(session.create_tmp()).resolve() / "peers"
    for line in NPM_PEERS:
        install_npm_peer(session, peers, line)
    session.run("python", "-m", "venv", "--clear", str(peers / "venv"))
    pip = (str(python_in(peers / "venv")), "-m", "pip", "install", "--quiet")
    session.run(*pip, *group("interop-peer"), external=True)
    install_python_sdk(session, peers / "python-sdk")
    session.run("python", "-m", "venv", "--clear", str(peers / "planship-python"))
    planship = (str(python_in(peers / "planship-python")), "-m", "pip", "install", "--quiet")
    session.run(*planship, *group("interop-planship"), external=True)
    build_java_peer(session, peers / "java")
    build_go_peer(session, peers / "go")
    run_in_halves(session, "test/interop", ELARIAN_TRIO_PEERS=str(peers))


@nox.session
def bench(session: nox.Session) -> None:
    """Us and our peers side by side, written down in test/bench/RESULTS.md; fails where a figure is missed: minutes.

    With ``-- --only raw`` or ``-- --quick``, which measure a part, nothing is written.
    """
    session.install("-e", ".[all]")
    peers = Path(session.create_tmp()).resolve() / "peers"
    python = python_in(peers / "rsocket-py")
    session.run("python", "-m", "venv", "--clear", str(peers / "rsocket-py"))
    session.run(str(python), "-m", "pip", "install", "--quiet", *group("bench-peer"), external=True)
    words = ["--rsocket-python", str(python)]
    if shutil.which("node") and shutil.which("npm"):
        words += ["--node-modules", str(install_npm_peer(session, peers, "sdk"))]
    words += session.posargs or ["--output", "test/bench/RESULTS.md"]
    session.run("python", "test/bench", *words)


def install_npm_peer(session: nox.Session, peers: Path, line: str) -> Path:
    """Install the packages of *line* into a folder of *peers*; give where they are then."""
    folder = peers / line
    folder.mkdir(parents=True, exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--loglevel=error")
    session.run("npm", "install", "--prefix", str(folder), *quiet, *NPM_PEERS[line], external=True)
    return folder / "node_modules"


def python_in(environment: Path) -> Path:
    """Where the interpreter of a virtual environment is."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install_python_sdk(session: nox.Session, output: Path) -> None:
    """Install Elarian's own Python SDK into *output*, with the protobuf it asks for; without it no test meets it."""
    session.run("python", "-m", "venv", "--clear", str(output))
    python = str(python_in(output))
    session.run(python, "-m", "pip", "install", "--quiet", *group("interop-sdk"), external=True, success_codes=[0, 1])
    imported = session.run(python, "-c", "import elarian", external=True, silent=True, success_codes=[0, 1])
    if imported:
        session.warn(f"Elarian's Python SDK does not run here, so its tests are skipped: {imported}")
        shutil.rmtree(output, ignore_errors=True)


def build_java_peer(session: nox.Session, output: Path) -> None:
    """Build test/interop/java into *output*, with what it stands on; without it its tests are skipped."""
    shutil.rmtree(output, ignore_errors=True)
    if not (shutil.which("java") and shutil.which("mvn")):
        session.warn("java and mvn are not installed: no peer in Java")
        return
    quiet = ("-q", "-B", "-Dstyle.color=never", f"-Dmaven.repo.local={output.with_name('maven')}")
    goals = ("package", "dependency:copy-dependencies", "-DincludeScope=runtime", f"-Doutput={output}")
    with session.chdir("test/interop/java"):
        session.run("mvn", *quiet, *goals, external=True, success_codes=[0, 1])
    if not (output / "dependency").is_dir():
        session.warn("Maven could not build the peer in Java: its tests are skipped")
        shutil.rmtree(output, ignore_errors=True)


def build_go_peer(session: nox.Session, output: Path) -> None:
    """Build test/interop/go into *output*; without it its tests are skipped."""
    shutil.rmtree(output, ignore_errors=True)
    if not shutil.which("go"):
        session.warn("go is not installed: no peer in Go")
        return
    program = output / ("peer.exe" if os.name == "nt" else "peer")
    with session.chdir("test/interop/go"):
        session.run("go", "build", "-o", str(program), ".", external=True, success_codes=[0, 1])
    if not program.exists():
        session.warn("the peer in Go could not be built: its tests are skipped")


@nox.session
def examples(session: nox.Session) -> None:
    """The examples from the package as it would be installed, on both backends."""
    session.install(".[all]")
    session.run("python", "examples/loan_collection.py", silent=True)
    session.run("python", "examples/loan_collection.py", "--backend", "asyncio", silent=True)
    session.run("python", "examples/ussd_bank.py", silent=True)
    session.run("python", "examples/airtime_shop.py", silent=True)
    session.run("python", "examples/airtime_shop.py", "--backend", "asyncio", silent=True)
    session.run("python", "-m", "pytest", "-q", "--rootdir=examples", "examples/test_ussd_bank.py")


@nox.session
def build(session: nox.Session) -> None:
    """Source archive and wheel, and the wheel in an environment that has nothing else."""
    session.install(*group("build"))
    output = Path(session.create_tmp()).resolve() / "dist"
    shutil.rmtree(output, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(output))
    archives = sorted(str(path) for path in output.iterdir())
    session.run("twine", "check", "--strict", *archives)
    session.install("--force-reinstall", str(next(output.glob("*.whl"))))
    with session.chdir(output):
        session.run("python", "-c", SHIPS_TYPES)
        session.run("elarian-trio", "--version")
        session.run("python", "-m", PACKAGE, "--version")
