"""How an entity is declared, and what follows: registry, labels, code lists, visibility, the filter language."""
