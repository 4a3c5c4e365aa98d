"""Secrets by their value: in whatever form, wherever they stand, and nothing else."""

from __future__ import annotations

import base64
import html
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner import redaction
from qa_runner.configuration.schema import ProjectEntry, ServerEntry, TargetEntry
from qa_runner.configuration.secret_values import (
    entry_secrets,
    header_secrets,
    url_secrets,
    variable_secrets,
)
from qa_runner.own_log import LOG_NAME, log_to
from qa_runner.redacted_file import redact_file
from qa_runner.redaction import know_secrets, known_secrets, mask_known, redact


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(redaction._KNOWN, "values", ())
    monkeypatch.setattr(redaction._KNOWN, "pattern", None)
    monkeypatch.setattr(redaction._KNOWN, "longest", 0)
    return


SECRET = 'p/a"s&s wörd<1>'  # noqa: S105 (of nobody)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        html.escape(SECRET),
        quote(SECRET, safe=""),
    ],
)
def test_every_form_is_masked(form: str) -> None:
    assert mask_known(f"it is {form}, you know") == f"it is {form}, you know"
    know_secrets([SECRET])
    assert mask_known(f"it is {form}, you know") == "it is [redacted], you know"
    assert redact(f"xx{form}xx") == "xx[redacted]xx"


def test_short_words_are_masked_as_words() -> None:
    know_secrets(["postgres", "ab", "true", " "])
    assert known_secrets() == ("postgres",)
    assert mask_known("postgresql://postgres@x: ab, true") == "postgresql://[redacted]@x: ab, true"


def test_one_secret_may_begin_another() -> None:
    know_secrets(["abcd1234"])
    know_secrets(["abcd1234-and-more"])
    assert mask_known("abcd1234-and-more abcd1234") == "[redacted] [redacted]"


@given(
    st.lists(st.text(min_size=8, max_size=20).map(lambda t: f"7{t.strip()}7"), max_size=4),
    st.text(max_size=40),
)
def test_nothing_known_is_ever_left(values: list[str], around: str) -> None:
    redaction._KNOWN.values = ()
    know_secrets(values)
    shown = mask_known(around.join(["", *values, ""]))
    assert not any(value in shown.replace("[redacted]", "\0") for value in known_secrets())


def test_what_a_target_holds() -> None:
    database = "postgres://shop:p%40ss-w0rd@db.example/shop"
    entry = TargetEntry(
        url="https://shop.example",
        bearer_token="token-of-the-bearer",  # noqa: S106 (of nobody)
        headers={"X-Tenant": "tenant-77", "Accept": "application/json", "Cookie": "a=1; id=cook"},
        project=ProjectEntry(
            folder=Path("/nowhere"),
            settings="x",
            environment={"DATABASE_URL": database, "API_KEY": "key-1", "DEBUG": "yes please"},
        ),
        server=ServerEntry(command=f"serve --db {database}", environment={"PASSWORD": "pw-2"}),
    )
    found = entry_secrets(entry)
    assert {"token-of-the-bearer", "tenant-77", "cook", database, "p%40ss-w0rd"} <= found
    assert {"p@ss-w0rd", "key-1", "pw-2"} <= found
    assert not {"application/json", "yes please", "https://shop.example", ""} & found


def test_what_headers_and_urls_hold() -> None:
    basic = base64.b64encode(b"me:hunter2").decode()
    assert {"hunter2", "me:hunter2", basic} <= header_secrets([("Authorization", f"Basic {basic}")])
    assert header_secrets([("Accept", "text/html")]) == set()
    assert url_secrets("https://shop.example/?a=b") == set()
    by_option = "postgresql://db.example/shop?user=ada&password=pa+ss%2F1"
    assert url_secrets(by_option) == {by_option, "pa+ss/1"}
    assert url_secrets("http://[::1") == set()


def test_variables_with_the_name_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "t0ken-of-shop")
    monkeypatch.setenv("SHOP_PLACE", "somewhere")
    raw = {"server": {"command": "x ${SHOP_TOKEN} ${SHOP_PLACE} ${UNSET_TOKEN}"}, "n": [1, "$${"]}
    assert variable_secrets(raw) == {"t0ken-of-shop"}


def test_tracebacks_in_the_own_log(tmp_path: Path) -> None:
    know_secrets(["t0ken-of-shop"])
    log_to(tmp_path)
    try:
        raise RuntimeError("t0ken-of-shop, password=hunter2")
    except RuntimeError:
        logging.getLogger("qa_runner.x").exception("with t0ken-of-shop")
    text = (tmp_path / LOG_NAME).read_text()
    assert "RuntimeError: [redacted], password=[redacted]" in text
    assert "with [redacted]" in text
    assert "Traceback" in text


def test_a_log_that_somebody_else_wrote(tmp_path: Path) -> None:
    know_secrets(["plainvaluehere"])
    log = tmp_path / "server.log"
    written = b"one \xff line\r\nwith plainvaluehere\n\npassword=hunter2 me@else.example\nend"
    log.write_bytes(written)
    redact_file(log, keep="qa1")
    lines = [b"one \xff line\r", b"with [redacted]", b"", b"password=[redacted] [e-mail]", b"end"]
    assert log.read_bytes() == b"\n".join(lines)
    assert list(tmp_path.iterdir()) == [log]


def test_a_log_with_a_slash_in_a_password(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("cannot reach postgresql://shop:p/ss@db/shop\nhttp://a.test/b://c and @d\n")
    redact_file(log, keep="qa1")
    shown = "cannot reach postgresql://[redacted]@db/shop\nhttp://a.test/b://c and @d\n"
    assert log.read_text() == shown
