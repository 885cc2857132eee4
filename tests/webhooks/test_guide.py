"""The examples of the guide to webhooks verify what is signed, and refuse what is not."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support import environments

HERE = Path(__file__).parent
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "webhooks.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"type": "run.finished", "data": {"id": "1"}}'


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found is not None
    return found[1].replace("whsec_…", SECRET)


def headers() -> dict[str, str]:
    now = datetime.now(UTC)
    told = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp()))}
    return told | {"webhook-signature": Webhook(SECRET).sign("msg_1", now, BODY)}


@environments.needs_node
def test_the_example_in_typescript_verifies_and_refuses(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    packages = environments.node("webhooks", pytestconfig)
    (tmp_path / "receive.ts").write_text(example("ts"))
    signed = {"body": BODY, "headers": headers()}
    messages = [signed, signed | {"body": BODY.replace("1", "2")}]
    program = subprocess.run(
        ["node", str(HERE / "verify_messages.cjs"), str(tmp_path / "receive.ts")],
        input=json.dumps(messages),
        env=environments.environment(NODE_PATH=str(packages)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert program.stdout.split() == ["204", "refused"], program.stderr


def test_the_example_in_python_verifies_and_refuses() -> None:
    known: dict[str, Any] = {}
    exec(example("python"), known)
    known["receive"](BODY.encode(), headers())
    with pytest.raises(WebhookVerificationError):
        known["receive"](BODY.replace("1", "2").encode(), headers())
