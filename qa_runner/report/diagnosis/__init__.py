"""What went wrong and the likely cause: one rule for each thing that real targets do.

A rule is a pure function of what a run stored (``evidence``) that returns findings (``finding``);
``registry`` lists the rules in order. What only the requests show is shared out among causes by
``explain``: a rule says which requests it speaks for, and gets the criteria that these decided.
"""
