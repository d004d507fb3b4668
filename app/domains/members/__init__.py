"""Party members."""
