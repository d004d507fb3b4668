"""Demonstration records: invented people and records on real divisions, the same ones every time."""

from .filling import fill, fill_if_empty

__all__ = ["fill", "fill_if_empty"]
