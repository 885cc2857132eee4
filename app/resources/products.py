"""What a shop sells."""

from decimal import Decimal

from app.resources.vocabulary import Field, Resource

RESOURCE = Resource(
    name="products",
    keys=("productId",),
    fields=(
        Field("productId", "text", required=True),
        Field("productDetailUrl", "url", required=True),
        Field("name", "text", required=True),
        Field("unitPrice", "decimal", required=True),
        Field("description", "text"),
        Field("imageUrl", "url"),
        Field("thumbnailUrl", "url"),
        Field("availability", "enum", options=("instock", "outofstock")),
        Field("inStockUnits", "integer"),
        Field("categories", "list"),  # the levels of one category are joined by "/"
        Field("tags", "list"),
        Field("brand", "text"),
        Field("reviewCount", "integer"),
        Field("rating", "decimal", min=Decimal(0), max=Decimal(5)),
        Field("ratingCount", "integer"),
        Field("relatedExternalProductIds", "list"),
        Field("priority", "integer"),
        Field("unitPriceOriginal", "decimal"),
        Field("unitPriceWithoutVAT", "decimal"),
        Field("discountedAmount", "decimal"),
        Field("discountedPercentage", "decimal", min=Decimal(0), max=Decimal(100)),
        Field("publishedAt", "datetime"),
        Field("isBlacklisted", "boolean"),
        Field("customField1", "text"),
        Field("customField2", "text"),
        Field("customField3", "text"),
        Field("id", "text", read_only=True),
        Field("createdAt", "datetime", read_only=True),
        Field("updatedAt", "datetime", read_only=True),
    ),
    samples={
        "productId": ("SKU-1001", "SKU-1002", "SKU-1003"),
        "productDetailUrl": (
            "https://shop.example.com/keyboard",
            "https://shop.example.com/mouse",
            "https://shop.example.com/monitor",
        ),
        "name": ("Wireless keyboard", "Optical mouse", 'Monitor 27"'),
        "unitPrice": ("49.90", "19.99", "249.00"),
        "description": ("Quiet keys, two years of battery", "Three buttons", "IPS, 2560 × 1440"),
        "imageUrl": (
            "https://shop.example.com/img/keyboard.jpg",
            "https://shop.example.com/img/mouse.jpg",
            "https://shop.example.com/img/monitor.jpg",
        ),
        "thumbnailUrl": (
            "https://shop.example.com/img/keyboard-s.jpg",
            "https://shop.example.com/img/mouse-s.jpg",
            "https://shop.example.com/img/monitor-s.jpg",
        ),
        "categories": ("/Computers/Keyboards", "/Computers/Mice|/Gifts", "/Computers/Monitors"),
        "tags": ("wireless|new", "optical", "27 inch|ips"),
        "brand": ("Logi", "Logi", "Viewa"),
        "rating": ("4.5", "4", "3.8"),
        "relatedExternalProductIds": ("SKU-1002", "SKU-1001|SKU-1003", "SKU-1001"),
        "unitPriceOriginal": ("59.90", "19.99", "299.00"),
        "unitPriceWithoutVAT": ("41.24", "16.52", "205.79"),
        "discountedAmount": ("10.00", "0", "50.00"),
        "discountedPercentage": ("16.69", "0", "16.72"),
        "publishedAt": ("2024-05-01T10:00:00Z", "2024-05-02", "2024-05-03T08:30:00+02:00"),
        "isBlacklisted": ("false",),
        "customField1": ("black", "grey", "silver"),
    },
)
