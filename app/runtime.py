"""All that a process holds open, built once from the settings and closed at its end."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from app.formats.records import Limits
from app.observe import Observer
from app.observe.events import EnqueueFailed
from app.queue.task_queue import QueueUnavailable, TaskQueue, WrongAddress, WrongEvictionPolicy, redis_settings
from app.settings import Settings
from app.storage.blobs import Blobs, BucketAccess, check_blobs_url, open_blobs
from app.storage.database import OLDEST_SERVER, Database
from app.throttle import RateLimit, RequestCounter, Throttle, parse_rate_limit
from app.transports.guard import Guard
from app.transports.smtp import Mailer, mail_server, sender_of
from app.transports.transport import Terms
from app.vault import Vault, build_vault


class Misconfigured(Exception):
    """A setting is missing or does not fit what it points to; the message says which."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The open parts of a process. Everything below an entry point is given one or what it needs of it."""

    settings: Settings
    database: Database
    blobs: Blobs
    queue: TaskQueue
    observe: Observer
    limits: Limits
    throttle: Throttle
    terms: Terms  # what a transfer from elsewhere may cost, and where it may go
    vault: Vault
    heavy_reads: asyncio.Semaphore  # lists that go through all of an account's records; polls must find a connection
    mailer: Mailer | None = None  # None: no mail server was given

    async def enqueue(self, task: str, run_id: str, attempt: int) -> None:
        """Rings after a commit. A bell that cannot be reached is only noted: the sweeper will ring."""
        try:
            await self.queue.enqueue(task, run_id, attempt)
        except QueueUnavailable:
            self.observe(EnqueueFailed(run_id))


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Opens everything. Raises Misconfigured, DatabaseUnavailable or QueueUnavailable."""
    database_url, redis_url = required(settings)
    check_public_url(settings.public_url or "")
    rate, calls, vault, blobs = rate_limit(settings), terms(settings), vault_with(settings), store(settings)
    mailer = mailer_with(settings, calls)
    database = database_at(database_url, pool_size=settings.database_pool)
    try:
        queue = await TaskQueue.open(redis_url)
    except (WrongAddress, WrongEvictionPolicy) as wrong:
        await database.close()
        raise Misconfigured(str(wrong)) from None
    try:
        if await database.server_version() < OLDEST_SERVER:
            raise Misconfigured("PostgreSQL must be version 15 or newer")
        observe = Observer()
        throttle = Throttle(rate, RequestCounter(queue.connections), observe)
        heavy = asyncio.Semaphore(max(1, settings.database_pool // 4))
        opened = (database, blobs, queue, observe, limits(settings), throttle, calls, vault, heavy)
        yield Runtime(settings, *opened, mailer)
    finally:
        await queue.close()
        await database.close()


def check(settings: Settings) -> None:
    """All that can be known without asking a server or making a file. Raises Misconfigured."""
    rate_limit(settings)
    mailer_with(settings, terms(settings))
    vault_with(settings)
    check_public_url(settings.public_url or "")
    try:
        check_blobs_url(blobs_url(settings), access(settings))
        if settings.redis_url:
            redis_settings(settings.redis_url.get_secret_value())
    except ValueError as wrong:  # WrongAddress is one
        raise Misconfigured(str(wrong)) from None
    if settings.database_url:
        check_database_url(settings.database_url.get_secret_value())


def required(settings: Settings) -> tuple[str, str]:
    """The two addresses. Raises Misconfigured, naming the first setting that is missing."""
    secrets = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
    }
    given = {name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None}
    for name in secrets:
        if not given.get(name):
            raise Misconfigured(f"SLUICE_{name} is not set; `sluice up` brings servers of its own")
    return given["DATABASE_URL"], given["REDIS_URL"]


def rate_limit(settings: Settings) -> RateLimit | None:
    """None for no limit. Raises Misconfigured."""
    try:
        return parse_rate_limit(settings.rate_limit)
    except ValueError:
        told = "SLUICE_RATE_LIMIT cannot be read; it must be like 10000/minute or 20 per 5 seconds, or off"
        raise Misconfigured(told) from None


def database_at(url: str, *, pool_size: int) -> Database:
    """Connects to nothing yet. Raises Misconfigured, without a word of the address: it holds a password."""
    try:
        return Database(url, pool_size=pool_size)
    except Exception:  # noqa: BLE001  the driver's parser has errors of its own kind, and all of them quote
        told = "SLUICE_DATABASE_URL cannot be read; it must be postgresql://user:password@host:port/database"
        raise Misconfigured(f"{told} with the password percent-encoded") from None


def check_database_url(url: str) -> None:
    """Raises Misconfigured where `database_at` would."""
    database_at(url, pool_size=1)


def vault_with(settings: Settings) -> Vault:
    """Raises Misconfigured, without a word of the keys."""
    secret_key = settings.secret_key.get_secret_value() if settings.secret_key else ""
    try:
        return build_vault(settings.vault_keys.get_secret_value() if settings.vault_keys else "", secret_key)
    except ValueError as wrong:
        raise Misconfigured(f"SLUICE_VAULT_KEYS cannot be read; {wrong}") from None


def mailer_with(settings: Settings, terms: Terms) -> Mailer | None:
    """Raises Misconfigured, without a word of the server's address: it holds a password."""
    url = settings.smtp_url.get_secret_value() if settings.smtp_url else ""
    if not url:
        return None
    try:
        server = mail_server(url)
    except ValueError:
        told = "SLUICE_SMTP_URL cannot be read; it must be smtp://user:password@host:port or smtps://…"
        raise Misconfigured(f"{told} with user and password percent-encoded") from None
    try:
        return Mailer(server, sender_of(settings.mail_from or ""), terms.tls)
    except ValueError:
        raise Misconfigured(
            "SLUICE_MAIL_FROM must be the address that mails come from, as SLUICE_SMTP_URL is set"
        ) from None


