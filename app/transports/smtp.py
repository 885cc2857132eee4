"""Hands mails over to the operator's mail server."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_network
from typing import Final
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPDataError, SMTPException, SMTPNotSupported, SMTPRecipientsRefused
from pydantic import SecretStr

from app.transports.failed import TransportFailed, failure
from app.transports.guard import Guard
from app.transports.transport import within

SEND_SECONDS: Final = 30.0  # for one mail, from the look-up to the server's word that it has it
PORTS: Final = {"smtps": 465, "smtp": 587}
PLAIN_PORT: Final = 25  # of smtp:// without credentials

# The server is the operator's own setting and no caller can name another, so it may stand in any network: often it is
# this machine itself. What is looked up is dialled, like everything else.
ANYWHERE: Final = Guard(allowed=(ip_network("0.0.0.0/0"), ip_network("::/0")))


class Client(SMTP):
    """aiosmtplib's, without CRAM-MD5: a password travels only under TLS here, and each further way to log in that is
    tried with a wrong password brings an account nearer to being locked."""

    AUTH_METHODS = ("plain", "login")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed over. Without a user nobody logs in."""

    host: str
    port: int
    implicit_tls: bool  # from the first byte on; else by STARTTLS
    user: str = ""
    password: SecretStr | None = None


def mail_server(url: str) -> MailServer:
    """Takes `smtp://user:password@host:port` apart. Raises ValueError, without a word of the address."""
    if not url.isprintable() or " " in url:
        raise ValueError
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    beside = parts.path.strip("/") or parts.query or parts.fragment  # often a password that is not percent-encoded
    if parts.scheme not in PORTS or not parts.hostname or beside or bool(user) != bool(password):
        raise ValueError
    usual = PORTS[parts.scheme] if user or parts.scheme == "smtps" else PLAIN_PORT
    port = usual if parts.port is None else parts.port
    if not port:
        raise ValueError
    return MailServer(parts.hostname, port, parts.scheme == "smtps", user, SecretStr(password))


def sender_of(text: str) -> str:
    """`Name <address>` or an address, checked; of the address ASCII alone, so that any server takes it. Raises
    ValueError."""
    sender = EmailMessage()
    sender["From"] = text  # a ValueError for a line break
    addresses = sender["From"].addresses
    if len(addresses) != 1 or sender["From"].defects:
        raise ValueError
    if not (addresses[0].username and addresses[0].domain and addresses[0].addr_spec.isascii()):
        raise ValueError
    return text


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends mails from one sender by one server, with a connection for each."""

    server: MailServer
    sender: str  # as in a From header
    tls: ssl.SSLContext
    step_seconds: float = 15  # for connecting, and for each answer

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Returns when the server has taken the mail, and from then on has to deliver it.

        Raises TransportFailed; the reason "mail_refused" alone says that no later try will help.
        """
        client = Client(
            hostname=self.server.host,
            use_tls=self.server.implicit_tls,
            start_tls=True if self.server.user and not self.server.implicit_tls else None,
            tls_context=self._trust(),
            timeout=self.step_seconds,
        )
        try:
            async with within(SEND_SECONDS, "no_answer"):
                await self._hand_over(client, message, recipient)
            with suppress(SMTPException, OSError):  # it is sent, whatever becomes of the goodbye
                await client.quit(timeout=1)
        finally:
            client.close()

    def _trust(self) -> ssl.SSLContext:
        """Without credentials STARTTLS is taken where it is offered, whoever signed the certificate: a plain connection
        would be as good to us, so insisting on a name would only stop mails on their way to a server beside us."""
        if self.server.user or self.server.implicit_tls:
            return self.tls
        unknown = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unknown.check_hostname = False
        unknown.verify_mode = ssl.CERT_NONE
        return unknown

    async def _hand_over(self, client: Client, message: EmailMessage, recipient: str) -> None:
        dialled = await ANYWHERE.dial(self.server.host, self.server.port, self.step_seconds)
        client.local_hostname = literal(dialled)
        with told("no_tls"):
            await client.connect(sock=dialled)
        if self.server.password:
            with told("login"):
                await client.login(self.server.user, self.server.password.get_secret_value())
        with told("mail_later"):
            await client.send_message(message, recipients=[recipient])


def literal(dialled: socket.socket) -> str:
    """Our name in EHLO: our address (RFC 5321 §4.1.3). Our full name would need a look-up that may take its time."""
    address = dialled.getsockname()[0]
    return f"[IPv6:{address}]" if dialled.family == socket.AF_INET6 else f"[{address}]"


@contextmanager
def told(otherwise: str) -> Iterator[None]:
    """Turns what the block raises into one of our reasons, of which `otherwise` is the step's own; the server's words
    stay behind."""
    try:
        yield
    except TransportFailed:
        raise
    except (SMTPException, OSError, ValueError) as wrong:
        raise failure(reason_of(wrong, otherwise)) from None


def reason_of(wrong: Exception, otherwise: str) -> str:
    root = wrong if isinstance(wrong, ssl.SSLError) else wrong.__cause__
    if isinstance(root, ssl.SSLError):
        return "certificate" if isinstance(root, ssl.SSLCertVerificationError) else "no_tls"
    if isinstance(wrong, TimeoutError):
        return "no_answer"
    if isinstance(wrong, OSError):  # a broken connection and a greeting that is none are both among these
        return "unreachable"
    return "mail_refused" if otherwise == "mail_later" and is_final(wrong) else otherwise


def is_final(wrong: Exception) -> bool:
    """Whether the mail or its recipient was refused for good. A sender that is refused is a matter of settings."""
    if isinstance(wrong, SMTPRecipientsRefused):
        return all(each.code >= 500 for each in wrong.recipients)
    if isinstance(wrong, SMTPDataError):
        return wrong.code >= 500
    return isinstance(wrong, SMTPNotSupported | ValueError)  # an address that this server, or none, can take
