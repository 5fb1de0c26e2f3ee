# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Runs the example echo_server (argv[1]) with clients that make its work hard."""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

program = sys.argv[1]
patience_s = 20
all_buffers = 32 * 4096


def wait_until_closed(pid: int) -> None:
    """Returns when the server has closed all connections: only 0, 1, 2, the listener and the ring are left."""
    deadline = time.monotonic() + patience_s
    while (count := len(os.listdir(f"/proc/{pid}/fd"))) != 5:
        assert (
            time.monotonic() < deadline
        ), f"{count} descriptors are open, want 5: a connection was not closed"
        time.sleep(0.01)


@contextmanager
def served(descriptors: int | None = None) -> Iterator[int]:
    """A running server, yielded as its port. Ends it by closing its standard input."""

    def limit() -> None:
        if descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    server = subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit
    )
    try:
        assert server.stdin and server.stdout
        port = server.stdout.readline()
        assert port, f"no port; the server says: {server.communicate(timeout=patience_s)[1]!r}"
        yield int(port)
        server.stdin.write(b"more input is not the end of it\n")
        server.stdin.flush()
        echo(int(port), b"still there")
        wait_until_closed(server.pid)
        _, errors = server.communicate(timeout=patience_s)
        assert (server.returncode, errors) == (0, b""), f"exit code {server.returncode}, {errors!r}"
    finally:
        server.kill()
        server.communicate()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=patience_s)


def rest_of(client: socket.socket) -> bytes:
    """Everything received until the server closes."""
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def echo(port: int, payload: bytes, piece: int = 65536) -> None:
    """Sends in pieces, shuts down its sending side, then reads everything."""
    with connected(port) as client:
        for start in range(0, len(payload), piece):
            client.sendall(payload[start : start + piece])
        client.shutdown(socket.SHUT_WR)
        got = rest_of(client)
        assert got == payload, f"{len(got)} bytes came back, or others than the {len(payload)} sent"


def at_once(*works: Callable[[], None]) -> None:
    """Runs each in a thread; what one of them raises is raised here."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def several_clients(port: int) -> None:
    at_once(*(lambda i=i: echo(port, os.urandom(3000 * i + 7), 500 + 100 * i) for i in range(8)))


def one_after_the_other(port: int) -> None:
    for i in range(50):
        echo(port, os.urandom(100 + i))


def nothing_to_say(port: int) -> None:
    echo(port, b"")


def question_and_answer(port: int) -> None:
    """The connection stays usable: the echo does not wait for the end."""
    with connected(port) as client:
        for i in range(20):
            question = bytes([i]) * (1 + 700 * i)
            client.sendall(question)
            answer = b""
            while len(answer) < len(question):
                part = client.recv(65536)
                assert part, "the server closed in the middle"
                answer += part
            assert answer == question
        client.shutdown(socket.SHUT_WR)
        assert rest_of(client) == b""


def reads_late(port: int) -> None:
    """A client that sends far more than the buffers hold before it reads, twice: all are used up, and must come back."""
    for _ in range(2):
        payload = os.urandom(200 * all_buffers)
        got: list[bytes] = []
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(patience_s)
            client.connect(("127.0.0.1", port))
            client.setblocking(False)
            sent = 0
            # Until nothing goes any more: then the server, too, is stuck, with every buffer taken.
            while sent < len(payload):
                try:
                    sent += client.send(payload[sent : sent + 65536])
                except BlockingIOError:
                    break
            client.settimeout(patience_s)

            def send_the_rest() -> None:
                client.sendall(payload[sent:])
                client.shutdown(socket.SHUT_WR)

            at_once(send_the_rest, lambda: got.append(rest_of(client)))
        assert got[0] == payload, f"{len(got[0])} bytes came back, or others than the {len(payload)} sent"


def vanishes(port: int) -> None:
    """Clients that disconnect while the server still has much to send to them."""
    for _ in range(5):
        with connected(port) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # reset, not close
            client.sendall(os.urandom(4 * all_buffers))


def more_than_descriptors(port: int) -> None:
    """Twelve at once where the server can have six: the others wait until one is closed."""
    clients = [connected(port) for _ in range(12)]
    for number, client in enumerate(clients):
        client.sendall(bytes([number]) * 5000)
        client.shutdown(socket.SHUT_WR)
    for number, client in enumerate(clients):
        with client:
            assert rest_of(client) == bytes([number]) * 5000


with served() as port:
    for check in (
        several_clients,
        one_after_the_other,
        nothing_to_say,
        question_and_answer,
        reads_late,
        vanishes,
    ):
        print(check.__name__, flush=True)
        check(port)
    at_once(
        *(lambda check=check: check(port) for check in (several_clients, question_and_answer, reads_late))
    )
print("more_than_descriptors", flush=True)
with served(descriptors=11) as port:
    more_than_descriptors(port)

# SIGTERM ends it too, in the middle of a connection, which the client sees closed.
with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
    assert server.stdout
    with connected(int(server.stdout.readline())) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        server.terminate()
        assert client.recv(1) == b"", "the connection outlives the server"
    assert server.wait(timeout=patience_s) == -signal.SIGTERM, server.returncode
