"""Step 6: memory and CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qa_runner import Burst, Param, Step, StepContext, part

from .requests import purchase

Floats = npt.NDArray[np.float64]
LEAST_RISE_PERCENT = 0.2
WRONG_PROCESS = (
    "server CPU did not rise under load, so another process than the monitored one may be serving"
)


class Resources(Step):
    """Whether memory and CPU of the server stay within bounds and settle after the load.

    A plateau of memory above the start is normal for Python, which keeps freed memory for
    itself, and is no criterion; continued growth is.
    """

    number = 6
    title = "Memory and CPU"
    figure = "06_resource_usage_monitoring"
    chart = "resources"

    @part(
        "6.1",
        "Memory over {bursts} bursts of {size} requests",
        bursts=Param(10),
        size=Param(10, unit="requests"),
        every=Param(1.0, unit="s"),
        settling=Param(10.0, smoke=3.0, unit="s"),
        settled_window=Param(5.0, smoke=1.5, unit="s"),
        word=Param("Memory"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda bursts, every, settling, **_: bursts * every + settling,
        loads=lambda bursts, size, every, **_: Burst(
            requests=size, repeat=bursts, every_seconds=every
        ),
        criteria=(
            "server_memory growth < 50 MB  # memory increase during the test",
            "server_memory slope < 5 MB per 100 requests  # no continuous growth",
            "server_memory{settled} range < 5 MB  # stabilises after the requests",
        ),
        source="Test 6.1, expected memory behaviour",
    )
    def memory(
        self,
        ctx: StepContext,
        *,
        bursts: int,
        size: int,
        every: float,
        settling: float,
        settled_window: float,
        word: str,
        timeout: float,
    ) -> None:
        """Bursts of requests, then quiet."""
        start = ctx.now()
        ctx.sample_monitors()  # before the first burst, as the part's criteria have it
        shape = Burst(requests=size, repeat=bursts, every_seconds=every)
        sent = ctx.load(shape, purchase(ctx, word), timeout=timeout)
        ctx.window("load", start, sent.last_finished)
        ctx.sleep(settling)
        ctx.sample_monitors()
        end = ctx.now()
        ctx.window("settled", end - min(settled_window, settling), end)
        rss = ctx.series("server", start, end).number("rss_bytes")
        rss = rss[np.isfinite(rss)]
        if rss.size:
            first, peak, last = float(rss[0]), float(rss.max()), float(rss[-1])
            returned = 100 * (peak - last) / (peak - first) if peak > first else 100.0
            ctx.table(
                "memory",
                "Memory of the server",
                ("start MB", "peak MB", "end MB", "growth MB", "growth %", "returned %"),
                [
                    (
                        round(first / 1e6, 2),
                        round(peak / 1e6, 2),
                        round(last / 1e6, 2),
                        round((last - first) / 1e6, 2),
                        round(100 * (last - first) / first, 2),
                        round(returned, 1),
                    )
                ],
            )

    @part(
        "6.2",
        "CPU during and after {requests} requests",
        requests=Param(50),
        every=Param(0.1, unit="s"),
        watch=Param(30.0, smoke=8.0, unit="s"),
        idle=Param(3.0, smoke=1.0, unit="s"),
        end_window=Param(5.0, smoke=1.33, unit="s"),
        busy_window=Param(10.0, smoke=2.67, unit="s"),
        word=Param("CPU"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda watch, idle, **_: watch + idle,
        loads=lambda requests, every, **_: Burst(requests=requests, stagger_seconds=every),
        criteria=(
            "server_cpu_rise > 0 %  # usage rises during requests",
            "server_cpu_from_idle <= 10 %  # returns to baseline",
            "busiest_window_after_load <= 90 %  # no sustained high usage",
        ),
        source="Test 6.2, expected CPU behaviour",
    )
    def cpu(
        self,
        ctx: StepContext,
        *,
        requests: int,
        every: float,
        watch: float,
        idle: float,
        end_window: float,
        busy_window: float,
        word: str,
        timeout: float,
    ) -> None:
        """Idle, a short load, then quiet again."""
        begin = ctx.now()
        ctx.sleep(idle)
        start = ctx.now()
        ctx.window("idle", begin, start)
        shape = Burst(requests=requests, stagger_seconds=every)
        sent = ctx.load(shape, purchase(ctx, word), timeout=timeout)
        loaded = sent.last_finished
        ctx.window("load", start, loaded)
        ctx.sleep_until(max(start + watch, loaded + end_window))
        ctx.sample_monitors()
        end = ctx.now()
        ctx.window("end", end - end_window, end)
        at_idle, _ = _cpu(ctx, begin, start)
        under_load, _ = _cpu(ctx, start, loaded)
        at_end, _ = _cpu(ctx, end - end_window, end)
        after, times = _cpu(ctx, loaded, end)
        names = ("server_cpu_rise", "server_cpu_from_idle", "busiest_window_after_load")
        if not (at_idle.size and under_load.size and at_end.size and after.size):
            for name in names:
                ctx.not_measured(name, ctx.server.reason or "the server was not there throughout")
            return
        rise = float(under_load.mean() - at_idle.mean())
        # Less than the idle readings scatter is no rise.
        noise = 2 * float(at_idle.std()) / at_idle.size**0.5
        if rise > max(noise, LEAST_RISE_PERCENT):
            ctx.record("server_cpu_rise", rise)
        else:
            ctx.not_measured("server_cpu_rise", WRONG_PROCESS)
        ctx.record("server_cpu_from_idle", abs(float(np.median(at_end) - np.median(at_idle))))
        ctx.record("busiest_window_after_load", _busiest(times, after, busy_window))


def _cpu(ctx: StepContext, start: float, end: float) -> tuple[Floats, Floats]:
    """Server CPU in percent and the times of the readings, each shape (n,)."""
    readings = ctx.series("server", start, end)
    values = readings.number("cpu_percent")
    known = np.isfinite(values)
    return values[known], readings.number("time")[known]


def _busiest(times: Floats, values: Floats, width: float) -> float:
    """The highest mean over any window of ``width`` seconds that fits between the readings."""
    last = max(times[-1] - width, times[0])
    return max(
        float(values[(times >= start) & (times <= start + width)].mean())
        for start in times[times <= last]
    )
