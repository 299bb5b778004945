"""Agreement of timelines with each other and with labels made by hand. Runs no network."""
