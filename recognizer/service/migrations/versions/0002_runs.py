"""Analyses give their table's name to runs, and every analysis and comparison gets a finished run."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Rename, add and fill; the stored results themselves stay as they are, byte for byte."""
    op.rename_table("run", "analysis")
    for table, old, new in (
        ("analysis", "run_id", "analysis_id"),
        ("analysis", "video_path", "video_file"),
        ("analysis", "timeline_zlib", "timeline"),
        ("comparison", "video_path", "video_file"),
        ("comparison", "entries_zlib", "entries"),
    ):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    for table in ("example", "background"):
        op.add_column(table, sa.Column("position", sa.Integer, nullable=False, server_default="0"))
        op.execute(f"UPDATE {table} SET position = rowid")  # noqa: S608 - the word is this module's
    _create_runs()
    _fill_runs("analysis", "''")
    _fill_runs("comparison", "video_sha256")


def _create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("visitor_id", sa.Text, nullable=False),
        sa.Column("video_name", sa.Text, nullable=False),
        sa.Column("video_file", sa.Text, nullable=False),
        sa.Column("video_sha256", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("result_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text),
        sa.Column("ended_at", sa.Text),
        sa.Column("server_id", sa.Text, nullable=False),
        sa.Column("heartbeat_at", sa.Text),
        sa.Column("progress", sa.REAL, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("removed_at", sa.Text),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_index("run_by_visitor", "run", ["visitor_id"])
    op.create_index("run_by_state", "run", ["state"])
    op.create_table(
        "run_chunk",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )


def _fill_runs(kind: str, sha256: str) -> None:
    """Give each result a run; who started it was not stored."""
    op.execute(
        f"""
        INSERT INTO run (run_id, kind, state, visitor_id, video_name, video_file, video_sha256, request, result_id,
            created_at, ended_at, server_id, progress, problem, opened_at, title, tags, facts)
        SELECT {kind}_id, '{kind}', 'done', '', video_name, video_file, {sha256}, '{{}}', {kind}_id,
            created_at, created_at, '', 1, '', created_at, '', '[]', '{{}}'
        FROM {kind} WHERE {kind}_id NOT IN (SELECT run_id FROM run)
        """  # noqa: S608 - both words are this module's
    )
