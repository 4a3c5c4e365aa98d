"""qa-runner beside the load generators it has to stand comparison with: ``python -m benchmarks``.

No part of the installed package. Linux only: cores are assigned and processes watched with what
Linux offers.
"""
