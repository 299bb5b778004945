"""Alembic runs this module for every migration; the connection is its caller's, within a transaction."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
