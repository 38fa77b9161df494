"""Who is let into ``elarian-trio sandbox``, and with which keys.

:mod:`.sandbox` stands above, :mod:`elarian_trio.sandbox` below.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from elarian_trio.cli.access import read_secret
from elarian_trio.cli.standins import StandInKeys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elarian_trio.sandbox import SandboxApp

__all__ = ["Admission", "Letting"]


@Parameter(name="*", group="Who is let in", show_default=False)
@dataclass(frozen=True, kw_only=True)
class Letting:
    """The options that say who is let in. Made of the command line.

    Attributes:
        org_id: The organisation; once for all apps, or once for each. Also ELARIAN_ORG_ID.
        app_id: An app; again for each further one. Also ELARIAN_APP_ID.
        api_key: An app's key, in the order of the apps. Others on this machine can read it off the list of processes,
            unlike a file's or ELARIAN_API_KEY, which counts where there is one app. Without any, keys are made up.
        api_key_file: A file that holds an app's key; again for each further app.
        planship_secret_file: A file that holds the client secret of the local Planship; else PLANSHIP_CLIENT_SECRET
            counts, with PLANSHIP_CLIENT_ID. Without one it is made up.
        talon_one_key_file: A file that holds the API key of the local Talon.One; else TALON_ONE_API_KEY counts.
            Without one it is made up.
        strict: Let only known apps in and refuse unknown channel numbers; or let anybody in and register numbers as
            they are used.
    """

    org_id: list[str] | None = None
    app_id: list[str] | None = None
    api_key: list[str] | None = field(default=None, repr=False)
    api_key_file: list[Path] | None = None
    planship_secret_file: Path | None = None
    talon_one_key_file: Path | None = None
    strict: Annotated[bool, Parameter(negative="--open", show_default=True)] = True

    def admission(self) -> Admission:
        """Say who is let in.

        Raises:
            ValueError: the options do not fit each other, or a file cannot be read.
        """
        return Admission.of(self.org_id or (), self.app_id or (), _keys(self.api_key or (), self.api_key_file or ()))

    def standins(self) -> StandInKeys:
        """Say with what clients come into the stand-ins.

        Raises:
            ValueError: a file cannot be read.
        """
        return StandInKeys.of({"planship": self.planship_secret_file, "talon_one": self.talon_one_key_file})


@dataclass(frozen=True)
class Admission:
    """Who is let in. Made by :meth:`of`.

    Attributes:
        apps: the apps, the main one first; ``None`` for the sandbox's own.
        made_up: which of them have a key that the user did not give, by app id.
    """

    apps: Sequence[SandboxApp] | None
    made_up: frozenset[str]

    @classmethod
    def of(cls, org_ids: Sequence[str], app_ids: Sequence[str], keys: Sequence[str]) -> Admission:
        """Put together what belongs together.

        Raises:
            ValueError: the lists do not fit each other.
        """
        from elarian_trio.sandbox import SandboxApp

        org_ids, app_ids = org_ids or _environment("ELARIAN_ORG_ID"), app_ids or _environment("ELARIAN_APP_ID")
        if not keys and len(app_ids) == 1:
            keys = _environment("ELARIAN_API_KEY")
        if not (org_ids or app_ids or keys):
            return cls(None, frozenset())
        if not (org_ids and app_ids):
            msg = "an app has an organisation and an id: give --org-id and --app-id (or ELARIAN_ORG_ID, ELARIAN_APP_ID)"
            raise ValueError(msg)
        if len(org_ids) not in (1, len(app_ids)):
            msg = f"give --org-id once, or once for each of {len(app_ids)} apps, got {len(org_ids)}"
            raise ValueError(msg)
        if len(keys) not in (0, len(app_ids)):
            msg = f"give a key for none of the apps or for each of {len(app_ids)}, got {len(keys)}"
            raise ValueError(msg)
        owners = org_ids if len(org_ids) > 1 else [*org_ids] * len(app_ids)
        more = [{"api_key": key} for key in keys] or [dict[str, str]()] * len(app_ids)
        apps = [SandboxApp(*names, **key) for *names, key in zip(owners, app_ids, more, strict=True)]
        return cls(apps, frozenset() if keys else frozenset(app_ids))

    def check(self, addresses: Iterable[str], *, strict: bool) -> None:
        """See that whoever listens to the network has said with which keys; a made-up one is nobody's choice.

        Raises:
            ValueError: nobody has, or an address is none.
        """
        from elarian_trio.sandbox.ports import is_exposed

        exposed = next((each for each in addresses if is_exposed(each)), None)
        if exposed is not None and not (strict and self.apps and not self.made_up):
            msg = (
                f"others can reach {exposed}: give --org-id, --app-id and --api-key (or --api-key-file) of your own, "
                "and no --open; or listen on 127.0.0.1"
            )
            raise ValueError(msg)


def _environment(name: str) -> Sequence[str]:
    value = os.environ.get(name)
    return [value] if value else ()


def _keys(words: Sequence[str], files: Sequence[Path]) -> Sequence[str]:
    if words and files:
        msg = "give keys by --api-key or by --api-key-file, not both: their order would be nobody's guess"
        raise ValueError(msg)
    return words or [read_secret(path) for path in files]
