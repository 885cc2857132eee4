"""Customers as a loyalty or promotion system knows them: with an id of ours and an id from the caller's own system."""

from app.resources.schema import Field, Resource, Surrogate

RESOURCE = Resource(
    name="customers",
    keys=("source_id", "id"),
    surrogate=Surrogate(prefix="cust_", id="id", source="source_id"),
    fields=(
        Field("id", "text", "Customer ID"),
        Field("source_id", "text", "Source ID", samples=("C-1001", "C-1002", "C-1003")),
        Field("name", "text", "Name", samples=("Ana Ruiz", "Bob O'Neill", "Chloé Martin")),
        Field(
            "email", "email", "Email", samples=("ana.ruiz@example.com", "bob@example.com", "chloe.martin@example.org")
        ),
        Field(
            "phone",
            "phone",
            "Phone",
            lenient=True,
            samples=("+34 651 234 567", "+353 85 123 4567", "+33 6 12 34 56 78"),
        ),
        Field("birthdate", "date", "Date of birth", lenient=True, samples=("1984-05-06", "1990-12-31", "2001-02-28")),
        Field("description", "text", "Description", samples=("Met at the fair", "Pays by invoice", "Prefers mail")),
        Field("address.line_1", "text", "Address line 1", samples=("Calle Mayor 1", "12 Quay Street", "3 rue du Bac")),
        Field("address.line_2", "text", "Address line 2"),
        Field("address.postal_code", "text", "Postal code", samples=("28013", "H91 X4P2", "75007")),
        Field("address.city", "text", "City", samples=("Madrid", "Galway", "Paris")),
        Field("address.state", "text", "State", samples=("Madrid", "Connacht", "Île-de-France")),
        Field("address.country", "text", "Country", samples=("Spain", "Ireland", "France")),
    ),
    unknown_columns="keep",
    unknown_prefix="metadata.",
    # Records are found by the source_id that they were created with.
    fixed="source_id",
)
