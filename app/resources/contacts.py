"""The people a business writes to, identified by e-mail address or by an id from its own systems."""

from decimal import Decimal

from app.resources.schema import Field, Resource

SUBSCRIPTION = ("subscribed", "unsubscribed", "none")

RESOURCE = Resource(
    name="contacts",
    keys=("_email", "_externalId"),
    fields=(
        Field("_email", "email", samples=("ana.ruiz@example.com", "bob@example.com", "chloe.martin@example.org")),
        Field("_externalId", "text", samples=("C-1001", "C-1002", "C-1003")),
        Field("_name", "text", samples=("Ana", "Bob", "Chloé")),
        Field("_surname", "text", samples=("Ruiz", "O'Neill", "Martin")),
        Field("_birthdate", "date", samples=("1984-05-06", "1990-12-31", "2001-02-28")),
        Field("_emailStatus", "enum", options=("active", "bounced", "paused", "banned")),
        Field("_mobilePhone", "phone", samples=("+34651234567", "+353851234567", "+33612345678")),
        Field("_mobilePhoneStatus", "enum", options=("active", "bounced", "paused")),
        Field("_newsletterSubscriptionStatus", "enum", options=SUBSCRIPTION),
        Field("_smsSubscriptionStatus", "enum", options=SUBSCRIPTION),
        Field("_points", "integer", min=Decimal(0), samples=("120", "0", "35")),
        # Filled by the service or its analytics. Exports of other systems contain these columns.
        Field("id", "text", read_only=True),
        Field("_createdAt", "datetime", read_only=True),
        Field("_updatedAt", "datetime", read_only=True),
        Field("_averagePurchasesAmount", "decimal", read_only=True),
        Field("_churnRate", "decimal", read_only=True),
        Field("_clv", "decimal", read_only=True),
        Field("_emailBouncedReason", "text", read_only=True),
        Field("_emailLastBouncedDate", "datetime", read_only=True),
        Field("_emailLastSoftBounceDate", "datetime", read_only=True),
        Field("_emailLastUnsubscribedDate", "datetime", read_only=True),
        Field("_emailLastUnsubscribedIp", "text", read_only=True),
        Field("_emailSoftBounces", "integer", read_only=True),
        Field("_expectedPurchases", "decimal", read_only=True),
        Field("_firstPurchaseDate", "datetime", read_only=True),
        Field("_frequency", "decimal", read_only=True),
        Field("_hasPushSubscriptions", "boolean", read_only=True),
        Field("_isAnonymous", "boolean", read_only=True),
        Field("_lastPurchaseDate", "datetime", read_only=True),
        Field("_monetary", "decimal", read_only=True),
        Field("_pAlive", "decimal", read_only=True),
        Field("_recency", "decimal", read_only=True),
        Field("_rfm", "text", read_only=True),
        Field("_totalPurchases", "integer", read_only=True),
        Field("_totalPurchasesAmount", "decimal", read_only=True),
    ),
)
