"""Agreement of timelines with each other and with labels made by hand. Needs no network."""
