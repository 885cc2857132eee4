"""The products that a shop sells, each with a page of its own."""

from decimal import Decimal

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="products",
    keys=("productId",),
    fields=(
        Field("productId", "text", "Product ID", required=True, samples=("SKU-1001", "SKU-1002", "SKU-1003")),
        Field(
            "productDetailUrl",
            "url",
            "Product page",
            required=True,
            samples=(
                "https://shop.example.com/keyboard",
                "https://shop.example.com/mouse",
                "https://shop.example.com/monitor",
            ),
        ),
        Field("name", "text", "Name", required=True, samples=("Wireless keyboard", "Optical mouse", 'Monitor 27"')),
        Field("unitPrice", "decimal", "Price", required=True, samples=("49.90", "19.99", "249.00")),
        Field(
            "description",
            "text",
            "Description",
            samples=("Quiet keys, two years of battery", "Three buttons", "IPS, 2560 × 1440"),
        ),
        Field(
            "imageUrl",
            "url",
            "Image",
            samples=(
                "https://shop.example.com/img/keyboard.jpg",
                "https://shop.example.com/img/mouse.jpg",
                "https://shop.example.com/img/monitor.jpg",
            ),
        ),
        Field(
            "thumbnailUrl",
            "url",
            "Thumbnail",
            samples=(
                "https://shop.example.com/img/keyboard-s.jpg",
                "https://shop.example.com/img/mouse-s.jpg",
                "https://shop.example.com/img/monitor-s.jpg",
            ),
        ),
        Field("availability", "enum", "Availability", options=("instock", "outofstock")),
        Field("inStockUnits", "integer", "Units in stock"),
        # The levels of one category are joined by "/".
        Field(
            "categories",
            "list",
            "Categories",
            samples=("/Computers/Keyboards", "/Computers/Mice|/Gifts", "/Computers/Monitors"),
        ),
        Field("tags", "list", "Tags", samples=("wireless|new", "optical", "27 inch|ips")),
        Field("brand", "text", "Brand", samples=("Logi", "Logi", "Viewa")),
        Field("reviewCount", "integer", "Number of reviews"),
        Field("rating", "decimal", "Rating", min=Decimal(0), max=Decimal(5), samples=("4.5", "4", "3.8")),
        Field("ratingCount", "integer", "Number of ratings"),
        Field(
            "relatedExternalProductIds",
            "list",
            "Related products",
            samples=("SKU-1002", "SKU-1001|SKU-1003", "SKU-1001"),
        ),
        Field("priority", "integer", "Priority"),
        Field("unitPriceOriginal", "decimal", "Original price", samples=("59.90", "19.99", "299.00")),
        Field("unitPriceWithoutVAT", "decimal", "Price without VAT", samples=("41.24", "16.52", "205.79")),
        Field("discountedAmount", "decimal", "Discount", samples=("10.00", "0", "50.00")),
        Field(
            "discountedPercentage",
            "decimal",
            "Discount in percent",
            min=Decimal(0),
            max=Decimal(100),
            samples=("16.69", "0", "16.72"),
        ),
        Field(
            "publishedAt",
            "datetime",
            "Published at",
            samples=("2024-05-01T10:00:00Z", "2024-05-02", "2024-05-03T08:30:00+02:00"),
        ),
        Field("isBlacklisted", "boolean", "Is blocked", samples=("false",)),
        Field("customField1", "text", "Custom field 1", samples=("black", "grey", "silver")),
        Field("customField2", "text", "Custom field 2"),
        Field("customField3", "text", "Custom field 3"),
        Field("id", "text", "ID", read_only=True),
        Field("createdAt", "datetime", "Created at", read_only=True),
        Field("updatedAt", "datetime", "Updated at", read_only=True),
    ),
)
