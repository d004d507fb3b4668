"""Files that belong to records: what they are (models), what may be attached (contents), how they come and go."""
