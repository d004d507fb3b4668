"""Runs, scores, lights, and what has to be scored again.

``running`` evaluates rules as a whole; ``refreshing`` scores again what records' changes have marked; ``publishing``
makes a run's results visible in one transaction; ``results`` answers what pages ask.
"""
