"""Targets by URL: what is accepted, and one clear line for everything else."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from qa_runner.errors import TargetError, UsageError
from qa_runner.targets.url import url_target


def test_a_listening_target() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        target = url_target(f"http://localhost:{port}/shop/")
        assert target.url == f"http://localhost:{port}/shop"
        assert (target.host, target.port) == ("127.0.0.1", port)
        assert (target.environment, target.project, target.log_path) == ("local", None, None)
        assert url_target(f"HTTP://127.0.0.1:{port}").url == f"http://127.0.0.1:{port}"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_a_target_on_ipv6() -> None:
    with closing(socket.create_server(("::1", 0), family=socket.AF_INET6)) as server:
        port = server.getsockname()[1]
        target = url_target(f"http://[::1]:{port}")
        assert target.url == f"http://[::1]:{port}"
        assert target.host == "::1"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("demo2", "must begin with http:// or https://"),
        ("", "must begin with http:// or https://"),
        ("ftp://127.0.0.1/", "must begin with http:// or https://"),
        ("127.0.0.1:8000", "must begin with http:// or https://"),
        ("http://", "names no host"),
        ("http://:8000", "names no host"),
        ("http://127.0.0.1:99999", "is not valid"),
        ("http://127.0.0.1:x", "is not valid"),
        ("http://[::1", "is not valid"),
        ("http://127.0.0.1:0", "names port 0"),
        ("http://127.0.0.1:8000/?a=b", "must not contain"),
        ("http://127.0.0.1:8000/ x", "spaces or control characters"),
        ("http://127.0.0.1\n:8000", "spaces or control characters"),
        ("http://192.0.2.1:8000", "is not this machine; name it as a target"),
        ("http://0.0.0.0:8000", "is not this machine; name it as a target"),
    ],
)
def test_unusable_urls(url: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        url_target(url)
    assert "\n" not in str(caught.value)


def test_password_is_not_repeated() -> None:
    with pytest.raises(UsageError, match="must not contain user or password") as caught:
        url_target("http://me:hunter2@127.0.0.1:8000")
    assert "hunter2" not in str(caught.value)


def test_a_name_that_does_not_resolve() -> None:
    with pytest.raises(TargetError, match=r"cannot resolve no-such-host\.invalid"):
        url_target("http://no-such-host.invalid:8000")
    with pytest.raises(TargetError, match="cannot resolve"):
        url_target(f"http://{'x' * 70}.invalid:8000")


def test_nobody_listens() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    with pytest.raises(TargetError, match=f"127.0.0.1:{port} refused .* is the server running"):
        url_target(f"http://127.0.0.1:{port}")
