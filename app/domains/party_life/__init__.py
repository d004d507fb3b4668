"""Meetings, attendance, fees, study, appraisal, commendations: what Party life leaves on record, and what is owed."""
