"""Who uploaded which file, so that one visitor's files can be limited."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Add the table; who uploaded earlier files was not stored."""
    op.create_table(
        "upload",
        sa.Column("visitor_id", sa.Text, primary_key=True),
        sa.Column("video_file", sa.Text, primary_key=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
