"""Takes secrets and other people's e-mail addresses out of text before anything is stored."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

__all__ = [
    "is_secret_name",
    "know_secrets",
    "known_secrets",
    "mask_known",
    "redact",
    "redact_front",
]

_MASK = "[redacted]"
_SENSITIVE = (
    r"[\w.-]{0,40}"
    r"(?:password|passwd|pwd|secret|token|key|authorization|cookie|session[_-]?id|csrf"
    r"|credential|signature|dsn)"
    r"[\w.-]{0,40}"
)
# The word before a credential, which stays.
_SCHEME = r"(?:(?:bearer|basic|digest|token)[ \t]++)?"
# The value of a header, up to the end of its line or of the string it stands in. What is in quotes
# after a = belongs to it (Digest has such), so does what is escaped, and a quote within a word.
_HEADER_VALUE = r"(?:[^\r\n\"'<\\]|\\[^\r\n]|(?<==)\"[^\"\r\n]*\"?|[\"'](?=\w))++"
# Nothing here may take long on a long run of the same: repetitions are bounded, begin at an edge,
# or end where the next one begins, since a server decides what stands in the text.
# Each with what is put in its place. Order matters: the wider forms come first.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Set-Cookie: a=b; Path=/
    (re.compile(rf"\b((?:set-)?cookie\s*:\s*){_HEADER_VALUE}", re.IGNORECASE), rf"\1{_MASK}"),
    # "client_secret": "x" in JSON, also escaped, cut off at the end, or as Python's repr
    (
        re.compile(
            rf"((?<!\\)\\*+[\"']{_SENSITIVE}\\*+[\"']\s*:\s*)"
            r"(?:b?(?:\"(?:[^\"\\]|\\.)*+(?:\"|\\?\Z)|'(?:[^'\\]|\\.)*+(?:'|\\?\Z))"
            # Escaped: up to a quote with as many backslashes as the first one has.
            r"|(?P<escape>\\++)\"(?:[^\"\\]|(?!(?P=escape)\")\\++\"?)*+(?:(?P=escape)\")?"
            r"|[^\s,}\]\"'{\[\\]+)",
            re.IGNORECASE | re.DOTALL,
        ),
        rf'\1"{_MASK}"',
    ),
    # Authorization: Digest username="a", response="b"
    (
        re.compile(rf"(authorization[ \t]*+:[ \t]*+{_SCHEME}){_HEADER_VALUE}", re.IGNORECASE),
        rf"\1{_MASK}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {_MASK}"),
    # A shorter one that is no word: "bearer token is missing" stays.
    (re.compile(r"\b(bearer)\s+(?=[a-z_.~+/=-]{0,4}\d)[\w.~+/=-]+", re.IGNORECASE), rf"\1 {_MASK}"),
    (re.compile(r"\b(token)\s+[\w.~+/=-]{20,}", re.IGNORECASE), rf"\1 {_MASK}"),
    # password=x in a form or a query, password: x in a log, SECRET_KEY = 'x' in settings
    (
        re.compile(
            rf"(?<![\w.-])({_SENSITIVE}(?:[ \t]{{0,8}}={{1,3}}[ \t]{{0,8}}+|\s*:\s++){_SCHEME})"
            r"(?:[bfru]{0,2}\\*+(?:\"[^\"]*\"?|'[^']*'?)|[^\s&;,\"'<>]+)",
            re.IGNORECASE,
        ),
        rf"\1{_MASK}",
    ),
    # JSON web tokens and the keys of payment providers, wherever they stand
    (re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]*){1,2}"), _MASK),
    (re.compile(r"\b(?:[sr]k|pk|whsec)_\w{8,}|\b\w{1,80}_secret_\w+"), _MASK),
    (re.compile(r"\bAKIA[A-Z0-9]{12,}|\bgh[pousr]_\w{20,}"), _MASK),
    # postgresql://user:password@host, where anything can stand in the password: to the last @
    (
        re.compile(r"(?<!http)(?<!https)(://)(?:(?!://)[^\s\"'<>])+@", re.IGNORECASE),
        rf"\1{_MASK}@",
    ),
    # https://user:password@host; neither https://host:8000/of@somebody nor https://host/of@ is one
    (
        re.compile(r"(://)[^\s/@\"'<>:\[]*+:(?!\d{1,5}(?:[/?#]|\Z))(?:(?!://)[^\s\"'<>])*@"),
        rf"\1{_MASK}@",
    ),
    (re.compile(r"(://)[^\s/\"'<>]+@"), rf"\1{_MASK}@"),
)
_SHORTEST = 4
"""A shorter value would be found in every other word."""
_WORDS = frozenset({"demo", "false", "none", "null", "test", "true"})
"""Values of variables such as USE_TOKENS=true, which are no secret whatever their name is."""
_UNMISTAKABLE, _UNMISTAKABLE_WORD = 8, 12
"""Of a shorter secret, and of a shorter one of letters alone, only the whole word is masked: not
all that begins with "postgres"."""
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,256}@[\w-]+(?:\.[\w-]+)+")
_EDGE_CHARACTERS = 256
"""What is looked at beyond a cut: an e-mail address, and any secret that is not longer."""


class _KnownSecrets:
    """The values that this process must not write anywhere."""

    def __init__(self) -> None:
        self.values: tuple[str, ...] = ()
        self.pattern: re.Pattern[str] | None = None
        self.longest = 0

    def add(self, values: Iterable[str]) -> None:
        stripped = {value.strip() for value in values}
        new = {v for v in stripped if len(v) >= _SHORTEST and v.casefold() not in _WORDS}
        self.values = tuple(sorted(new.union(self.values), key=lambda value: (-len(value), value)))
        forms = sorted({form for value in self.values for form in _forms(value)}, key=len)
        # The longest first: one secret can begin another.
        words = "|".join(_as_pattern(form) for form in reversed(forms))
        self.pattern = re.compile(words) if words else None
        self.longest = len(forms[-1]) if forms else 0


def _forms(value: str) -> set[str]:
    """As it stands, and as JSON, HTML and URLs have it."""
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {value, html.escape(value), quote(value, safe=""), quote_plus(value), *escaped}


def _as_pattern(form: str) -> str:
    if len(form) >= (_UNMISTAKABLE_WORD if form.isalpha() else _UNMISTAKABLE):
        return re.escape(form)
    return rf"(?<![A-Za-z0-9_]){re.escape(form)}(?![A-Za-z0-9_])"


_KNOWN = _KnownSecrets()


def know_secrets(values: Iterable[str]) -> None:
    """Mask these values from now on, in this process, wherever they turn up.

    What is shorter than four characters cannot be told from other text, and stays.
    """
    _KNOWN.add(values)


def known_secrets() -> tuple[str, ...]:
    """What is masked by its value, for a process that is to do the same."""
    return _KNOWN.values


def mask_known(text: str) -> str:
    """``text`` without the values that are known to be secret."""
    return text if _KNOWN.pattern is None else _KNOWN.pattern.sub(_MASK, text)


def redact(text: str, keep: str = "") -> str:
    """``text`` without credentials, known ones and what looks like one, and e-mail addresses.

    An address that contains ``keep``, such as the tag of the run, is the test's own and stays.
    """
    text = mask_known(text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _EMAIL.sub(lambda match: match[0] if keep and keep in match[0] else "[e-mail]", text)


def redact_front(text: str, characters: int, keep: str = "") -> str:
    """About the first ``characters`` of ``text``, redacted, for whoever shows less of it.

    What is cut off here is cut off at a distance from the secrets before it: none is left in half.
    """
    edge = max(_EDGE_CHARACTERS, _KNOWN.longest)
    if len(text) <= characters + edge:
        return redact(text, keep)
    # A secret that the cut divides is not recognised, and is at the end.
    return redact(text[: characters + edge], keep)[:-edge]


def is_secret_name(name: str) -> bool:
    """Whether an option or a variable of this name holds a secret."""
    return re.fullmatch(_SENSITIVE, name, re.IGNORECASE) is not None
