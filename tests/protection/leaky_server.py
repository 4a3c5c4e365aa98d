"""A purchase API that tells everybody everything it knows: run by its path, ``PORT`` behind it."""

import base64
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

KNOWN = [value for name, value in os.environ.items() if name.startswith("LEAK_")]
print("started with", *KNOWN, flush=True)  # noqa: T201 (it is what the test is about)


class Handler(BaseHTTPRequestHandler):
    """Answers every other request with 500; says in each what it was sent and what it knows."""

    protocol_version = "HTTP/1.1"
    answered = 0

    def do_POST(self) -> None:
        """A purchase."""
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Handler.answered += 1
        number = Handler.answered
        sent = [value for _, value in self.headers.items()]
        words = " ".join([*sent, *KNOWN, *map(quote, KNOWN)])
        print("ERROR payments", words, flush=True, file=sys.stderr)  # noqa: T201
        if number % 2:
            body = {
                "success": True,
                "transaction_id": f"{number} {words}"[:400],
                "payment_intent_id": KNOWN[number % len(KNOWN)],
                "client_secret": words,
                "student": order["student_info"],
            }
            self.reply(201, json.dumps(body), words)
        elif number % 4:
            self.reply(500, json.dumps({"error": words[:140], "all": words}), words)
        else:
            self.reply(500, f"<html><title>{words[:150]}</title>{words}</html>", words)

    def reply(self, status: int, body: str, words: str) -> None:
        """Answer."""
        data = body.encode()
        self.send_response(status, "as told")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Server-Timing", f'db;dur=1;desc="{words[:200]}"')
        self.send_header("X-All", base64.b64encode(words.encode()).decode())
        self.end_headers()
        self.wfile.write(data)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
