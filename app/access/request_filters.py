"""A filter set of its own for each request, for every view of FAB.

FAB keeps one ``Filters`` object for each view and lets every request empty and fill it, so that under threads an answer
can hold another request's rows (FAB issue 2366). A view or API with ``_filters = FiltersOfRequest()`` hands each
request a copy instead, which costs two empty lists.
"""

from __future__ import annotations

from typing import Any

from flask import has_request_context, request

_COPIES = "beacon.filters"


class FiltersOfRequest:
    """Descriptor for a view's or API's ``_filters``: outside of a request what FAB set up, inside of one a copy of it
    that no other request sees."""

    def __get__(self, view: Any, owner: type | None = None) -> Any:
        if view is None:
            return self
        shared = view.__dict__.get("_shared_filters")
        if shared is None or not has_request_context():
            return shared
        # On the request itself and not on ``flask.g``, which requests inside one application context share.
        copies = request.environ.setdefault(_COPIES, {})
        if id(view) not in copies:
            copies[id(view)] = own_copy(shared)
        return copies[id(view)]

    def __set__(self, view: Any, filters: Any) -> None:
        view.__dict__["_shared_filters"] = filters


def own_copy(filters: Any) -> Any:
    """The same choices with conditions of one's own. FAB's ``copy`` forgets what there is to choose from."""
    twin = object.__new__(type(filters))
    twin.__dict__.update(filters.__dict__)
    twin.filters, twin.values = list(filters.filters), list(filters.values)
    return twin
