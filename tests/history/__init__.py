"""The history: recording, the chain, the trash, persons."""
