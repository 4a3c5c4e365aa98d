"""How many samples are kept: a bound that is told, before a load is sent or when it is reached."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from load_bench import Bench, RawServer, respond

from qa_runner.errors import CouldNotRun
from qa_runner.load import handle as handle_module
from qa_runner.load.plan import RequestTemplate, Sequential, Shape, VirtualUsers
from qa_runner.part_record import PartRecord
from qa_runner.sending import Sending
from qa_runner.table import Table

Serve = Callable[..., RawServer]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """The bound, lowered."""
    monkeypatch.setattr(handle_module, "MOST_SAMPLES", 40)
    return 40


def test_a_load_that_is_known_to_be_too_large_is_refused_before_it_is_sent(bench: Bench) -> None:
    with pytest.raises(ValueError, match=r"20,000,001 requests is too large: .* 20,000,000; "):
        bench.submit("http://127.0.0.1:1/", Sequential(requests=20_000_001))


def test_a_load_that_reaches_the_bound_is_stopped_and_says_so(
    bench: Bench, answering: Serve, few: int
) -> None:
    shape = VirtualUsers(users=2, duration_seconds=60, think_time_seconds=0.01)
    handle = bench.submit(answering().url, shape)
    bench.wait(handle)
    assert handle.stop_reason == handle_module.TOO_MANY_SAMPLES
    assert len(handle.take()) >= few


def test_a_part_that_reaches_the_bound_could_not_run_and_keeps_what_it_measured(
    bench: Bench, answering: Serve, few: int
) -> None:
    record = PartRecord(id="1.1", step=1, attempt=1, start=0.0)
    saved: list[Table] = []
    instruments = bench.instruments(answering().url, save_samples=saved.append)
    sending = Sending(instruments, record, "r1")
    shape: Shape = VirtualUsers(users=2, duration_seconds=60, think_time_seconds=0.01)
    request = RequestTemplate(method="GET", url="/", key="k-{tag}-{i}")
    sent = sending.submit(shape, request, "main", 5.0, "keep-alive")
    with pytest.raises(CouldNotRun, match=r"load 10001 was stopped at 20,000,000 requests"):
        sending.finish(sent)
    assert sum(map(len, saved)) == len(record.samples) >= few
    assert record.loads[0].outcomes == {"success": len(record.samples)}
    assert "k-r1-10001-1" in record.samples.text("key")


def test_texts_come_to_the_rows_they_belong_to(bench: Bench, serve: Serve) -> None:
    def script(peer: object) -> None:
        while number := peer.request():  # type: ignore[attr-defined]
            good = int(number.split(b"/n/")[1].split(b" ")[0]) % 3
            error = b'{"error":"odd %d"}' % good
            peer.send(respond() if good else respond(error, "500 Oops"))  # type: ignore[attr-defined]

    table = bench.run(
        serve(script).url + "/n/{i}",
        Sequential(requests=12),
        connections="keep-alive",
        request={"key": "{i}-{i}"},
    )
    odd = (table.number("iteration") + 1) % 3 == 0
    np.testing.assert_array_equal(table.text_equals("outcome", "server error"), odd)
    assert table.where(odd).distinct("excerpt") == ['{"error":"odd 0"}']
    assert table.where(~odd).distinct("excerpt") == [""]
    assert table.text("key") == [f"{n}-{n}" for n in range(1, 13)]
