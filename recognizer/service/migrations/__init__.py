"""Steps from older databases to today's: one module each, in ``versions``. ``schema.py`` runs them by Alembic."""
