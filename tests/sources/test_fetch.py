"""What is read from a server, and what is refused."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import sys
import zlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from abmiddleware import ConfigurationError
from abmiddleware.sources import Deadlines, GrowthBook
from abmiddleware.sources.addresses import is_forbidden, read_origin
from abmiddleware.sources.answer import FetchError, gunzip
from abmiddleware.sources.fetch import Http
from abmiddleware.sources.json_text import MAX_BYTES
from abmiddleware.sources.refresher import Life
from tests.sources.server import (
    Connection,
    Handler,
    Server,
    drip,
    flag,
    payload,
    raw,
    sequence,
    status,
)
from tests.sources.support import PATIENT, watching


def get(server: Server, deadlines: Deadlines = PATIENT) -> bytes:
    """Return what one request brings."""
    http = Http(read_origin("host", server.url), deadlines, ("sdk-abc123",))
    answer = http.get("/api/features/sdk-abc123", {}, Life())
    assert answer is not None
    return answer.text()


def bomb(size: int) -> bytes:
    """Return so many zeros, compressed."""
    return gzip.compress(b"0" * size)


def test_a_bomb_is_not_decompressed(server: Server) -> None:
    """An answer of 100 KiB that would be 100 MiB is given up at the limit."""
    server.api = raw(bomb(100 * 1024 * 1024), content_encoding="gzip")
    with pytest.raises(FetchError, match="larger than 10485760 bytes"):
        get(server)


def test_an_answer_that_is_too_large_is_not_read(server: Server) -> None:
    """Reading stops at the limit, whatever length is announced."""
    server.api = raw(b" " * (MAX_BYTES + 1))
    with pytest.raises(FetchError, match="larger than 10485760 bytes"):
        get(server)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"no gzip", "damaged"),
        (b"", "cut off"),
        (gzip.compress(b"{}")[:-1], "cut off"),
        (gzip.compress(b"{}") + b"more", "followed by something"),
        (gzip.compress(b"{}") * 2, "followed by something"),
        (zlib.compress(b"{}"), "damaged"),
    ],
    ids=["none", "empty", "cut", "tail", "twice", "deflate"],
)
def test_damaged_compression_is_refused(body: bytes, problem: str) -> None:
    """Only one whole member of gzip is an answer."""
    with pytest.raises(FetchError, match=problem):
        gunzip(body)


def test_the_limit_itself_is_allowed() -> None:
    """Ten MiB are read, one byte more is not."""
    assert len(gunzip(bomb(1000), 1000)) == 1000
    with pytest.raises(FetchError, match="larger"):
        gunzip(bomb(1001), 1000)


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "deflate"])
def test_other_encodings_are_refused(server: Server, coding: str) -> None:
    """Nobody asked for them."""
    server.api = raw(b"x", content_encoding=coding)
    with pytest.raises(FetchError, match="must be gzip"):
        get(server)


def test_an_answer_has_a_deadline_as_a_whole(server: Server) -> None:
    """A server that sends a byte now and then does not hold the thread for ever."""
    server.api = drip(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n" + b"x" * 9999, pause=0.01)
    began = monotonic()
    with pytest.raises(FetchError, match="within its deadline"):
        get(server, Deadlines(total=0.8))
    assert monotonic() - began < 4


def test_headers_that_drip_are_given_up(server: Server) -> None:
    """A thread that waits for headers past its deadline is left behind and replaced."""
    slow = drip(b"HTTP/1.1 200 OK\r\n" + b"x-padding: y\r\n" * 9999)
    server.api = sequence([slow, payload(flag(1))])
    with watching(server, deadlines=Deadlines(total=0.2)) as watched:
        watched.sees(1)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("9" * 20, None),
        ("Sun, 06 Nov 99999 08:49:37 GMT", None),
    ],
)
def test_what_the_server_asks_for_is_read(server: Server, told: str, seconds: float | None) -> None:
    """Seconds or a date; anything else says nothing."""
    server.api = status(503, retry_after=told)
    with pytest.raises(FetchError, match="answers 503") as caught:
        get(server)
    assert caught.value.retry_after == seconds
    assert not caught.value.refused


def redirect(target: str, code: int = 302) -> Handler:
    return status(code, location=target)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_within_the_host_are_followed(server: Server, code: int) -> None:
    """Three of them, relative or absolute."""
    server.api = sequence(
        [
            redirect("/api/elsewhere", code),
            redirect(f"{server.url}/api/features/2", code),
            redirect("3", code),
            payload(flag(1)),
        ]
    )
    assert json.loads(get(server)) == flag(1)
    paths = [request.path for request in server.requests]
    assert paths[1:] == ["/api/elsewhere", "/api/features/2", "/api/features/3"]


def test_redirects_have_an_end(server: Server) -> None:
    """A server that redirects to itself is asked four times and no more."""
    server.api = redirect("/api/again")
    with pytest.raises(FetchError, match="more than 3 times") as caught:
        get(server)
    assert not caught.value.refused
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/api/",
        "http://127.0.0.1:1/",
        "//other.example/api/",
        "http://user@127.0.0.1/",
        "ftp://127.0.0.1/",
        "http://[::1]/",
        "http://[bad",
    ],
)
def test_redirects_to_another_place_are_refused(server: Server, target: str) -> None:
    """Another host, port, scheme or user is not where the configuration comes from."""
    server.api = redirect(target)
    with pytest.raises(FetchError) as caught:
        get(server)
    assert not caught.value.refused
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "fd00:ec2::254",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "instance-data.ec2.internal",
    ],
)
def test_metadata_services_are_refused(host: str) -> None:
    """No spelling of a link-local address or a metadata service is a host."""
    assert is_forbidden(host)
    url = f"http://[{host}]" if ":" in host else f"http://{host}"
    with pytest.raises(ConfigurationError, match="link-local"):
        GrowthBook("sdk-abc123", host=url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "10.0.0.5", "192.168.1.1", "localhost", "cdn.growthbook.io"]
)
def test_local_hosts_may_be_configured(host: str) -> None:
    """An operator may run a proxy next to the application."""
    assert not is_forbidden(host)


def test_a_name_that_leads_to_a_link_local_address_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was connected to is judged before anything is sent to it."""
    monkeypatch.setattr(
        "abmiddleware.sources.fetch.is_forbidden", lambda host: bool(ip_address(host))
    )
    server.api = payload(flag(1))
    with pytest.raises(FetchError, match="link-local") as caught:
        get(server)
    assert caught.value.refused
    assert not server.requests


