"""Which run a batch's result is opened as."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "batch_run",
        sa.Column("result", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
    )
