"""Fixtures for the tests of connections that fail."""

from __future__ import annotations

from seeded import nothing_is_logged, the_order_of_tasks_is_seeded

__all__ = ["nothing_is_logged", "the_order_of_tasks_is_seeded"]
