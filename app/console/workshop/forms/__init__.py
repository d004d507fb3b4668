"""The forms of rules, one module a construct of the language. ``panels`` brings them together."""
