"""How people come into the Party and from one organization to another: development cases, transfers."""
