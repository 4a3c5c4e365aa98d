"""The database probe, run by the target's own interpreter inside its Django project.

Supports Python 3.8 and Django 3.2, and newer ones of both; it uses nothing else. It is started
by path, reads one JSON request per line on stdin and answers each with one JSON line on what
was its stdout; stdout itself becomes stderr, because projects print when they are imported.

It reads outside of transactions, each statement limited in time, and ends when stdin closes.
"""
