"""The servers, stores and limits of a process: opened once from its settings, closed at its end."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from pydantic import SecretStr

from app.errors import Misconfigured
from app.formats.records import Limits
from app.heavy_reads import HeavyReads
from app.observe import Observer
from app.observe.events import EnqueueFailed
from app.observe.process_events import WeakSecretKey
from app.observe.traces import find_endpoint, open_traces
from app.pictures.process import PictureDecoder
from app.queue.server import QueueUnavailable, parse_address
from app.queue.task_queue import TaskQueue
from app.servers import check_database, open_queue
from app.settings import Settings
from app.storage.blobs import Blobs, BucketAccess, check_blobs_url, open_blobs
from app.storage.blobs.marker import recognising_store
from app.storage.clock.now import Clock, read_clock
from app.storage.database import Database
from app.storage.watching.watcher import Watcher
from app.throttle import RateLimit, RequestCounter, Throttle, parse_rate_limit
from app.transports.guard import Guard
from app.transports.smtp import Mailer, parse_mail_server, parse_sender
from app.transports.transport import TransferPolicy
from app.under_way import UnderWay
from app.vault import Vault, build_vault


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process holds open. Entry points open it and pass it, or parts of it, to everything below."""

    settings: Settings
    database: Database
    blobs: Blobs
    queue: TaskQueue
    observe: Observer
    limits: Limits
    throttle: Throttle
    transfer_policy: TransferPolicy  # limits of transfers from and to other servers, and which addresses are allowed
    vault: Vault
    heavy_reads: HeavyReads
    pictures: PictureDecoder
    watcher: Watcher
    workbooks: asyncio.Semaphore  # whose turn it is to have one read: each takes much memory
    mailer: Mailer | None = None  # None: no mail server is configured
    under_way: UnderWay = field(default_factory=UnderWay)
    now: Clock = read_clock  # what is done by the clock asks this one, and tests set it

    @property
    def pepper(self) -> str:
        """What the hashes of keys, tokens and sessions depend on."""
        return secret_value(self.settings.secret_key)

    def policy_for(self, account_id: int) -> TransferPolicy:
        """The policy for a transfer of this account."""
        return replace(self.transfer_policy, account_id=account_id)

    async def enqueue(self, task: str, run_id: str, attempt: int, *, small: bool = False) -> None:
        """Enqueues a task after a commit. A queue that cannot be reached is only logged: the sweep enqueues later."""
        try:
            await self.queue.enqueue(task, run_id, attempt, small=small)
        except QueueUnavailable:
            self.observe(EnqueueFailed(run_id))


