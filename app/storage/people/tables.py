"""The tables of people as SQLAlchemy sees them. A migration creates them."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text

from app.storage.tables import metadata, moment

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # in lower case
    Column("name", Text, nullable=False),
    Column("password", Text),  # Argon2id as a PHC string; null until somebody has used the link
    Column("theme", Text, nullable=False, server_default="system"),
    moment("created_at", nullable=False),
    moment("signed_in_at"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("person_id", Text, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), primary_key=True),
    Column("role", Text, nullable=False),  # app.people.roles
    Column("created_by", Text),  # the person or the API key that invited; null: the operator
    moment("created_at", nullable=False),
    moment("joined_at"),  # null until the person has taken the invitation
)

person_links = Table(
    "person_links",
    metadata,
    Column("hash", LargeBinary, primary_key=True),  # of the token in the link, which is stored nowhere
    Column("person_id", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", Integer, ForeignKey("accounts.id")),  # whose admin made it; null: the operator
    Column("resets", Boolean, nullable=False),  # it replaces a password
    moment("created_at", nullable=False),
    moment("expires_at", nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", LargeBinary, primary_key=True),  # of the cookie, which is stored nowhere
    Column("id", Text, nullable=False, unique=True),  # by which its owner names it
    Column("person_id", Text, ForeignKey("people.id", ondelete="CASCADE")),
    Column("key_id", Text, ForeignKey("api_keys.id")),  # of those who signed in with an API key
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    moment("created_at", nullable=False),
    moment("seen_at", nullable=False),  # to the minute
    moment("confirmed_at", nullable=False),  # when the password was typed last
    moment("expires_at", nullable=False),
)
