"""Sends mails through the operator's mail server."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_network
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib
from pydantic import SecretStr

from app.transports.failed import TransportFailed, failure
from app.transports.guard import Guard
from app.transports.transport import time_limit

SEND_SECONDS: Final = 30.0  # for one mail, from the lookup to the server's confirmation
PORTS: Final = {"smtps": 465, "smtp": 587}
PLAIN_PORT: Final = 25  # of smtp:// without credentials
# Without CRAM-MD5: a password travels only under TLS here, and each further method that is tried with a wrong password
# brings the account closer to being locked.
LOGINS: Final = ("plain", "login")

# The server is the operator's own setting, and no caller can name another: so it may be in any network, and often it is
# on this machine. The address that was looked up is dialled, as everywhere.
ANYWHERE: Final = Guard(allowed=(ip_network("0.0.0.0/0"), ip_network("::/0")))


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that accepts our mails. Without a user there is no login."""

    host: str
    port: int
    implicit_tls: bool  # TLS from the first byte; default STARTTLS
    user: str = ""
    password: SecretStr | None = None


def parse_mail_server(url: str) -> MailServer:
    """Parses `smtp://user:password@host:port`. Raises ValueError, without any part of the URL in its text."""
    if not url.isprintable() or " " in url:
        raise ValueError
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    rest = parts.path.strip("/") or parts.query or parts.fragment  # often part of a password that is not encoded
    if parts.scheme not in PORTS or not parts.hostname or rest or bool(user) != bool(password):
        raise ValueError
    default = PORTS[parts.scheme] if user or parts.scheme == "smtps" else PLAIN_PORT
    port = default if parts.port is None else parts.port
    if not port:
        raise ValueError
    return MailServer(parts.hostname, port, parts.scheme == "smtps", user, SecretStr(password))


def parse_sender(text: str) -> str:
    """Checks a sender, `Name <address>` or an address alone, and returns it. The address must be ASCII, so that every
    server accepts it. Raises ValueError."""
    sender = EmailMessage()
    sender["From"] = text  # raises ValueError for a line break
    addresses = sender["From"].addresses
    if len(addresses) != 1 or sender["From"].defects:
        raise ValueError
    if not (addresses[0].username and addresses[0].domain and addresses[0].addr_spec.isascii()):
        raise ValueError
    return text


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends mails from one sender through one server, over a new connection for each."""

    server: MailServer
    sender: str  # as in a From header
    tls: ssl.SSLContext
    step_seconds: float = 15  # for connecting, and for each answer

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Returns when the server has accepted the mail and is responsible for delivering it.

        Raises TransportFailed. Only the reason "mail_refused" means that trying again is pointless.
        """
        client = aiosmtplib.SMTP(
            hostname=self.server.host,
            use_tls=self.server.implicit_tls,
            start_tls=True if self.server.user and not self.server.implicit_tls else None,
            tls_context=self._tls_context(),
            timeout=self.step_seconds,
        )
        client.AUTH_METHODS = LOGINS
        try:
            async with time_limit(SEND_SECONDS, "no_answer"):
                await self._hand_over(client, message, recipient)
            with suppress(aiosmtplib.SMTPException, OSError):  # the mail is sent, whatever happens to the QUIT
                await client.quit(timeout=1)
        finally:
            client.close()

    def _tls_context(self) -> ssl.SSLContext:
        """Without credentials STARTTLS is used if offered, with any certificate: a plain connection would do as
        well, so insisting on a trusted certificate would only stop mails to a server on the same machine."""
        if self.server.user or self.server.implicit_tls:
            return self.tls
        unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        return unverified

    async def _hand_over(self, client: "aiosmtplib.SMTP", message: EmailMessage, recipient: str) -> None:
        dialled = await ANYWHERE.dial(self.server.host, self.server.port, self.step_seconds)
        client.local_hostname = address_literal(dialled)
        with translate_errors("no_tls"):
            await client.connect(sock=dialled)
        if self.server.password:
            with translate_errors("login"):
                await client.login(self.server.user, self.server.password.get_secret_value())
        with translate_errors("mail_later"):
            await client.send_message(message, recipients=[recipient])


def address_literal(dialled: socket.socket) -> str:
    """Our name in EHLO: our address (RFC 5321 §4.1.3). Our full name would need a lookup that may be slow."""
    address = dialled.getsockname()[0]
    return f"[IPv6:{address}]" if dialled.family == socket.AF_INET6 else f"[{address}]"


@contextmanager
def translate_errors(default: str) -> Iterator[None]:
    """Turns the errors of a step into failures, without the server's text. `default` is the reason if the error
    itself does not tell."""
    try:
        yield
    except TransportFailed:
        raise
    except (aiosmtplib.SMTPException, OSError, ValueError) as wrong:
        raise failure(find_reason(wrong, default)) from None


def find_reason(wrong: Exception, default: str) -> str:
    root = wrong if isinstance(wrong, ssl.SSLError) else wrong.__cause__
    if isinstance(root, ssl.SSLError):
        return "certificate" if isinstance(root, ssl.SSLCertVerificationError) else "no_tls"
    if isinstance(wrong, TimeoutError):
        return "no_answer"
    if isinstance(wrong, OSError):  # both a lost connection and an invalid greeting raise one
        return "unreachable"
    return "mail_refused" if default == "mail_later" and is_final(wrong) else default


def is_final(wrong: Exception) -> bool:
    """Whether the mail or its recipient was rejected for good. A rejected sender is a matter of settings."""
    if isinstance(wrong, aiosmtplib.SMTPRecipientsRefused):
        return all(each.code >= 500 for each in wrong.recipients)
    if isinstance(wrong, aiosmtplib.SMTPDataError):
        return wrong.code >= 500
    # An address that this server, or any, cannot accept.
    return isinstance(wrong, aiosmtplib.SMTPNotSupported | ValueError)
