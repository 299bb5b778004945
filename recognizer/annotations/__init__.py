"""Labels made by people or other programs, and their file formats."""
