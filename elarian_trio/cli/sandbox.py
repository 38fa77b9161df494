"""``elarian-trio sandbox``: a server of one's own, on a port, until it is told to stop.

:mod:`.commands` stands above, :mod:`elarian_trio.sandbox` below.
"""

from __future__ import annotations

import gc
import os
import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
from cyclopts import Parameter

from elarian_trio.cli.access import read_secret
from elarian_trio.cli.exits import OK
from elarian_trio.cli.notation import as_channel_of_app, as_purse, channel_text
from elarian_trio.cli.standins import StandInKeys
from elarian_trio.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from elarian_trio.models.payments import Cash
    from elarian_trio.sandbox import Sandbox, SandboxApp
    from elarian_trio.sandbox.faults import Faults

__all__ = ["sandbox"]

DEFAULT_TCP = "127.0.0.1:8082"  # the port of Elarian's own staging server, where it spoke plain TCP

Listening: Parameter = Parameter(group="Where it listens", show_default=False)
Letting: Parameter = Parameter(group="Who is let in", show_default=False)
Holding: Parameter = Parameter(group="What it holds", show_default=False)


async def sandbox(
    *,
    tcp: Annotated[str | None, Listening] = None,
    tls: Annotated[str | None, Listening] = None,
    ws: Annotated[str | None, Listening] = None,
    wss: Annotated[str | None, Listening] = None,
    planship: Annotated[str | None, Listening] = None,
    talon_one: Annotated[str | None, Listening] = None,
    tls_dir: Annotated[Path | None, Listening] = None,
    org_id: Annotated[list[str] | None, Letting] = None,
    app_id: Annotated[list[str] | None, Letting] = None,
    api_key: Annotated[list[str] | None, Letting] = None,
    api_key_file: Annotated[list[Path] | None, Letting] = None,
    planship_secret_file: Annotated[Path | None, Letting] = None,
    talon_one_key_file: Annotated[Path | None, Letting] = None,
    strict: Annotated[bool, Parameter(negative="--open", group="Who is let in")] = True,
    channel: Annotated[list[str] | None, Holding] = None,
    purse: Annotated[list[str] | None, Holding] = None,
    data: Annotated[Path | None, Holding] = None,
    settle: Literal["auto", "manual"] = "auto",
    resume_window: float = 120.0,
    seed: int | str | None = None,
    faults: Path | None = None,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Serve a local Elarian until Ctrl-C or SIGTERM.

    It says where it listens and what it keeps where, and then "ready" on a line of its own. Clients take what it prints
    as ELARIAN_ variables. Without options it is one organisation with one app, the SDK specification's channels and
    purse, and a key made up for this run, on plain TCP on loopback.

    Args:
        tcp: HOST:PORT for plain TCP; port 0 takes a free one. Where no address is given at all, 127.0.0.1:8082. An
            address that others can reach takes keys of your own, and no --open.
        tls: HOST:PORT for TLS, with a certificate of its own making.
        ws: HOST:PORT for WebSockets.
        wss: HOST:PORT for WebSockets over TLS.
        planship: HOST:PORT for a local Planship, HTTP and WebSockets.
        talon_one: HOST:PORT for a local Talon.One.
        tls_dir: A folder where the certificate authority and its key are kept and found again, so that clients need to
            trust it once.
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
        channel: A channel number, and the app it belongs to unless that is the first: sms:83044=APP, ussd:*384#,
            cellular:83044 for a paybill; again for each. Replaces the specification's.
        purse: A purse and what is in it: ID=KES:1000000; again for each, and for each currency. Replaces the
            specification's.
        data: The file that keeps everything; without one all is gone when this ends.
        settle: Payments succeed by themselves, or wait for a simulator.
        resume_window: Seconds that the session of a client whose connection was cut is kept for it; 0 keeps none.
        seed: Makes ids the same in every run, and what goes wrong; keys and tokens stay secrets.
        faults: A TOML file that says what shall go wrong on purpose, for whom and how often.
    """
    from elarian_trio.sandbox import Sandbox

    addresses = {"tcp": tcp, "tls": tls, "ws": ws, "wss": wss}
    if not any(addresses.values()):
        addresses["tcp"] = DEFAULT_TCP
    admission = Admission.of(org_id or (), app_id or (), _keys(api_key or (), api_key_file or ()))
    admission.check([each for each in addresses.values() if each], strict=strict)
    standins = StandInKeys.of({"planship": planship_secret_file, "talon_one": talon_one_key_file})
    arguments = addresses | {
        "planship": standins.serve("planship", planship, seed),
        "talon_one": standins.serve("talon_one", talon_one, seed),
        "data": data,
        "apps": admission.apps,
        "channels": None if channel is None else _channels(channel, admission),
        "purses": None if purse is None else _purses(purse),
        "seed": seed,
        "settle": settle,
        "strict": strict,
        "resume_window": resume_window,
        "tls_dir": tls_dir,
        "faults": None if faults is None else _faults(faults),
    }
    given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
    with _collecting_seldom():
        async with Sandbox(**given) as server:
            announcement = _announcement(server, admission, data, given.get("channels"))
            for line in (*announcement, *standins.announcement(server)):
                terminal.say(line)
            terminal.say("ready")
            with terminal.stoppable():
                await anyio.sleep_forever()
    return OK


@contextmanager
def _collecting_seldom() -> Generator[None]:
    """Spare a server that keeps what it makes the looking through all of it again and again, a seventh of its time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


# --- who is let in ---


@dataclass(frozen=True)
class Admission:
    """Who is let in.

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

    def check(self, addresses: Sequence[str], *, strict: bool) -> None:
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


# --- what it holds ---


def _channels(texts: Sequence[str], admission: Admission) -> Mapping[Any, str]:
    """Give each channel's app: the main one, where none is named."""
    from elarian_trio.sandbox.organisation import APP_ID

    main = APP_ID if admission.apps is None else admission.apps[0].app_id
    owners = [as_channel_of_app(text) for text in texts]
    if len({channel for channel, _ in owners}) < len(owners):
        msg = "name each channel number once"
        raise ValueError(msg)
    return {channel: app_id or main for channel, app_id in owners}


def _purses(texts: Sequence[str]) -> Mapping[str, Sequence[Cash]]:
    purses: dict[str, list[Cash]] = {}
    for purse_id, cash in map(as_purse, texts):
        purses.setdefault(purse_id, []).append(cash)
    return purses


def _faults(path: Path) -> Faults:
    from elarian_trio.sandbox.faults import load_faults

    try:
        return load_faults(path)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise ValueError(msg) from error


# --- what it says ---


def _announcement(
    server: Sandbox, admission: Admission, data: Path | None, channels: Mapping[Any, str] | None
) -> Iterator[str]:
    """Say where it listens, what it keeps where, and what clients take.

    A key that the sandbox made up is told: it opens this one server on loopback until that ends, the user has no other
    way to learn it, and a file of keys would stay behind. A key that the user gave is not repeated.
    """
    from elarian_trio.sandbox.organisation import CHANNELS, PAYBILL

    for endpoint in server.endpoints.values():
        yield f"listens on {endpoint}"
    yield "keeps everything in memory, until it ends" if data is None else f"keeps everything in {data.absolute()}"
    is_secure = not server.endpoints.keys().isdisjoint({"tls", "wss"})
    if is_secure:
        yield f"keeps the certificate to trust in {server.ca_file}"
    yield f"has the channels {', '.join(map(channel_text, channels or (*CHANNELS, PAYBILL)))}"
    yield f"has the purses {', '.join(server.purses)}"
    for app in admission.apps or (None,):
        credentials = server.credentials if app is None else server.credentials_of(app.app_id)
        is_made_up = app is None or app.app_id in admission.made_up
        yield f"lets in {credentials['app_id']} of {credentials['org_id']}:"
        variables = {
            "ELARIAN_ORG_ID": credentials["org_id"],
            "ELARIAN_APP_ID": credentials["app_id"],
            "ELARIAN_ENDPOINT": next(iter(server.endpoints.values())),
        }
        if is_secure:
            variables["ELARIAN_CA_FILE"] = server.ca_file
        if is_made_up:
            variables["ELARIAN_API_KEY"] = credentials["api_key"]
        for name, value in variables.items():
            yield f"  export {name}={shlex.quote(value)}"
        if not is_made_up:
            yield "  with the key that you gave, as ELARIAN_API_KEY"
