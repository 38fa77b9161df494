"""The one sender: what is sent, what becomes of broken connections and of answers that are none. Over real sockets."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from answering import Answering, json_answer
from anyio.abc import SocketAttribute
from disclosure import Disclosure
from http_by_hand import BOUND, DIRECT, GET, OK, ONCE, POST, SECRET, request_of, sending, served

from elarian_trio._http import Attempt, Request, open_sender
from elarian_trio._http.pool import NetworkStream
from elarian_trio._http.sender import MAX_BODY
from elarian_trio.errors import ConnectionClosed, ConnectionFailed, ConnectionLost, RemoteProtocolError
from elarian_trio.options import HttpOptions, Retries

if TYPE_CHECKING:
    from anyio.abc import ByteStream

    from elarian_trio._http import Sender

pytestmark = pytest.mark.anyio


# --- what is sent ---


async def test_request_is_what_it_says_to_the_byte() -> None:
    """This SDK: no cookie, no encoding that would have to be undone, no more headers than these."""
    asked: list[bytes] = []

    async def serve(stream: ByteStream) -> None:
        while True:
            asked.append(await request_of(stream))
            await stream.send(OK)

    async with served(serve) as port, sending(port) as sender:
        for request in (GET, POST, Request(method="POST", path="/t"), Request(method="DELETE", path="/d")):
            response = await sender.send(request)
            assert (response.status, response.body, response.headers["content-length"]) == (200, b"{}", "2")
    host = f"Host: 127.0.0.1:{port}\r\n"
    rest = "accept: application/json\r\nuser-agent: elarian-trio\r\n"
    credential = f"authorization: Basic {SECRET}\r\n"
    assert [each.decode() for each in asked] == [
        f"GET /a%2Fb HTTP/1.1\r\n{host}{rest}\r\n",
        f'POST /x HTTP/1.1\r\n{host}{rest}{credential}Content-Length: 7\r\n\r\n{{"a":1}}',
        f"POST /t HTTP/1.1\r\n{host}Content-Length: 0\r\n{rest}\r\n",
        f"DELETE /d HTTP/1.1\r\n{host}{rest}\r\n",
    ]


async def test_redirect_is_an_answer_and_not_followed() -> None:
    """This SDK: what a status means is for the service to say, and credentials go nowhere else."""
    async with open_sender(
        "https://h", DIRECT, retries=ONCE, transport=Answering([httpx2.Response(302, headers={"location": "/x"})])
    ) as sender:
        assert (await sender.send(GET)).status == 302


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
        b"HTTP/1.1 503 X\r\nContent-Length: 0\r\nRetry-After: 3\r\n\r\n",
    ],
)
async def test_leaving_the_block_ends_what_other_tasks_still_ask_for(answer: bytes) -> None:
    """A past bug: a call that was broken off by that was made again, over a new connection, after the block."""
    asked: list[bytes] = []
    is_asked = anyio.Event()

    async def serve(stream: ByteStream) -> None:
        asked.append(await request_of(stream))
        await stream.send(answer)
        is_asked.set()
        await stream.receive()

    async def ask(sender: Sender) -> None:
        with pytest.raises(ConnectionLost, match="GET: the client's block was left") as caught:
            await sender.send(GET)
        assert caught.value.sent is True

    again = Retries(attempts=3, first=0.0)
    async with served(serve) as port, anyio.create_task_group() as tasks, sending(port, retries=again) as sender:
        tasks.start_soon(ask, sender)
        await is_asked.wait()
        await anyio.wait_all_tasks_blocked()
    assert len(asked) == 1


async def test_call_that_sent_nothing_before_the_block_was_left_says_so() -> None:
    """This SDK: asking again, with another client, is safe then."""

    async def wait(sender: Sender) -> None:
        with pytest.raises(ConnectionClosed, match="POST: the client's block was left"), sender.within("POST"):
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks, sending(1) as sender:
        tasks.start_soon(wait, sender)
        await anyio.wait_all_tasks_blocked()


async def test_transport_of_the_user_is_closed_with_the_block() -> None:
    """This SDK: it replaces the pool in that, too."""
    transport = Answering([json_answer({})])
    async with open_sender("https://h", DIRECT, retries=ONCE, transport=transport) as sender:
        await sender.send(GET)
        assert not transport.is_closed
    assert transport.is_closed


# --- connections that break ---


async def test_nobody_there_is_a_failed_connection() -> None:
    """This SDK: nothing was sent."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(SocketAttribute.local_port)
    await listener.aclose()
    async with sending(port) as sender:
        with pytest.raises(ConnectionFailed, match=f"GET 127.0.0.1:{port}: could not connect: .+"):
            await sender.send(GET)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
    ids=["before the answer", "in its first line", "before its body", "in its body", "between its chunks"],
)
@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_connection_that_breaks_is_lost_and_was_sent(said: bytes, how: str) -> None:
    """This SDK: from the request on the service may have acted, wherever its answer ends."""

    async def serve(stream: ByteStream) -> None:
        await request_of(stream)
        if said:
            await stream.send(said)
        if how == "reset":
            raw: Any = stream.extra(SocketAttribute.raw_socket)
            raw.setsockopt(*RESET)

    async with served(serve) as port, sending(port) as sender:
        with pytest.raises(ConnectionLost, match="broke before the response") as caught:
            await sender.send(POST)
    assert caught.value.sent is True
    assert caught.value.__cause__ is not None


RESET = (1, 13, b"\1\0\0\0\0\0\0\0")  # SOL_SOCKET, SO_LINGER, on for 0 seconds: closing sends RST


