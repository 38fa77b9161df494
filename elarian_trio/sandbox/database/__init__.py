"""The SQLite database in which a store keeps its records: one file, or memory, by the same statements.

The store stands above. Below are apsw, which nothing else imports, and the rows.
"""

from __future__ import annotations

from elarian_trio.sandbox.database.database import Database
from elarian_trio.sandbox.database.script import Script, script_of

__all__ = ["Database", "Script", "script_of"]
