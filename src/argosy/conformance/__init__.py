"""Does this image keep the contract? observe -> judge -> findings -> report.

One container is started as the platform starts it and everything that it does is written down (`observe`); every check
(`checks`) is a pure function from one scene of that record to a verdict on one clause of `contract.CLAUSES`. Nothing
here knows Argosy's own server: a stranger's image is judged exactly as ours.
"""
