"""The pytest plugin: what ``elarian_trio.testing`` describes, under pytest-trio and under anyio's plugin.

It stands outside the package because pytest imports it in every run of every suite where the package is installed.
So it imports nothing of ours, and nothing but pytest, before a test wants one of its fixtures.

The fixtures are plain async generators, which both plugins run: pytest-trio where the test is marked ``trio``, anyio's
where it is marked ``anyio``. Each of them leaves such fixtures of the other's tests alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from elarian_trio import ConnectionOptions
    from elarian_trio.sandbox import Clock, Sandbox
    from elarian_trio.testing import AppUnderTest, Phone
    from elarian_trio.testing.stage import Program, Stage

MARKER = (
    "elarian(**options): arguments of the sandbox behind elarian_sandbox, such as channels=[...] or settle='manual'"
)

PYTEST_TRIO = ("trio", "pytest_trio", "pytest_trio.plugin")  # by its entry point's name, or as "-p" was told

UNMARKED = """
the elarian_* fixtures are for async tests that pytest-trio or anyio's plugin run, and {test} is none:
make it an async function, and mark it
    @pytest.mark.anyio    for anyio's plugin, which is there already
    @pytest.mark.trio     for pytest-trio, to be installed
"""


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


# What suites override.


@pytest.fixture
def elarian_sandbox_options() -> dict[str, Any]:
    """Arguments of the sandbox for every test; override it. A test's own marker ``elarian`` has the last word."""
    return {}


@pytest.fixture
def elarian_app_options() -> ConnectionOptions | None:
    """The options of the app's connection; override it to give other ones."""
    return None


@pytest.fixture
def elarian_program() -> Program | None:
    """What runs beside each test that takes elarian_app, an async function of the app; override it to give one."""
    return None


# What tests take.


@pytest.fixture
async def elarian_sandbox(
    _elarian_stage: Stage, elarian_sandbox_options: dict[str, Any], _elarian_marker: dict[str, Any]
) -> AsyncIterator[Sandbox]:
    """An Elarian server for this test, in this process."""
    from elarian_trio.testing.fixtures import open_sandbox

    async with open_sandbox(_elarian_stage, {**elarian_sandbox_options, **_elarian_marker}) as sandbox:
        yield sandbox


@pytest.fixture
async def elarian_app(
    _elarian_stage: Stage,
    elarian_sandbox: Sandbox,
    elarian_app_options: ConnectionOptions | None,
    elarian_program: Program | None,
) -> AsyncIterator[AppUnderTest]:
    """The app, connected to the sandbox."""
    from elarian_trio.testing.fixtures import open_app

    async with open_app(_elarian_stage, elarian_sandbox, elarian_app_options, elarian_program) as app:
        yield app


@pytest.fixture
async def elarian_phone(_elarian_stage: Stage, elarian_sandbox: Sandbox) -> AsyncIterator[Phone]:
    """A customer's phone; elarian_phone.of(number) is another customer's."""
    from elarian_trio.testing.fixtures import open_phone

    async with open_phone(_elarian_stage, elarian_sandbox) as phone:
        yield phone


@pytest.fixture
def elarian_clock(elarian_sandbox: Sandbox) -> Clock:
    """The sandbox's clock: await elarian_clock.advance(timedelta(days=3))."""
    return elarian_sandbox.clock


# What these stand on.


@pytest.fixture
async def _elarian_stage(_elarian_runs_async: None) -> AsyncIterator[Stage]:
    """What is open beside the test, and what failed there."""
    from elarian_trio.testing.stage import open_stage

    __tracebackhide__ = True
    async with open_stage() as stage:
        yield stage


@pytest.fixture
def _elarian_runs_async(request: pytest.FixtureRequest) -> None:
    """See, ahead of every async fixture, that somebody will run them."""
    by_trio = request.node.get_closest_marker("trio") and any(map(request.config.pluginmanager.has_plugin, PYTEST_TRIO))
    if not by_trio and "anyio_backend" not in request.fixturenames:
        pytest.fail(UNMARKED.format(test=request.node.name).strip(), pytrace=False)


@pytest.fixture
def _elarian_marker(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Arguments of the sandbox that the test's markers name, the closest one last."""
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("elarian"))):
        if marker.args:
            pytest.fail(f"@pytest.mark.elarian takes the sandbox's arguments by name, got {marker.args}", pytrace=False)
        options.update(marker.kwargs)
    return options
