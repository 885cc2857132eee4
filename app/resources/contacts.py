"""The people a business writes to, identified by e-mail address or by an id from its own systems."""

from decimal import Decimal

from app.resources.schema import Field, Resource

SUBSCRIPTION = ("subscribed", "unsubscribed", "none")

RESOURCE = Resource(
    name="contacts",
    keys=("_email", "_externalId"),
    fields=(
        Field(
            "_email", "email", "Email", samples=("ana.ruiz@example.com", "bob@example.com", "chloe.martin@example.org")
        ),
        Field("_externalId", "text", "External ID", samples=("C-1001", "C-1002", "C-1003")),
        Field("_name", "text", "First name", samples=("Ana", "Bob", "Chloé")),
        Field("_surname", "text", "Last name", samples=("Ruiz", "O'Neill", "Martin")),
        Field("_birthdate", "date", "Date of birth", samples=("1984-05-06", "1990-12-31", "2001-02-28")),
        Field("_emailStatus", "enum", "Email status", options=("active", "bounced", "paused", "banned")),
        Field("_mobilePhone", "phone", "Mobile phone", samples=("+34651234567", "+353851234567", "+33612345678")),
        Field("_mobilePhoneStatus", "enum", "Mobile phone status", options=("active", "bounced", "paused")),
        Field("_newsletterSubscriptionStatus", "enum", "Newsletter subscription", options=SUBSCRIPTION),
        Field("_smsSubscriptionStatus", "enum", "SMS subscription", options=SUBSCRIPTION),
        Field("_points", "integer", "Points", min=Decimal(0), samples=("120", "0", "35")),
        # Filled by the service or its analytics. Exports of other systems contain these columns.
        Field("id", "text", "ID", read_only=True),
        Field("_createdAt", "datetime", "Created at", read_only=True),
        Field("_updatedAt", "datetime", "Updated at", read_only=True),
        Field("_averagePurchasesAmount", "decimal", "Average purchase amount", read_only=True),
        Field("_churnRate", "decimal", "Churn rate", read_only=True),
        Field("_clv", "decimal", "Customer lifetime value", read_only=True),
        Field("_emailBouncedReason", "text", "Email bounce reason", read_only=True),
        Field("_emailLastBouncedDate", "datetime", "Last email bounce", read_only=True),
        Field("_emailLastSoftBounceDate", "datetime", "Last soft email bounce", read_only=True),
        Field("_emailLastUnsubscribedDate", "datetime", "Last email unsubscription", read_only=True),
        Field("_emailLastUnsubscribedIp", "text", "IP address of last email unsubscription", read_only=True),
        Field("_emailSoftBounces", "integer", "Soft email bounces", read_only=True),
        Field("_expectedPurchases", "decimal", "Expected purchases", read_only=True),
        Field("_firstPurchaseDate", "datetime", "First purchase", read_only=True),
        Field("_frequency", "decimal", "Purchase frequency", read_only=True),
        Field("_hasPushSubscriptions", "boolean", "Has push subscriptions", read_only=True),
        Field("_isAnonymous", "boolean", "Is anonymous", read_only=True),
        Field("_lastPurchaseDate", "datetime", "Last purchase", read_only=True),
        Field("_monetary", "decimal", "Monetary value", read_only=True),
        Field("_pAlive", "decimal", "Probability of being active", read_only=True),
        Field("_recency", "decimal", "Recency", read_only=True),
        Field("_rfm", "text", "RFM segment", read_only=True),
        Field("_totalPurchases", "integer", "Total purchases", read_only=True),
        Field("_totalPurchasesAmount", "decimal", "Total purchase amount", read_only=True),
    ),
)
