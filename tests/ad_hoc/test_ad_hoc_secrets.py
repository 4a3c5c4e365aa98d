"""Tokens and cookies are sent, and shown nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ad_hoc_bench import invoke
from answering_site import Answer, AnsweringSite, Seen

SECRETS = ("tok-4711-abc", "wonderland", "s3ss10n", "api-0815-xyz")
OPTIONS = (
    *("--auth-token", "tok-4711-abc", "--header", "Cookie: flavour=wonderland; id=s3ss10n"),
    *("--header", "X-Api-Key: api-0815-xyz", "-n", "3", "-u", "1"),
)


def repeats(seen: Seen, number: int) -> Answer:
    """A server that tells everybody what it was sent, without saying what that is."""
    sent = [value for name, value in seen.headers.items() if name.startswith(("Auth", "Coo", "X-"))]
    words = " / ".join([*sent, *(part.split("=")[-1] for part in sent[1].split("; "))])
    if number % 2:
        return Answer(500, json.dumps({"error": f"no luck with {words}"}).encode())
    return Answer(500, words.encode())


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_secrets_are_sent_and_not_shown(
    site: Callable[..., AnsweringSite], tmp_path: Path, form: str
) -> None:
    server, page = site(repeats), tmp_path / "page.html"
    report = ("--report", str(page)) if form == "json" else ()
    done = invoke(f"{server.url}/?token=tok-4711-abc", *OPTIONS, "--format", form, *report)
    assert done.exit_code == 0
    assert "no luck with" in done.output
    for secret in SECRETS:
        assert any(secret in value for value in server.seen[0].headers.values())
        assert secret not in done.output
    if report:
        text = page.read_text()
        assert "Authorization: [redacted]" in text
        for secret in SECRETS:
            assert secret not in text