def check_public_url(url: str) -> None:
    """Raises Misconfigured for what no path can be hung on."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    except ValueError:
        fits = False
    if url and not fits:
        raise Misconfigured("SLUICE_PUBLIC_URL must be the address of this service, like https://imports.example.com")


def store(settings: Settings) -> Blobs:
    """Raises Misconfigured."""
    try:
        return open_blobs(blobs_url(settings), access(settings))
    except ValueError as wrong:
        raise Misconfigured(str(wrong)) from wrong
    except OSError as wrong:
        told = f"SLUICE_BLOBS and SLUICE_DATA must be where files can be written: {wrong.filename}: {wrong.strerror}"
        raise Misconfigured(told) from None


def blobs_url(settings: Settings) -> str:
    return settings.blobs or (settings.data.absolute() / "blobs").as_uri()


def access(settings: Settings) -> BucketAccess:
    return BucketAccess(
        copies=settings.data / "cache",
        copies_bytes=settings.blobs_cache_bytes,
        key=settings.blobs_key,
        secret=settings.blobs_secret,
        ca_file=settings.ca_file,
    )


def limits(settings: Settings) -> Limits:
    return Limits(
        columns=settings.max_columns,
        record_bytes=settings.max_record_bytes,
        cell_characters=settings.max_cell_characters,
    )


def terms(settings: Settings) -> Terms:
    """Raises Misconfigured."""
    tls = ssl.create_default_context()
    try:
        if settings.ca_file is not None:
            tls.load_verify_locations(settings.ca_file)
    except (OSError, ssl.SSLError):
        raise Misconfigured("SLUICE_CA_FILE cannot be read; it must be certificates as PEM") from None
    allowed = tuple(network(each.strip()) for each in settings.allow_networks.split(",") if each.strip())
    return Terms(
        limit=settings.max_file_bytes,
        tls=tls,
        guard=Guard(allowed),
        idle_seconds=settings.source_idle_seconds,
        total_seconds=settings.source_seconds,
    )


def network(text: str) -> IPv4Network | IPv6Network:
    """Raises Misconfigured; for an address within a network with the network that may be meant."""
    try:
        return ip_network(text)
    except ValueError:
        told = "SLUICE_ALLOW_NETWORKS must be networks with commas between, like 10.1.0.0/16,fd00::/8"
    with suppress(ValueError):
        told = f"{told}; {text} is an address in {ip_network(text, strict=False)}, which may be meant"
    raise Misconfigured(told)
