"""Words and what is in the photo become a plan that every engine obeys. Knows no torch."""
