"""How older databases become today's: one module each step, in ``versions``. ``schema.py`` runs them by Alembic."""
