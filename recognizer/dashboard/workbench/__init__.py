"""The workbench: watch an analysis and correct it."""
