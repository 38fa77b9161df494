"""For the command line's tests: an environment without anything of the user's."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a developer's shell may know of an Elarian."""
    for name in ("ORG_ID", "APP_ID", "API_KEY", "AUTH_TOKEN", "ENDPOINT", "CA_FILE"):
        monkeypatch.delenv(f"ELARIAN_{name}", raising=False)
