"""Users' own actions: examples, what is learned from them, and how well it works."""