@asynccontextmanager
async def open_runtime(settings: Settings, *, search_path: str = "public") -> AsyncIterator[Runtime]:
    """Opens everything and closes it at the end; `search_path` is PostgreSQL's. Raises Misconfigured,
    DatabaseUnavailable, SchemaUnfit, QueueUnavailable."""
    database_url, redis_url = require_addresses(settings)
    check_public_url(settings.public_url or "")
    rate, transfer_policy, vault = read_rate_limit(settings), build_transfer_policy(settings), open_vault(settings)
    mailer, blobs = build_mailer(settings, transfer_policy), open_store(settings)
    database = build_database(database_url, pool_size=settings.database_pool, search_path=search_path)
    observe = Observer(open_traces(secret_value(settings.traces_url), settings.ca_file))
    async with AsyncExitStack() as opened:
        opened.push_async_callback(database.close)
        if await check_database(database, secret_value(settings.secret_key)):
            observe(WeakSecretKey())
        queue = await open_queue(redis_url, settings.ca_file)
        opened.push_async_callback(queue.close)
        await opened.enter_async_context(recognising_store(database, blobs))
        pictures, watcher = PictureDecoder(observe), Watcher(database)
        for each in (observe.traces, pictures, watcher):
            opened.push_async_callback(each.close)
        yield Runtime(
            settings=settings,
            database=database,
            blobs=blobs,
            queue=queue,
            observe=observe,
            limits=build_limits(settings),
            throttle=Throttle(rate, RequestCounter(queue.connections), observe),
            transfer_policy=transfer_policy,
            vault=vault,
            heavy_reads=HeavyReads(max(1, settings.database_pool // 2)),
            pictures=pictures,
            watcher=watcher,
            workbooks=asyncio.Semaphore(1),
            mailer=mailer,
        )


def check_settings(settings: Settings) -> None:
    """Checks everything that needs neither a server nor a file. Raises Misconfigured."""
    read_rate_limit(settings)
    parse_proxies(settings)
    parse_origins(settings)
    build_mailer(settings, build_transfer_policy(settings))
    open_vault(settings)
    check_public_url(settings.public_url or "")
    find_endpoint(secret_value(settings.traces_url))
    try:
        check_blobs_url(blobs_address(settings), blob_access(settings))
        if settings.redis_url:
            parse_address(settings.redis_url.get_secret_value())
    except ValueError as wrong:  # WrongAddress is one
        raise Misconfigured(str(wrong)) from None
    if settings.database_url:
        check_database_url(settings.database_url.get_secret_value())


def require_addresses(settings: Settings) -> tuple[str, str]:
    """The addresses of PostgreSQL and Redis. Raises Misconfigured, which names the first setting that is missing."""
    required = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
    }
    values = {name: secret_value(secret) for name, secret in required.items()}
    for name, value in values.items():
        if not value:
            raise Misconfigured(f"SLUICE_{name} is not set. Set it, or run `sluice up`, which brings its own servers")
    return values["DATABASE_URL"], values["REDIS_URL"]


def secret_value(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def read_rate_limit(settings: Settings) -> RateLimit | None:
    """The rate limit; None for no limit. Raises Misconfigured."""
    try:
        return parse_rate_limit(settings.rate_limit)
    except ValueError:
        raise Misconfigured(
            "SLUICE_RATE_LIMIT must look like `10000/minute` or `20 per 5 seconds`, or be `off`"
        ) from None


def build_database(url: str, *, pool_size: int, search_path: str = "public") -> Database:
    """Does not connect yet. Raises Misconfigured, which never repeats the address: it contains a password."""
    try:
        return Database(url, pool_size=pool_size, search_path=search_path)
    except Exception:  # noqa: BLE001  the driver's parser raises all kinds of errors, and all quote the address
        raise Misconfigured(
            "SLUICE_DATABASE_URL must look like `postgresql://user:password@host:port/database`, with a percent-encoded"
            " password"
        ) from None


def check_database_url(url: str) -> None:
    """Raises Misconfigured, as `build_database` does."""
    build_database(url, pool_size=1)


def open_vault(settings: Settings) -> Vault:
    """Raises Misconfigured, which never repeats the keys."""
    try:
        return build_vault(secret_value(settings.vault_keys), secret_value(settings.secret_key))
    except ValueError as wrong:
        raise Misconfigured(f"SLUICE_VAULT_KEYS is not valid: {wrong}") from None


def build_mailer(settings: Settings, transfer_policy: TransferPolicy) -> Mailer | None:
    """None without a mail server. Raises Misconfigured, which never repeats the address: it contains a password."""
    url = secret_value(settings.smtp_url)
    if not url:
        return None
    try:
        server = parse_mail_server(url)
    except ValueError:
        raise Misconfigured(
            "SLUICE_SMTP_URL must look like `smtp://user:password@host:port` or `smtps://…`, with percent-encoded user"
            " and password"
        ) from None
    try:
        return Mailer(server, parse_sender(settings.mail_from or ""), transfer_policy.tls)
    except ValueError:
        raise Misconfigured(
            "SLUICE_MAIL_FROM must be a mail address, because SLUICE_SMTP_URL is set: mails are sent from it"
        ) from None


def check_public_url(url: str) -> None:
    """Raises Misconfigured unless paths can be appended to the address."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    except ValueError:
        fits = False
    if url and not fits:
        raise Misconfigured("SLUICE_PUBLIC_URL must be an HTTP address like `https://imports.example.com`")


def open_store(settings: Settings) -> Blobs:
    """Raises Misconfigured."""
    try:
        return open_blobs(blobs_address(settings), blob_access(settings))
    except ValueError as wrong:
        raise Misconfigured(str(wrong)) from wrong
    except OSError as wrong:
        raise Misconfigured(
            "SLUICE_BLOBS and SLUICE_DATA must be folders where files can be written: "
            f"{wrong.filename}: {wrong.strerror}"
        ) from None


def blobs_address(settings: Settings) -> str:
    return settings.blobs or (settings.data.absolute() / "blobs").as_uri()


def blob_access(settings: Settings) -> BucketAccess:
    return BucketAccess(
        copies=settings.data / "cache",
        copies_bytes=settings.blobs_cache_bytes,
        key=settings.blobs_key,
        secret=settings.blobs_secret,
        ca_file=settings.ca_file,
    )


def build_limits(settings: Settings) -> Limits:
    return Limits(
        columns=settings.max_columns,
        record_bytes=settings.max_record_bytes,
        cell_characters=settings.max_cell_characters,
    )


def build_transfer_policy(settings: Settings) -> TransferPolicy:
    """Raises Misconfigured."""
    tls = ssl.create_default_context()
    try:
        if settings.ca_file is not None:
            tls.load_verify_locations(settings.ca_file)
    except (OSError, ssl.SSLError):
        raise Misconfigured("SLUICE_CA_FILE must be a readable file of certificates in PEM format") from None
    return TransferPolicy(
        limit=settings.max_file_bytes,
        tls=tls,
        guard=Guard(parse_networks("SLUICE_ALLOW_NETWORKS", settings.allow_networks, "10.1.0.0/16,fd00::/8")),
        idle_seconds=settings.source_idle_seconds,
        total_seconds=settings.source_seconds,
    )


def parse_proxies(settings: Settings) -> list[str]:
    """The proxies to be trusted, as networks. Raises Misconfigured."""
    return list(map(str, parse_networks("SLUICE_TRUSTED_PROXIES", settings.trusted_proxies, "10.0.0.5,fd00::/8")))


def parse_origins(settings: Settings) -> list[str]:
    """The origins whose pages may call from a browser. Raises Misconfigured."""
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    for origin in origins:
        parts = urlsplit(origin)
        if origin != "*" and (parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}"):
            raise Misconfigured(
                "SLUICE_CORS_ORIGINS must be `*`, or origins without a path like `https://app.example.com`, "
                "separated by commas"
            )
    return origins


def parse_networks(setting: str, value: str, example: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Raises Misconfigured."""
    texts = (text.strip() for text in value.split(","))
    return tuple(parse_network(text, setting, example) for text in texts if text)


def parse_network(text: str, setting: str, example: str) -> IPv4Network | IPv6Network:
    """Raises Misconfigured, which suggests the network if the text is an address within one."""
    try:
        return ip_network(text)
    except ValueError:
        message = f"{setting} must be networks separated by commas, like `{example}`"
    with suppress(ValueError):
        message = f"{message}. {text} is an address in the network {ip_network(text, strict=False)}"
    raise Misconfigured(message)
