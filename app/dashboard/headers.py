"""The headers of every answer of the dashboard: what a page may load and do, and who may show or read it."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.dashboard.origin import is_below

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types sluice"
)
FORBIDDEN: Final = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation gyroscope hid "
    "idle-detection magnetometer microphone midi payment publickey-credentials-get screen-wake-lock serial usb "
    "xr-spatial-tracking"
)
HEADERS: Final = tuple(
    (name.encode(), value.encode())
    for name, value in {
        "content-security-policy": CONTENT_SECURITY_POLICY,
        # With `no-referrer` browsers say `Origin: null` with our own forms.
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": ", ".join(f"{feature}=()" for feature in FORBIDDEN.split()),
        "x-frame-options": "DENY",  # for browsers that do not know `frame-ancestors`
    }.items()
)


class PageHeadersMiddleware:
    """Adds the headers to every answer below `prefix`, to failures and crashes too."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        is_page = scope["type"] == "http" and is_below(scope["path"], self.prefix)
        await self.app(scope, receive, send_with_headers if is_page else send)
