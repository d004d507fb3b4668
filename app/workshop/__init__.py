"""The rule workshop's machinery: drafts, their faults, what they would change, their approval and publication.

It stands between evaluation and the console: it reads rules and results, and knows no page.
"""
