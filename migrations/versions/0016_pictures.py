"""Pictures of items: stored once for each content, and each size that somebody asks for."""

from alembic import op

revision = "0016"
down_revision = "0015"

# `sha256` is of the picture as it was sent. What is stored is cleaned; in rows with a width it is made smaller as well.
# A picture that is not kept has a row, too, so that it is not decoded again with each archive that it is in.
PICTURES = """
CREATE TABLE pictures (
    account_id integer NOT NULL REFERENCES accounts,
    sha256 text NOT NULL,
    width integer NOT NULL,
    blob text,
    blob_digests bytea,
    blob_sha256 text,
    bytes bigint,
    media_type text,
    pixel_width integer,
    pixel_height integer,
    refused text,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, sha256, width),
    CONSTRAINT kept_or_refused CHECK ((blob IS NULL) = (refused IS NOT NULL))
)"""
DIGESTS = "ALTER TABLE pictures ALTER COLUMN blob_digests SET STORAGE EXTERNAL"  # they cannot be compressed
BLOBS = "CREATE INDEX pictures_blob ON pictures (blob) WHERE blob IS NOT NULL"

OLD_OWNERS = """SELECT blob, 'run' AS owner, id AS owner_id FROM runs WHERE blob IS NOT NULL
UNION ALL SELECT blob, 'sync run', run_id FROM sync_files"""
OWNERS = f"""{OLD_OWNERS}
UNION ALL SELECT blob, 'picture', account_id || ':' || sha256 FROM pictures WHERE blob IS NOT NULL"""


def upgrade() -> None:
    for statement in (PICTURES, DIGESTS, BLOBS, f"CREATE OR REPLACE VIEW blob_owners AS {OWNERS}"):
        op.execute(statement)


def downgrade() -> None:
    op.execute(f"CREATE OR REPLACE VIEW blob_owners AS {OLD_OWNERS}")
    op.execute("DROP TABLE pictures")
