"""How far timelines agree, with each other and with labels made by hand. Knows no network."""
