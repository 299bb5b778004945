"""Labels that other programs and people made: their file formats."""
