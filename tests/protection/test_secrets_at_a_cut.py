"""A secret that stands where a text is cut: no half of it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_runner import redaction
from qa_runner.errors import ProbeError
from qa_runner.load.check import Checker, Finding
from qa_runner.load.checked_response import CheckedResponse, run_check
from qa_runner.load.request import request
from qa_runner.load.response import Response, ResponseReader
from qa_runner.monitors.probe.failure import one_line
from qa_runner.monitors.probe_process import ProbeProcess
from qa_runner.monitors.project import DjangoProject
from qa_runner.redaction import know_secrets, redact_front

TOKEN = "opaque-4711/wxyz-kqvj"  # noqa: S105 (of nobody)


@pytest.fixture(autouse=True)
def _one_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_KNOWN", redaction._KnownSecrets())
    know_secrets([TOKEN])


def leaks(text: str) -> bool:
    return any(TOKEN[at : at + 4] in text for at in range(len(TOKEN) - 3))


def answer(body: str, status: str = "500 Oops") -> Response:
    data = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n\r\n"
    made = ResponseReader().feed(head.encode() + data)
    assert made is not None
    return made


def judged(body: str) -> Finding:
    return Checker(request("GET", "/")).judge(answer(body), "")


def test_in_the_message_of_an_error_page() -> None:
    for before in range(100, 200):
        error = judged(f"<title>{'.' * before}{TOKEN}</title>").error
        assert "..." in error
        assert not leaks(error)
    for before in range(100, 200):
        page = f'<title>Oops</title><pre class="exception_value">{"." * before}{TOKEN}</pre>'
        assert not leaks(judged(page).error)


@pytest.mark.parametrize("filling", [" ", ".", "é"])
def test_in_an_excerpt(filling: str) -> None:
    for before in (*range(250, 320), *range(2000, 2400)):
        excerpt = judged(f"begin {filling * before}{TOKEN} end").excerpt
        assert excerpt.startswith("begin")
        assert not leaks(excerpt)


def test_in_what_the_check_of_an_author_says() -> None:
    for before in range(150, 250):
        said = f"{'.' * before} {TOKEN}"
        assert not leaks(run_check(lambda _, said=said: said, CheckedResponse(answer(""), b""), ""))


def test_in_a_value_that_is_another_one() -> None:
    checker = Checker(request("GET", "/", expect={"a": 1}))
    for before in range(50, 120):
        found = checker.judge(answer(f'{{"a": "{"." * before}{TOKEN}"}}', "200 OK"), "")
        assert found.error.startswith('a is "...')
        assert not leaks(found.error)


@pytest.mark.parametrize("before", [285, 295, 4085, 4090, 4096])
def test_in_the_last_output_of_the_probe(tmp_path: Path, before: int) -> None:
    interpreter = tmp_path / "python-that-ends"
    interpreter.write_text(f"#!/bin/sh\necho '{'.' * before}{TOKEN}' >&2\nexit 3\n")
    interpreter.chmod(0o700)
    with pytest.raises(ProbeError, match=r"its last output: \.\.\.") as caught:
        ProbeProcess(DjangoProject(str(interpreter), "settings"), {}).start(20.0)
    assert not leaks(str(caught.value))


def test_in_an_error_that_the_probe_tells() -> None:
    assert one_line(ValueError(f"no {TOKEN}")) == f"ValueError: no {TOKEN}"
    for before in range(350, 420):
        told = one_line(ValueError(f"{'.' * before} {TOKEN} end"))
        assert len(told) <= 402
        assert not leaks(told.replace(TOKEN, ""))


@pytest.mark.parametrize("secret", ["opaque-4711", "k9" * 900, "words of a secret"])
def test_wherever_it_is_cut(secret: str) -> None:
    know_secrets([secret])
    for before in range(0, 2500, 7):
        shown = redact_front("." * before + secret + "." * 2500, 100)
        assert secret[:4] not in shown
    assert secret[:4] not in redact_front(f"{secret} " * 500, 100)
    assert redact_front("short", 100) == "short"
    assert redact_front("." * 5000, 100) == "." * 100
