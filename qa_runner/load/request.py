"""How an author describes a request: in httpx's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qa_runner.load.authorisation import authorise
from qa_runner.load.multipart import Binaries
from qa_runner.load.plan import MixedBody, RequestTemplate
from qa_runner.load.reference import refer_to

__all__ = ["request"]

_ANY_HOST = "http://host.invalid"
_OF_THE_CONNECTION = (b"host", b"content-length", b"connection", b"transfer-encoding")
# httpx encodes braces in places; in the place of our fields it is given words that it leaves as
# they are in any encoding, and that nobody else writes.
_WORDS = {
    "{i}": "8f1c6d0e7b5a4e9bqarunnerfieldi",
    "{tag}": "8f1c6d0e7b5a4e9bqarunnerfieldtag",
    "{uuid}": "8f1c6d0e7b5a4e9bqarunnerfielduuid",
}


def request(
    method: str,
    url: str,
    *,
    params: Any = None,
    headers: Any = None,
    cookies: Mapping[str, str] | None = None,
    auth: Any = None,
    json: Any = None,
    content: str | bytes | Callable[[int, int, str], str | bytes | dict[str, Any]] | None = None,
    data: Mapping[str, Any] | None = None,
    files: Any = None,
    key: str = "",
    success_statuses: tuple[int, ...] = (200,),
    required: tuple[str, ...] = (),
    expect: Mapping[str, Any] | None = None,
    check: Callable[..., str | None] | None = None,
    extract: tuple[str, ...] = (),
    server_timing: bool = False,
) -> RequestTemplate:
    """A request template in the words of ``httpx.Request``, which encodes it once.

    ``url`` may be relative to the target's. The fields ``{i}``, ``{tag}`` and ``{uuid}`` may
    stand in ``url``, in what is text of ``params``, ``headers``, ``cookies``, ``json``,
    ``content``, ``data`` and ``files``, and (not {uuid}) in ``key``; bytes are sent as they are.

    ``auth`` is a pair of user and password, or what httpx takes that sets headers and is done; it
    is asked once. ``content`` may be a function at the top of a module: in
    the generator it gets the number of the request (what {i} stands for), the virtual user (from
    0) and the tag, and returns text, bytes, or a dict to be sent as JSON.

    ``required``, ``expect`` and ``extract`` have paths ("items.0.id") in the JSON body of the
    response. ``check`` is a function at the top of a module: it gets a
    :class:`~qa_runner.load.checked_response.CheckedResponse` of a success status, and returns
    what is wrong with it, or None. Both functions run between the sends: keep them short, and
    their modules small. The rest is as in :class:`RequestTemplate`.

    Raises ValueError, in one line, for a path without its slash, for what httpx cannot encode,
    such as a value that is not JSON, for an ``auth`` that needs an answer first, and for a
    function that cannot be found by its name.
    """
    try:
        return RequestTemplate(
            **_built(
                method,
                url,
                auth,
                content,
                {
                    "params": params,
                    "headers": headers,
                    "cookies": cookies,
                    "json": json,
                    "data": data,
                    "files": files,
                },
            ),
            key=key,
            success_statuses=success_statuses,
            required=required,
            expect=tuple((expect or {}).items()),
            check=None if check is None else refer_to(check),
            extract=tuple((path, path) for path in extract),
            server_timing=server_timing,
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"{method} {url}: {' '.join(str(error).split())}") from None


def _built(
    method: str, url: str, auth: Any, content: Any, options: dict[str, Any]
) -> dict[str, Any]:
    """The part of a template that httpx makes."""
    import httpx  # noqa: PLC0415 (heavy; only those who describe requests need it)

    if "://" not in url and not url.startswith("/"):
        raise ValueError("a path begins with /, an address with http://")
    binaries = Binaries()
    body: Any = ""
    if callable(content):
        if any(options[name] is not None for name in ("json", "data", "files")):
            raise ValueError("a body is made by a function, or of json, data or files; not both")
        body, content = refer_to(content), None
    elif isinstance(content, bytes):
        body, content = MixedBody(texts=("", ""), binaries=(content,)), None
    elif not isinstance(content, str | None):
        raise TypeError(f"content must be str, bytes or a function, not {type(content).__name__}")
    if not isinstance(options["data"], Mapping | None):
        raise TypeError("data must be a mapping; text and bytes are content")
    for name in ("params", "headers", "cookies", "data", "files"):
        options[name] = _with_words(options[name])
    if options["files"]:
        options["files"] = binaries.out_of_files(options["files"])
        options["data"] = binaries.out_of_data(options["data"])
    base = "" if "://" in url else _ANY_HOST
    try:
        built = httpx.Request(method, base + _with_words(url), content=content, **options)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from None
    encoded = built.read().decode()
    authorise(built, auth)
    return {
        "method": built.method,
        "url": _with_fields(str(built.url).removeprefix(base)),
        "headers": tuple(
            (_with_fields(name.decode("latin-1")), _with_fields(value.decode("latin-1")))
            for name, value in built.headers.raw
            if name.lower() not in _OF_THE_CONNECTION
        ),
        "body": body or binaries.put_back(_with_fields(encoded)),
    }


def _with_words(value: Any) -> Any:
    """With words for the fields in all its texts."""
    if hasattr(value, "multi_items"):  # of httpx: several values of one name
        value = value.multi_items()
    match value:
        case str():
            for field, word in _WORDS.items():
                value = value.replace(field, word)
            return value
        case Mapping():
            return {_with_words(name): _with_words(inner) for name, inner in value.items()}
        case list() | tuple():
            return type(value)(_with_words(inner) for inner in value)
        case _:
            return value


def _with_fields(text: str) -> str:
    for field, word in _WORDS.items():
        text = text.replace(word, field)
    return text
