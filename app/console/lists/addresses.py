"""What of a list's address belongs to a view of it: filters, order, page size, the chosen columns, and whether it is
seen as a table, a calendar or a board.

Everything else in an address (page number, the view's own id, what somebody typed) is left out, so that a saved view
opens the same list for whoever opens it, each within their own scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

COLUMNS = "columns"
"""The parameter that holds the chosen columns, joined by commas."""
VIEW = "view"
"""The parameter that holds the id of the saved view that the reader came by."""
_FILTER = re.compile(r"_flt_\d{1,2}_(\w+)")
DISPLAY, BY = "display", "by"
"""The parameters that say how the list is seen, and by which date its calendar goes."""
LONGEST_ADDRESS = 4_000


def kept(parameters: Iterable[tuple[str, str]], view_name: str, filtered_by: Sequence[str]) -> list[tuple[str, str]]:
    """The parameters of a view, in a fixed order: the same view always has the same address.

    Args:
        parameters: all parameters of an address, repeated names included.
        view_name: the FAB view, whose name stands in the parameters of its order and page size.
        filtered_by: the columns that the list can be filtered by.
    """
    own = {f"_oc_{view_name}", f"_od_{view_name}", f"psize_{view_name}", COLUMNS, DISPLAY, BY}
    found = []
    for name, value in parameters:
        match = _FILTER.fullmatch(name)
        if value and (name in own or (match and match[1] in filtered_by)):
            found.append((name, value))
    return sorted(found)


def written(parameters: Iterable[tuple[str, str]]) -> str:
    """The query string of parameters, without a question mark."""
    return urlencode(list(parameters))


def chosen_columns(raw: str, offered: Sequence[str], otherwise: Sequence[str]) -> list[str]:
    """The columns that an address asks for, each once and only those that are offered; else the usual ones.

    The first column names the row and is its link, so that it always stands first.
    """
    first = otherwise[0]
    chosen = [name for name in dict.fromkeys(raw.split(",")) if name in offered and name != first]
    return [first, *chosen] if chosen else list(otherwise)
