"""How a network gets here and runs: from settings to verified weights to something that can be called."""
