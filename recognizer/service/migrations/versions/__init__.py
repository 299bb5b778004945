"""The migrations, in order. Only append."""
