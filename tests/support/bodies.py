"""A valid body for every request that stores what it brings, as its bytes."""

FORM = "multipart/form-data; boundary=frontier"
JSON = "application/json"
SERVER = b'{"name": "in", "transport": "ftp", "host": "files.example.org"}'


def form(header: str, **parts: str) -> bytes:
    """A form with a file of one row, and these parts."""
    texts = "".join(
        f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    )
    head = '--frontier\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    return f"{texts}{head}{header}\r\na@example.org,a\r\n\r\n--frontier--\r\n".encode()


CONTACTS = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
WRITES = {
    "POST /imports": (FORM, form("_email,_name", **CONTACTS)),
    "POST /v1/customers/importCSV": (FORM, form("source_id,name")),
    "POST /v1/customers/bulk/async": (JSON, b'[{"source_id": "a", "name": "Ann"}]'),
    "POST /v1/customers/metadata/async": (JSON, b'{"source_ids": ["a"], "metadata": {"size": 1}}'),
    "POST /v2/productimports": (FORM, form("productID,productName", hasHeader="true")),
    "POST /v2/products": (JSON, b'{"productID": "P-1", "productName": "Lamp"}'),
    "PUT /types/parcels": (JSON, b'{"key": "sku", "fields": [{"id": "sku", "type": "text"}]}'),
    "PUT /coupon-sets/spring": (JSON, b'{"name": "Spring"}'),
    "POST /connections": (JSON, SERVER),
}
