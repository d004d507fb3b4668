"""The rule workshop: rules read as sentences, written in forms, tried out, approved."""
