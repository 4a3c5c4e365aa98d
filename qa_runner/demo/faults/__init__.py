"""Faults: things that go wrong in real APIs, switched on by name.

``names`` says which there are, ``chain`` where they act, ``registry`` which class is which; the
other modules hold the faults themselves, one for each layer.
"""
