"""The rule language and the scoring engine. Imports no Flask, no console, no jobs.

A rule's way through this package: ``source`` (YAML with positions) → ``parsing`` (into ``model``) → ``checking``
(against the registry of entities) → ``collecting`` (metrics as one frame of figures per subject, by SQL) →
``scoring`` (Polars) → ``explaining``.
"""