@pytest.mark.parametrize(
    "url",
    [
        "cdn.growthbook.io",
        "ftp://cdn.growthbook.io",
        "file:///etc/passwd",
        "https://",
        "https://cdn.growthbook.io?x=1",
        "https://cdn.growthbook.io#x",
        "https://cdn.growthbook.io/ x",
        "https://cdn.growthbook.io\\@evil",
        "https://cdn.growthbook.io\n",
        "https://host:port",
        "https://[::1",
        "",
        None,
    ],
)
def test_what_is_no_url_is_refused(url: object) -> None:
    """The message says what a host looks like, and never repeats what may hold a password."""
    with pytest.raises(ConfigurationError, match=r"^host: is no URL of a server, must be"):
        GrowthBook("sdk-abc123", host=url)  # type: ignore[arg-type]


@pytest.mark.parametrize("argument", ["host", "streaming_host"])
@pytest.mark.parametrize(
    "path",
    ["/api/features/sdk-SECRET", "/api/features", "/sub/sdk-SECRET", "/proxy/sdk%2DSECRET/"],
)
def test_a_host_that_goes_on_to_the_configuration_is_refused(argument: str, path: str) -> None:
    """It would be asked at a path that is not there, and its name in the log would hold the key."""
    options: dict[str, Any] = {argument: f"https://gb.example{path}"}
    with pytest.raises(ConfigurationError, match=rf"^{argument}: .* without /api/feat") as caught:
        GrowthBook("sdk-SECRET", **options)
    assert "SECRET" not in str(caught.value)


