"""Wishes of residents, who claims and realises them, and the points that follow."""
