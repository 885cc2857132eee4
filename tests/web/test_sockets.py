"""Uploads on a real socket: in chunks, too large, too slow, broken off, refused while they still come."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from secrets import token_hex

import httpx
import pytest

from tests.support.http import PARTS
from tests.support.live import HOST, Live

BOUNDARY = b"frontier"
LIMIT = 52_428_800
ROW = b"someone.with.a.long.address@example.org,Some Name,12345\n"
KIND = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}


def opening() -> bytes:
    """The form up to the first byte of the file."""
    texts = (
        b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (k.encode(), v.encode()) for k, v in PARTS.items()
    )
    file = b'Content-Disposition: form-data; name="file"; filename="big.csv"\r\nContent-Type: text/csv\r\n\r\n'
    return b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY, text) for text in texts) + b"--%s\r\n%s" % (BOUNDARY, file)


CLOSING = b"\r\n--%s--\r\n" % BOUNDARY


def form(size: int, sent: list[int] | None = None) -> Iterator[bytes]:
    """A form whose file has exactly `size` bytes, in pieces; `sent` learns the sizes of those that were taken."""
    yield opening()
    left = size
    block = b"_email,_name,_points\n" + ROW * 2_000
    while left:
        piece = block[:left]
        left -= len(piece)
        if sent is not None:
            sent.append(len(piece))
        yield piece
        block = ROW * 2_000
    yield CLOSING


def eventually(what: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def key(live: Live) -> str:
    return live.key(f"sockets-{token_hex(4)}")


def post(live: Live, key: str, content: Iterator[bytes] | bytes, **headers: str) -> httpx.Response:
    given = KIND | {"Authorization": f"apiKey {key}"} | headers
    return httpx.post(f"{live.url}/imports", content=content, headers=given, timeout=60)


def raw(live: Live, key: str, *lines: str) -> socket.socket:
    """A connection on which the head of a POST has been sent."""
    connection = socket.create_connection((HOST, live.port), timeout=30)
    head = ["POST /imports HTTP/1.1", f"Host: {HOST}", f"Authorization: apiKey {key}", *lines]
    head += [f"{name}: {value}" for name, value in KIND.items()]
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


def answer(connection: socket.socket) -> bytes:
    """All that comes until the service closes the connection."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


def test_a_file_in_chunks_without_a_length_is_imported_to_its_end(live: Live, key: str) -> None:
    started = post(live, key, form(200_000))
    assert started.status_code == 201, started.text
    address = started.json()["links"]["self"]
    assert eventually(lambda: httpx.get(address, headers={"Authorization": f"apiKey {key}"}).json()["done"], 30)
    ended = httpx.get(address, headers={"Authorization": f"apiKey {key}"}).json()
    assert ended["total"] == ended["success"] + ended["errors"]
    assert ended["fileBytes"] == 200_000


def test_a_byte_above_the_limit_is_refused_by_counting_and_nothing_stays(live: Live, key: str) -> None:
    before = set(live.stored_files())
    refused = post(live, key, form(LIMIT + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert eventually(lambda: not set(live.stored_files()) - before)


def test_a_length_above_the_limit_is_refused_before_the_file_is_read(live: Live, key: str) -> None:
    sent: list[int] = []
    content = form(2 * LIMIT, sent)
    head = {"Content-Length": str(len(opening()) + 2 * LIMIT + len(CLOSING))}
    before = set(live.stored_files())
    try:
        refused = post(live, key, content, **head)
    except httpx.WriteError:
        pytest.fail("the connection was reset before the answer could be read")
    assert refused.status_code == 413
    assert not set(live.stored_files()) - before


def test_a_client_that_says_close_reads_why_it_was_refused(live: Live) -> None:
    wrong = "sluice_0123456789abcdef:wrong"
    before = set(live.stored_files())
    with raw(live, wrong, "Connection: close", "Transfer-Encoding: chunked") as connection:
        for piece in form(LIMIT):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        received = answer(connection)
    assert received.startswith(b"HTTP/1.1 401 ")
    assert b'"not_authenticated"' in received
    assert not set(live.stored_files()) - before


def test_with_a_wrong_key_not_a_byte_is_asked_for(live: Live) -> None:
    wrong = "sluice_0123456789abcdef:wrong"
    with raw(live, wrong, "Expect: 100-continue", f"Content-Length: {LIMIT}", "Connection: close") as connection:
        received = answer(connection)
    assert received.startswith(b"HTTP/1.1 401 ")


def test_an_upload_that_is_broken_off_leaves_nothing(live: Live, key: str) -> None:
    before = set(live.stored_files())
    with raw(live, key, "Content-Length: 10000000") as connection:
        connection.sendall(opening() + ROW * 20_000)
        assert eventually(lambda: bool(set(live.stored_files()) - before)), "nothing was being written"
    assert eventually(lambda: not set(live.stored_files()) - before)


def test_an_upload_that_falls_silent_is_dropped(live: Live, key: str) -> None:
    before = set(live.stored_files())
    with raw(live, key, "Content-Length: 10000000", "Connection: close") as connection:
        connection.sendall(opening() + ROW * 20_000)
        received = connection.recv(65_536)
        while b"}" not in received:
            received += connection.recv(65_536)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"The client sent nothing" in received
    assert eventually(lambda: not set(live.stored_files()) - before)


def test_a_slow_upload_that_goes_on_is_accepted(live: Live, key: str) -> None:
    def drops() -> Iterator[bytes]:
        whole = opening() + b"_email\n" + b"slow@example.org\n" + CLOSING
        third = len(whole) // 3
        for piece in (whole[:third], whole[third : 2 * third], whole[2 * third :]):
            yield piece
            time.sleep(0.7)

    assert post(live, key, drops()).status_code == 201


def test_a_form_that_arrives_byte_by_byte_is_read(live: Live, key: str) -> None:
    whole = opening() + b"_email\nbyte@example.org\n" + CLOSING
    accepted = post(live, key, (whole[at : at + 1] for at in range(len(whole))))
    assert (accepted.status_code, accepted.json()["total"]) == (201, 1)


def test_the_log_holds_no_key_and_no_cell(live: Live, key: str) -> None:
    post(live, key, opening() + b"_email\nsecret.person@example.org\n" + CLOSING)
    log = live.log.read_text()
    assert key.partition(":")[2] not in log
    assert "secret.person" not in log
    assert "request_served" in log


@pytest.mark.slow
def test_ten_large_uploads_at_once_fit_into_little_memory(live: Live) -> None:
    keys = [live.key(f"many-{token_hex(4)}") for _ in range(10)]
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda key=key: answers.append(post(live, key, form(LIMIT)).status_code))
        for key in keys
    ]
    most = 0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, live.memory)
        time.sleep(0.05)
    assert answers == [201] * 10
    assert most < 120_000_000