@pytest.mark.parametrize("said", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
async def test_answer_that_is_no_http_is_a_protocol_error(said: bytes) -> None:
    """This SDK: the peer broke the rules, and asking again would not help."""

    async def serve(stream: ByteStream) -> None:
        await request_of(stream)
        await stream.send(said)
        await anyio.sleep_forever()

    async with served(serve) as port, sending(port) as sender:
        with pytest.raises(RemoteProtocolError, match="not HTTP as it should be"):
            await sender.send(POST)


@pytest.mark.parametrize("is_declared", [True, False])
async def test_answer_without_end_is_given_up(*, is_declared: bool) -> None:
    """This SDK: no unbounded buffer; and nothing of the libraries' generators is left for Trio to report."""

    async def serve(stream: ByteStream) -> None:
        await request_of(stream)
        length = f"Content-Length: {2 * MAX_BODY}" if is_declared else "Connection: close"
        await stream.send(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
        while True:
            await stream.send(bytes(1024 * 1024))

    async with served(serve) as port, sending(port) as sender:
        with pytest.raises(RemoteProtocolError, match="longer than 16777216 bytes"):
            await sender.send(POST)


async def test_answer_as_long_as_allowed_is_read() -> None:
    """This SDK: 16 MiB are an answer."""
    transport = Answering([httpx2.Response(200, content=bytes(MAX_BODY))])
    async with open_sender("https://h", DIRECT, retries=ONCE, transport=transport) as sender:
        assert len((await sender.send(GET)).body) == MAX_BODY


async def test_call_that_is_cancelled_closes_its_connection() -> None:
    """This SDK: leaving the block by any way leaves no socket."""
    ended, scope = anyio.Event(), anyio.CancelScope()

    async def serve(stream: ByteStream) -> None:
        await request_of(stream)
        scope.cancel()
        try:
            await stream.receive()
        finally:
            ended.set()

    async with served(serve) as port, sending(port) as sender:
        with scope:
            await sender.send(POST)
        await ended.wait()
    assert scope.cancelled_caught


async def test_leaving_ends_the_calls_that_others_wait_for() -> None:
    """This SDK: whoever still waits is told that the connection is gone."""
    is_asked = anyio.Event()

    async def serve(stream: ByteStream) -> None:
        await request_of(stream)
        is_asked.set()
        await anyio.sleep_forever()

    async def ask(sender: Sender) -> None:
        with pytest.raises(ConnectionLost):
            await sender.send(POST)

    async with served(serve) as port, anyio.create_task_group() as tasks, sending(port) as sender:
        tasks.start_soon(ask, sender)
        await is_asked.wait()


# --- what is not shown ---


async def test_credentials_show_in_no_log_error_or_traceback() -> None:
    """Promise 4 of the design: not even in the variables of the libraries' frames."""
    disclosure = Disclosure()
    disclosure.keep_secret("the credential", SECRET)

    async def serve(stream: ByteStream) -> None:
        await request_of(stream)
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")

    request = Request(method="GET", path="/p", query=(("token", SECRET),), headers={"authorization": SECRET})
    with disclosure.watch_logs():
        async with served(serve) as port, sending(port) as sender:
            for each in (POST, request):
                with pytest.raises(ConnectionLost) as lost:
                    await sender.send(each)
                disclosure.note_error(lost.value)
        async with sending(1, HttpOptions(proxy=f"http://me:{SECRET}@127.0.0.1:1")) as sender:
            with pytest.raises(ConnectionFailed) as failed:
                await sender.send(request)
            disclosure.note_error(failed.value)
    assert disclosure.texts
    assert disclosure.found() == []


async def test_stream_of_an_upgrade_has_one_end_only() -> None:
    """httpcore2's streams cannot be half closed, and anyio's say so."""
    with pytest.raises(NotImplementedError):
        await NetworkStream(None).send_eof()


async def test_attempt_counts_as_sent_with_its_head_only() -> None:
    """This SDK: what a proxy was asked for is not the request."""
    attempt = Attempt()
    connect = type("Asked", (), {"method": b"CONNECT"})()
    get = type("Asked", (), {"method": b"GET"})()
    await attempt.trace("connection.connect_tcp.started", {})
    await attempt.trace("http11.send_request_headers.started", {"request": connect})
    assert attempt.was_sent is False
    await attempt.trace("http11.send_request_headers.started", {"request": get})
    assert attempt.was_sent is True


@pytest.mark.parametrize("stage", ["connection.connect_tcp.complete", "connection.start_tls.started"])
async def test_connection_that_is_open_when_its_caller_is_cancelled_is_closed(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A past bug: what opened sockets told us so by a checkpoint, at which one was lost; the suite sees each."""
    trace = Attempt.trace
    closed = anyio.Event()

    async def serve(stream: ByteStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while True:
                await stream.receive()
        closed.set()

    async with served(serve) as port:
        with anyio.fail_after(BOUND):
            scheme = "https" if "tls" in stage else "http"
            async with open_sender(f"{scheme}://127.0.0.1:{port}", DIRECT, retries=ONCE) as sender:
                with anyio.CancelScope() as caller:

                    async def cancelling(attempt: Attempt, name: str, info: Any) -> None:  # noqa: ANN401
                        if name == stage:
                            caller.cancel()
                        await trace(attempt, name, info)

                    monkeypatch.setattr(Attempt, "trace", cancelling)
                    await sender.send(GET)
                await closed.wait()
