"""A server of the tests: listens on the port given, and does what each connection asks for.

Usage: small_server.py PORT [WORKERS]; with workers it only hands the socket on, as a pre-fork
master does. With WORKERS "reload" it serves from one child with the same command line.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time

KEPT: list[object] = []


def obey(command: str, argument: str) -> str:
    if command == "allocate":
        block = bytearray(int(argument))
        block[:: os.sysconf("SC_PAGE_SIZE")] = b"x" * len(block[:: os.sysconf("SC_PAGE_SIZE")])
        KEPT.append(block)
    elif command == "burn":
        end = time.monotonic() + float(argument)
        threading.Thread(target=burn, args=(end,), daemon=True).start()
    elif command == "open":
        KEPT.append(open(argument, "rb"))  # noqa: PTH123, SIM115 (stays open on purpose)
    elif command == "threads":
        for _ in range(int(argument)):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    elif command == "exit":
        os._exit(int(argument))
    return str(os.getpid())


def burn(end: float) -> None:
    while time.monotonic() < end:
        pass


def serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            command, _, argument = connection.recv(1000).decode().partition(" ")
            connection.sendall(obey(command, argument).encode())


def listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener


def main() -> None:
    parent = os.getppid()
    port, workers = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "0"
    if workers == "reload":
        if os.fork() == 0:
            watch(os.getppid())
            serve(listen(port))
    else:
        listener = listen(port)
        if workers == "0":
            watch(parent)
            serve(listener)
        for _ in range(int(workers)):
            if os.fork() == 0:
                watch(os.getppid())
                serve(listener)
    while os.getppid() == parent:
        time.sleep(0.1)


def watch(parent: int) -> None:
    """End with the parent, however it ended."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(0.1)
        os._exit(0)

    threading.Thread(target=look, daemon=True).start()


if __name__ == "__main__":
    main()
