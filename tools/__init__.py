"""What makes things for the repository, and is no part of the product."""
