"""The three lists of regional partnership: resources, demands and the projects that come of matching them."""
