"""Who may see and do what: actors, tiers, row scope, roles, accounts, audit, personal data."""
