"""What the district records. One folder a subject, the same files in each: ``models.py`` (entities),
``operations.py`` (what can be done, checked and atomic), ``views.py`` (pages of its own, if any)."""
