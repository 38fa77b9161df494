"""Adoption: two customers turn out to be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.families import JobRules, Rules

RULES: Rules = {}
JOBS: JobRules = {}
