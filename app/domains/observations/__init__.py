"""Figures that are reported rather than counted."""
