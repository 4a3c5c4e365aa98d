"""A server of the tests, as somebody's command starts it: see the options.

GET / answers 200; /late answers 500 as often as --late says; /pid the pid; /environment the
variable SITE_GREETING.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SLEEPER = [sys.executable, "-c", "import time; time.sleep(180)"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--children", type=int, default=0, help="processes beside the server")
    parser.add_argument("--strays", type=int, default=0, help="the same, out of its group")
    parser.add_argument("--late", type=int, default=0)
    parser.add_argument("--say", action="append", default=[], help="lines to print")
    parser.add_argument("--exit", type=int, help="exit code, at once")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    parser.add_argument("--mute", action="store_true", help="never listen")
    parser.add_argument("--daemon", action="store_true", help="go into the background")
    return parser.parse_args()


def _handler(late: int) -> type[BaseHTTPRequestHandler]:
    left = late

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal left
            status, body = 200, b"hello"
            if self.path == "/late" and left > 0:
                left -= 1
                status = 500
            elif self.path == "/pid":
                body = str(os.getpid()).encode()
            elif self.path == "/environment":
                body = os.environ.get("SITE_GREETING", "").encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main() -> None:
    given = _arguments()
    signal.alarm(180)  # whatever a test that fails leaves behind
    for line in given.say:
        sys.stdout.write(f"{line}\n")
    for _ in range(given.children):
        subprocess.Popen(_SLEEPER)
    for _ in range(given.strays):
        subprocess.Popen(_SLEEPER, start_new_session=True)
    if given.exit is not None:
        sys.exit(given.exit)
    if given.daemon and os.fork():
        os._exit(0)
    if given.daemon:
        os.setsid()
    if given.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if given.mute:
        time.sleep(180)
    ThreadingHTTPServer(("127.0.0.1", given.port), _handler(given.late)).serve_forever()


if __name__ == "__main__":
    main()
