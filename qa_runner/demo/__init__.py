"""The embedded target: a Django project on SQLite that sells hour packages.

It is started as a process, ``python -m qa_runner.demo serve``, and never imported by the rest of
qa-runner; nor does it import anything of it.
"""