def test_slashes_and_a_path_of_the_host(server: Server) -> None:
    """Slashes at the end are stripped; a path stays in front."""
    server.api = payload(flag(1))
    origin = read_origin("host", f"{server.url}/api///")
    assert origin.url == f"{server.url}/api"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a certificate for 127.0.0.1 and its key, which nobody trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_certificates_are_verified(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is not believed to be who it says, unless its certificate is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server(tls=context) as server:
        server.api = payload(flag(1))
        with watching(server) as watched:
            watched.until(lambda: watched.source.status().failures >= 2)
            assert watched.value is None
            assert "CERTIFICATE" in watched.source.status().last_error
        assert not server.requests

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with watching(server) as watched:
            watched.sees(1)


def test_certificates_that_cannot_be_loaded_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the source is made."""
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(broken))
    with pytest.raises(ConfigurationError, match="certificates cannot be loaded"):
        GrowthBook("sdk-abc123")


def test_certificates_are_loaded_once(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polls load none, which takes long and holds locks that a fork would hand on."""
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    server.api = payload(flag(1))
    with watching(server) as watched:
        monkeypatch.setenv("SSL_CERT_FILE", str(broken))
        watched.sees(1)


@pytest.mark.parametrize("scheme", ["http://", ""], ids=["URL", "no scheme"])
def test_a_proxy_of_the_environment_is_used(
    server: Server, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Servers behind a proxy reach the API by what HTTP_PROXY says, as other clients read it."""
    monkeypatch.setenv("http_proxy", f"{scheme}127.0.0.1:{server.port}")
    asked: list[str] = []

    def proxy(connection: Connection) -> None:
        asked.append(connection.request.path)
        connection.respond(json.dumps(flag(1)).encode())

    server.api = proxy
    with watching(server, host="http://growthbook.example") as watched:
        watched.sees(1)
    assert asked[0] == "http://growthbook.example/api/features/sdk-abc123"


def test_a_proxy_may_have_any_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is the operator's choice, and says nothing of where the host is."""
    monkeypatch.setattr(
        "abmiddleware.sources.fetch.is_forbidden", lambda host: bool(ip_address(host))
    )
    monkeypatch.setenv("http_proxy", server.url)
    server.api = raw(json.dumps(flag(1)).encode())
    with watching(server, host="http://growthbook.example") as watched:
        watched.sees(1)


@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        ("ftp://proxy:3128", r"^HTTP_PROXY: is 'ftp://proxy:3128', must be a URL, such as"),
        ("socks4://proxy:3128", "must be a URL"),
        ("http://proxy:port", "must be a URL"),
        ("http://proxy:99999", "must be a URL"),
        ("http://:3128", "must be a URL"),
        ("http://anna:SECRET@proxy:port", r"^HTTP_PROXY: is 'http://\*\*\*@proxy:port', must"),
        ("anna:SECRET/@proxy:port", r"^HTTP_PROXY: is 'http://\*\*\*@proxy:port', must"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, proxy: str, problem: str
) -> None:
    """A slip in the environment shows when the source is made, without user and password."""
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        GrowthBook("sdk-abc123", host="http://growthbook.example")
    assert "SECRET" not in str(caught.value)


def test_a_missing_package_for_a_proxy_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SOCKS needs one more, and the message says how to install it."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("https_proxy", "socks5://localhost:1080")
    with pytest.raises(ConfigurationError, match=r"^HTTPS_PROXY: .* pip install 'httpx2\[socks\]'"):
        GrowthBook("sdk-abc123")


def test_an_etag_of_any_length_or_letters_is_not_sent_back(server: Server) -> None:
    """What a server could make requests large or odd with is left out."""
    server.api = payload(flag(1), etag='"' + "x" * 5000 + '"')
    with watching(server) as watched:
        watched.until(lambda: len(server.requests) >= 2)
    assert "if-none-match" not in server.requests[1].headers


def test_sockets_are_closed_after_each_request(server: Server) -> None:
    """Between two polls nothing is open that a fork could share or a proxy could cut."""
    server.api = payload(flag(1))
    with watching(server) as watched:
        watched.until(lambda: len(server.requests) >= 3)
        life = watched.source._refresher._life
        assert life is not None
        watched.until(lambda: not life._sockets)
    assert socket.getdefaulttimeout() is None
