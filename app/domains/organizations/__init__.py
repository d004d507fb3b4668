"""Party organizations, their tree, and who holds office in them."""
