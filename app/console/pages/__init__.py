"""The pages people work on: overview, scorecards, league table, warnings, evaluations, and the homes of secretaries
and members. Each module is one page: it reads results in the reader's scope and fills its template's context."""
