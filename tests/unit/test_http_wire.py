"""The HTTP seam on a real socket: answers that break off, drip in or are damaged; certificates and proxies."""

from __future__ import annotations

import gzip
import http.server
import ipaddress
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from aios_connect.connectors.http import Http, Timeouts
from aios_connect.errors import AmbiguousWriteError, ConfigError, ProviderError, RejectedError, TruncatedError, UnavailableError

Script = Callable[[socket.socket], None]


@contextmanager
def server(script: Script, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """Answers every connection with the script; gives its address and what it was asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []
    ended = threading.Event()

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            if ended.is_set():
                plain.close()
                return
            try:
                peer = context.wrap_socket(plain, server_side=True) if context else plain
                with peer:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        piece = peer.recv(65536)
                        if not piece:
                            break
                        head += piece
                    asked.append(head)
                    script(peer)
            except (OSError, ssl.SSLError):
                plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    host, port = listener.getsockname()
    try:
        yield f"{'https' if context else 'http'}://{host}:{port}", asked
    finally:
        ended.set()
        with socket.create_connection((host, port)):
            pass
        thread.join(10)
        listener.close()


def says(answer: bytes) -> Script:
    return lambda peer: peer.sendall(answer)


def body(content: bytes, *headers: bytes, length: int | None = None) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % (len(content) if length is None else length), *headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", content])


@contextmanager
def opened(url: str, **settings: Any) -> Iterator[Http]:
    seam = Http(provider="acme", base_url=url, sleep=lambda _: None, attempts=2, trust_env=False, **settings)
    try:
        yield seam
    finally:
        seam.close()


PLAIN = b'{"results": [1, 2, 3]}'

DAMAGED = {
    "shorter than announced": body(PLAIN, length=999),
    "chunks without an end": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n',
    "gzip cut off": body(gzip.compress(PLAIN)[:-10], b"Content-Encoding: gzip"),
    "gzip with a wrong checksum": body(gzip.compress(PLAIN)[:-8] + b"\0" * 8, b"Content-Encoding: gzip"),
    "no gzip at all": body(PLAIN, b"Content-Encoding: gzip"),
    "an encoding nobody asked for": body(PLAIN, b"Content-Encoding: br"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_answer_is_named_and_asked_for_again(name: str) -> None:
    with server(says(DAMAGED[name])) as (url, asked), opened(url) as seam:
        with pytest.raises(TruncatedError):
            seam.request("GET", "/deals")
        assert len(asked) == 2


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_answer_to_a_write_leaves_its_outcome_unknown(name: str) -> None:
    with server(says(DAMAGED[name])) as (url, asked), opened(url) as seam:
        with pytest.raises(AmbiguousWriteError):
            seam.request("POST", "/deals", json={})
        assert len(asked) == 1


@pytest.mark.parametrize(
    "encoded",
    [
        body(gzip.compress(PLAIN), b"Content-Encoding: gzip"),
        body(gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:]), b"Content-Encoding: gzip"),
        body(zlib.compress(PLAIN), b"Content-Encoding: deflate"),
        body(zlib.compress(PLAIN, wbits=-15), b"Content-Encoding: deflate"),
        b"HTTP/1.1 200 OK\r\n\r\n" + PLAIN,
    ],
    ids=["gzip", "gzip in two members", "deflate", "raw deflate", "until the end of the connection"],
)
def test_an_answer_is_read_in_every_form_it_may_have(encoded: bytes) -> None:
    with server(says(encoded)) as (url, _), opened(url) as seam:
        assert seam.request("GET", "/deals").content == PLAIN


def test_an_answer_without_a_body_is_whole() -> None:
    with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")) as (url, _), opened(url) as seam:
        assert seam.request("HEAD", "/deals").content == b""
    with server(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as (url, _), opened(url) as seam:
        assert seam.request("DELETE", "/deals/1").status == 204


def test_a_refusal_counts_even_if_its_explanation_is_cut_off() -> None:
    refusal = body(b'{"message": "no su', length=400).replace(b"200 OK", b"422 Unprocessable")
    with server(says(refusal)) as (url, _), opened(url) as seam, pytest.raises(RejectedError):
        seam.request("POST", "/deals", json={})


@pytest.mark.parametrize("encoded", [PLAIN, gzip.compress(b" " * 3_000_000)], ids=["plain", "a bomb"])
def test_an_answer_that_is_too_large_is_refused_without_a_second_try(encoded: bytes) -> None:
    answer = body(encoded, b"Content-Encoding: gzip") if encoded != PLAIN else body(b" " * 3_000_000)
    with server(says(answer)) as (url, asked), opened(url, max_size=1_000_000) as seam:
        with pytest.raises(TruncatedError, match="larger than 1000000 bytes"):
            seam.request("GET", "/deals")
        assert len(asked) == 1


def test_an_answer_that_never_begins_or_never_ends_is_given_up() -> None:
    silent = threading.Event()

    def says_nothing(peer: socket.socket) -> None:
        silent.wait(10)

    with server(says_nothing) as (url, _), opened(url, timeout=0.05) as seam:
        with pytest.raises(UnavailableError, match="no answer came in time"):
            seam.request("GET", "/deals")
        silent.set()

    def drips(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            peer.sendall(b" ")

    patience = Timeouts(read=5, total=0.05)
    with (
        server(drips) as (url, _),
        opened(url, timeout=patience) as seam,
        pytest.raises(UnavailableError, match="not whole after"),
    ):
        seam.request("GET", "/deals")


def test_a_connection_that_is_reset_is_tried_again() -> None:
    tries = iter([b"", body(PLAIN)])
    with server(lambda peer: peer.sendall(next(tries))) as (url, asked), opened(url) as seam:
        assert seam.request("GET", "/deals").content == PLAIN
        assert len(asked) == 2


def test_nobody_there_is_a_sentence_with_the_address() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with opened(url) as seam, pytest.raises(UnavailableError, match=f"nobody answers at {url}"):
            seam.request("POST", "/deals", json={})


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1:8000/x", "http://[bad/"])
def test_an_address_that_is_none_is_a_setting_to_correct(url: str) -> None:
    with pytest.raises(ConfigError) as caught, opened(url) as seam:
        seam.request("GET", "")
    assert "url of the connection" in caught.value.hint


def test_a_proxy_gets_the_request() -> None:
    with server(says(body(PLAIN))) as (proxy, asked), opened("http://vendor.example", proxy=proxy) as seam:
        assert seam.request("GET", "/deals").content == PLAIN
        assert asked[0].startswith(b"GET http://vendor.example/deals HTTP/1.1")


def test_the_environment_names_a_proxy_only_if_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(says(body(PLAIN))) as (proxy, asked):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        seam = Http(provider="acme", base_url="http://vendor.example", attempts=1, sleep=lambda _: None)
        assert seam.request("GET", "/deals").content == PLAIN
        seam.close()
        assert len(asked) == 1
        with server(says(body(b"direct"))) as (url, _), opened(url) as direct:
            assert direct.request("GET", "/deals").content == b"direct"
        assert len(asked) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody but itself signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def test_a_certificate_is_checked_unless_its_authority_is_named(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with server(says(body(PLAIN)), context) as (url, asked):
        with opened(url) as seam, pytest.raises(UnavailableError, match="is not trusted") as caught:
            seam.request("GET", "/deals")
        assert "SSL_CERT_FILE" in caught.value.hint
        assert asked == []
        with opened(url, verify=certificate) as seam:
            assert seam.request("GET", "/deals").content == PLAIN
        with opened(url, verify=False) as seam:
            assert seam.request("GET", "/deals").content == PLAIN


def test_certificates_that_cannot_be_read_are_a_setting_to_correct(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("this is none")
    for path in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        with opened("https://127.0.0.1:1", verify=path) as seam, pytest.raises(ConfigError, match="cannot be read"):
            seam.request("GET", "/")


def test_several_threads_may_share_it() -> None:
    class Echo(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, format: str, *values: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as echo:
        threading.Thread(target=echo.serve_forever).start()
        wrong: list[str] = []
        with opened(f"http://127.0.0.1:{echo.server_port}") as seam:

            def ask(who: int) -> None:
                for number in range(25):
                    try:
                        if seam.request("GET", f"/{who}/{number}").text != f"/{who}/{number}":
                            wrong.append(f"{who}/{number}")
                    except ProviderError as error:
                        wrong.append(str(error))

            threads = [threading.Thread(target=ask, args=(who,)) for who in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        echo.shutdown()
    assert wrong == []
