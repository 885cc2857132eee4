"""The peer django-import-export: a resource in bulk, which leaves equal rows alone. `run_django.py URL TABLE FILE`."""

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings


def main() -> None:
    url, table, name = sys.argv[1:]
    place = urlsplit(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": place.hostname,
        "PORT": place.port,
        "NAME": place.path.lstrip("/"),
        "USER": unquote(place.username or ""),
        "PASSWORD": unquote(place.password or ""),
    }
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["import_export"], USE_TZ=True)
    django.setup()
    load(table, Path(name))


def load(table: str, path: Path) -> None:
    from django.db import models  # noqa: PLC0415  # needs the settings
    from import_export import instance_loaders, resources  # noqa: PLC0415
    from tablib import Dataset  # noqa: PLC0415

    class Contact(models.Model):
        email = models.TextField(primary_key=True)
        name, surname, phone, status = (models.TextField(null=True) for _ in range(4))
        birthdate = models.DateField(null=True)
        points = models.IntegerField(null=True)

        class Meta:
            app_label, db_table, managed = "peers", table, False

    class Contacts(resources.ModelResource):
        class Meta:
            model = Contact
            import_id_fields = ("email",)
            instance_loader_class = instance_loaders.CachedInstanceLoader
            use_bulk = skip_unchanged = skip_diff = True
            report_skipped = skip_html_diff = False
            batch_size = 1_000

    result = Contacts().import_data(Dataset().load(path.read_text(encoding="utf-8"), format="csv"))
    for number, errors in result.row_errors():
        print(f"row {number}: {errors[0].error!r}", file=sys.stderr)
    for row in result.invalid_rows:
        print(f"row {row.number}: {row.error!r}", file=sys.stderr)
    sys.exit(bool(result.has_errors() or result.has_validation_errors()))


if __name__ == "__main__":
    main()
