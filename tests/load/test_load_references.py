"""Functions of the author's by name, found in the generator in a case mounted as a package."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from load_bench import Bench, RawServer, respond, rows

from qa_runner.discovery import load_folder
from qa_runner.load.plan import RampingArrivalRate, Reference, Sequential, VirtualUsers
from qa_runner.load.reference import find_function, refer_to
from qa_runner.load.request import request

Serve = Callable[..., RawServer]

FUNCTIONS = """
from qa_runner import CheckedResponse

from .words import GREETING

def body(number, user, tag):
    print("on stdout, where the frames are")
    return {"text": GREETING, "n": number, "user": user, "tag": tag}

def text(number, user, tag):
    return f"{{i}} is {number} é"

def binary(number, user, tag):
    return bytes([number, 255])

def nothing(number, user, tag):
    return None

def odd_ones_fail(number, user, tag):
    if number % 2:
        raise KeyError(f"no body\\nfor {number}")
    return "x"

def ends(number, user, tag):
    raise SystemExit(3)

def check(response: CheckedResponse) -> str | None:
    assert response.status == 200
    assert response.headers["X-KIND"] == response.headers["x-kind"] == "a, b"
    assert response.text == response.content.decode()
    count = response.json()["count"]
    return None if count == 2 else f"count is {count},\\n not 2"

def check_raises(response):
    return response.json()["gone"]

def check_odd(response):
    return False

def check_exits(response):
    exit("bye")
