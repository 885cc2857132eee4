"""Customers as a loyalty or promotion system knows them: by an id of ours, and by the id of the caller's own system."""

from app.resources.vocabulary import Field, Resource, Surrogate

RESOURCE = Resource(
    name="customers",
    keys=("source_id", "id"),
    surrogate=Surrogate(prefix="cust_", id="id", source="source_id"),
    fields=(
        Field("id", "text"),
        Field("source_id", "text"),
        Field("name", "text"),
        Field("email", "email"),
        Field("phone", "phone", lenient=True),
        Field("birthdate", "date", lenient=True),
        Field("description", "text"),
        Field("address.line_1", "text"),
        Field("address.line_2", "text"),
        Field("address.postal_code", "text"),
        Field("address.city", "text"),
        Field("address.state", "text"),
        Field("address.country", "text"),
    ),
    unknown_columns="keep",
    kept_under="metadata.",
    # A record is found by what it was first called.
    fixed="source_id",
    samples={
        "source_id": ("C-1001", "C-1002", "C-1003"),
        "name": ("Ana Ruiz", "Bob O'Neill", "Chloé Martin"),
        "email": ("ana.ruiz@example.com", "bob@example.com", "chloe.martin@example.org"),
        "phone": ("+34 651 234 567", "+353 85 123 4567", "+33 6 12 34 56 78"),
        "birthdate": ("1984-05-06", "1990-12-31", "2001-02-28"),
        "description": ("Met at the fair", "Pays by invoice", "Prefers mail"),
        "address.line_1": ("Calle Mayor 1", "12 Quay Street", "3 rue du Bac"),
        "address.postal_code": ("28013", "H91 X4P2", "75007"),
        "address.city": ("Madrid", "Galway", "Paris"),
        "address.state": ("Madrid", "Connacht", "Île-de-France"),
        "address.country": ("Spain", "Ireland", "France"),
    },
)
