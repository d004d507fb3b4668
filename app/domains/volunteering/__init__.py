"""Volunteers, the activities they enrol in, when they signed in and out, and the hours and stars that follow."""
