"""What happened to every record: each change with who, when and from where, sealed in a chain that shows tampering; the
trash; and what the law asks for a person's data: to be exported and to be erased. See docs/history.md."""
