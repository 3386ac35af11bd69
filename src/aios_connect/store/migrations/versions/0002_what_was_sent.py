"""An effect knows the record it is about, and what was said to it; what needs a person is found by its entity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; effects of before do not have them."""
    op.add_column("aios_effect", sa.Column("connection", sa.String(length=100), nullable=True))
    op.add_column("aios_effect", sa.Column("object", sa.String(length=100), nullable=True))
    op.add_column("aios_effect", sa.Column("entity", sa.String(length=40), nullable=True))
    op.add_column("aios_effect", sa.Column("sent", sa.Text(), nullable=True))
    op.add_column("aios_effect", sa.Column("over", sa.Text(), nullable=True))
    op.create_index("ix_aios_effect_entity", "aios_effect", ["entity"], unique=False)
    op.create_index("ix_aios_exception_entity", "aios_exception", ["entity"], unique=False)
