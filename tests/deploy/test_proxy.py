"""Files, polls and event streams pass nginx as `deploy/proxies` sets it up."""

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from app.embedded import free_port
from tests.support.live import Live

CONF = Path(__file__).resolve().parents[2] / "deploy/proxies/nginx.conf"
NAME = "sluice.example.com"
CSV = {"Content-Type": "text/csv"}
# What Debian's nginx.conf has around it, with everything that is written in a folder of the test.
AROUND = """
worker_processes 1; daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/sluice.conf;
}}
"""
pytestmark = [
    pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed here"),
    pytest.mark.slow,
]


@pytest.fixture
def through(live: Live, tmp_path: Path) -> Iterator[httpx.Client]:
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert(NAME, "127.0.0.1")
    pem, key = tmp_path / "pem", tmp_path / "key"
    certificate.cert_chain_pems[0].write_to_path(pem)
    certificate.private_key_pem.write_to_path(key)
    text = CONF.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{live.port}").replace("listen 443", f"listen {port}")
    text = re.sub(r"(ssl_certificate_key) \S+;", rf"\1 {key};", text)
    (tmp_path / "sluice.conf").write_text(re.sub(r"(ssl_certificate) \S+;", rf"\1 {pem};", text))
    (tmp_path / "nginx.conf").write_text(AROUND.format(folder=tmp_path))
    process = subprocess.Popen(["nginx", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)])
    context = ssl.create_default_context()
    authority.configure_trust(context)
    try:
        wait_for(port)
        with httpx.Client(
            base_url=f"https://127.0.0.1:{port}", verify=context, headers={"Host": NAME}, timeout=60
        ) as client:
            yield client
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def test_a_large_file_is_imported_and_followed(live: Live, through: httpx.Client, tmp_path: Path) -> None:
    key = {"Authorization": f"apiKey {live.key('proxied')}"}
    rows = "".join(f"{number}@example.org,{'x' * 800}\n" for number in range(60_000))
    data = f"_email,_name\n{rows}".encode()
    assert len(data) > 48_000_000
    posted = through.post("/imports?type=contacts", headers={**key, **CSV}, content=data)
    assert posted.status_code == 201, posted.text
    number = posted.json()["id"]
    body = tmp_path / "body"
    assert not body.exists() or not any(each.is_file() for each in body.rglob("*")), "nginx has kept the file"
    answer = {}
    deadline = time.monotonic() + 60
    while answer.get("status") not in ("finished", "failed") and time.monotonic() < deadline:
        answer = through.get(f"/imports/{number}", headers={**key, "Prefer": "wait=10"}).json()
    assert (answer["status"], answer["success"]) == ("finished", 60_000)


def test_who_has_no_key_is_refused_and_figures_stay_inside(through: httpx.Client) -> None:
    assert through.post("/imports", files={"file": ("people.csv", b"x" * 5_000_000)}).status_code == 401
    assert through.get("/metrics").status_code == through.get("/readyz").status_code == 404
    assert through.get("/healthz").status_code == 200


def test_events_arrive_when_they_happen(live: Live, through: httpx.Client) -> None:
    key = {"Authorization": f"apiKey {live.key('streamed')}"}
    data = "_email\n" + "".join(f"{number}@example.org\n" for number in range(200_000))
    posted = through.post("/imports?type=contacts", headers={**key, **CSV}, content=data.encode())
    with through.stream("GET", f"/imports/{posted.json()['id']}/events", headers=key) as stream:
        times = [time.monotonic() for line in stream.iter_lines() if line.startswith("data:")]
    assert len(times) > 2
    assert times[-1] - times[0] > 0.5, "the events were held back until the end"