"""

CASE = '''
from qa_runner import Step, TestCase, part, request

from .functions import check

TEMPLATE = request("GET", "/", check=check)

class One(Step):
    """A step."""

    number = 1
    title = "One"
    figure = "01_one"
    criteria = ("success_rate >= 90 %",)

    @part("1.1", "A part")
    def one(self, ctx):
        pass

class Case(TestCase):
    """A case."""

    id = "REF-1"
    name = "References"
    description = "Functions by name"
    steps = (One,)
'''


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Path]:
    """A folder of a test case, whose name is no name of a module."""
    folder = tmp_path / "my case-1"
    folder.mkdir()
    (folder / "__init__.py").write_text(CASE)
    (folder / "functions.py").write_text(FUNCTIONS)
    (folder / "words.py").write_text('GREETING = "grüße"\n')
    yield folder
    for name in [name for name in sys.modules if name.startswith(("_qa_runner_case_", "alone"))]:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def refer(case: Path) -> Callable[[str], Reference]:
    """A reference to one of FUNCTIONS, made from the function as an author has it."""
    definition = load_folder(case)
    package = definition.case.__module__
    functions = sys.modules[f"{package}.functions"]
    return lambda name: refer_to(getattr(functions, name))


def test_check_given_to_request_finds_its_way_from_a_mounted_case(
    own_bench: Bench, answering: Serve, case: Path
) -> None:
    template = sys.modules[load_folder(case).case.__module__].TEMPLATE
    assert template.check.folder == str(case)
    answers = respond(b'{"count":2}', headers=("X-Kind: a", "X-Kind: b"))
    row = own_bench.row(answering(answers).url, request={"check": template.check})
    assert (row["outcome"], row["error"]) == ("success", "")


@pytest.mark.parametrize(
    "case_of_check",
    [
        ("check", b'{"count":3}', "count is 3, not 2"),
        ("check", b'{"count":', "check: ValueError: body is not JSON"),
        ("check_raises", b"{}", "check: KeyError: 'gone'"),
        ("check_odd", b"{}", "check: TypeError: bool returned, not str or None"),
        ("check_exits", b"{}", "check: SystemExit: bye"),
    ],
)
def test_what_a_check_says_or_raises_makes_the_response_invalid(
    bench: Bench,
    answering: Serve,
    refer: Callable[[str], Reference],
    case_of_check: tuple[str, bytes, str],
) -> None:
    name, answer, error = case_of_check
    server = answering(respond(answer, headers=("X-Kind: a", "X-Kind: b")))
    table = bench.run(server.url, Sequential(requests=2), request={"check": refer(name)})
    assert table.text("outcome") == ["invalid"] * 2
    assert table.text("error") == [error] * 2


def test_an_error_status_is_not_given_to_the_check(
    bench: Bench, answering: Serve, refer: Callable[[str], Reference]
) -> None:
    row = bench.row(answering(respond(b"", "500 No")).url, request={"check": refer("check_raises")})
    assert (row["outcome"], row["error"]) == ("server error", "HTTP 500")


def test_bodies_are_made_for_each_request(
    bench: Bench, answering: Serve, refer: Callable[[str], Reference]
) -> None:
    server = answering()
    shape = VirtualUsers(users=2, requests_per_user=3)
    asked = {"method": "POST", "body": refer("body"), "key": "k{i}"}
    table = bench.run(server.url + "/{i}", shape, request=asked)
    sent = {}
    for raw in server.requests:
        head, _, body = raw.partition(b"\r\n\r\n")
        assert b"\r\nContent-Type: application/json\r\n" in head
        made = json.loads(body)
        assert head.startswith(b"POST /%d HTTP" % made["n"])
        sent[f"k{made['n']}"] = made
    assert len(sent) == 6
    for row in rows(table):
        made = sent[row["key"]]
        assert made == {"text": "grüße", "n": made["n"], "user": row["user"], "tag": "t1"}


@pytest.mark.parametrize(
    ("name", "body"), [("text", "{i} is 1 é".encode()), ("binary", b"\x01\xff")]
)
def test_text_and_bytes_are_sent_as_they_are(
    bench: Bench, answering: Serve, refer: Callable[[str], Reference], name: str, body: bytes
) -> None:
    server = answering()
    bench.row(server.url, request={"method": "POST", "body": refer(name)})
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    assert b"Content-Type" not in head


@pytest.mark.parametrize(
    "shape",
    [VirtualUsers(users=2, requests=6), RampingArrivalRate(start_rate=60, stages=((60, 0.1),))],
)
def test_a_request_without_body_is_not_started_and_the_load_goes_on(
    bench: Bench,
    answering: Serve,
    refer: Callable[[str], Reference],
    shape: VirtualUsers | RampingArrivalRate,
) -> None:
    server = answering()
    asked = {"method": "POST", "body": refer("odd_ones_fail")}
    found = sorted(rows(bench.run(server.url, shape, request=asked)), key=lambda r: r["iteration"])
    assert [row["outcome"] for row in found] == ["dropped", "success"] * 3
    assert found[0]["error"] == "no body: KeyError: 'no body\\nfor 1'"
    assert found[0]["started"] != found[0]["started"]  # NaN
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nothing", "no body: TypeError: NoneType returned, not str, bytes or dict"),
        ("ends", "no body: SystemExit: 3"),
    ],
)
def test_why_there_is_no_body(
    bench: Bench, answering: Serve, refer: Callable[[str], Reference], name: str, error: str
) -> None:
    row = bench.row(answering().url, request={"method": "POST", "body": refer(name)})
    assert (row["outcome"], row["error"]) == ("dropped", error)


def test_a_module_on_its_own_is_found_in_its_folder(
    bench: Bench, answering: Serve, tmp_path: Path, case: Path
) -> None:
    (tmp_path / "alone_module.py").write_text("def check(response):\n    return 'no'\n")
    alone = Reference(folder=str(tmp_path), module="alone_module", name="check")
    row = bench.row(answering().url, request={"check": alone})
    assert (row["outcome"], row["error"]) == ("invalid", "no")
    assert str(tmp_path) not in sys.path


BROKEN = {
    "no folder": ("/no/such", "nowhere_to_be.found", "f", "FileNotFoundError: no such file"),
    "no module": ("{case}", "_qa_runner_broken.gone", "f", "ModuleNotFoundError: .*gone"),
    "no function": ("{case}", "_qa_runner_broken.words", "f", "words.f in .* is no function"),
    "no callable": ("{case}", "_qa_runner_broken.words", "GREETING", "is no function of that mod"),
    "syntax": ("{case}", "_qa_runner_broken.syntax", "f", "SyntaxError: "),
    "exits": ("{case}", "_qa_runner_broken.exits", "f", "SystemExit: 3"),
    "another": ("{case}", "json", "loads", "ImportError: there is another module json, /"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_imported_is_one_line_before_anything_is_sent(
    bench: Bench, answering: Serve, tmp_path: Path, name: str
) -> None:
    for module, code in {
        "__init__": "",
        "words": "GREETING = 1",
        "syntax": "def",
        "exits": "exit(3)",
    }.items():
        (tmp_path / f"{module}.py").write_text(code)
    folder, module, function, said = BROKEN[name]
    reference = Reference(
        folder=folder.replace("{case}", str(tmp_path)), module=module, name=function
    )
    server = answering()
    try:
        for asked in ({"check": reference}, {"method": "POST", "body": reference}):
            with pytest.raises(ValueError, match=f"^[^\n]*{said}[^\n]*$"):
                bench.submit(server.url, request=asked)
    finally:
        for loaded in [n for n in sys.modules if n.startswith("_qa_runner_broken")]:
            del sys.modules[loaded]
    assert not server.requests


def test_functions_of_files_only() -> None:
    with pytest.raises(ValueError, match="lower can't be used here"):
        refer_to(str.lower)
    scope = {"__name__": "__main__"}
    exec("def named(): pass", scope)  # noqa: S102 (what a script has at its top)
    with pytest.raises(ValueError, match="a module with a file, not in __main__"):
        refer_to(scope["named"])  # type: ignore[arg-type]


def test_reference_leads_back_to_the_function() -> None:
    assert find_function(refer_to(json.dumps)) is json.dumps
    assert find_function(refer_to(request)) is request
