"""Fixtures for the tests of a server that fails, and for rules under random commands."""

from __future__ import annotations

from seeded import nothing_is_logged, the_order_of_tasks_is_seeded

__all__ = ["nothing_is_logged", "the_order_of_tasks_is_seeded"]
