"""Sends contacts.csv and waits until the import has ended:  SLUICE_KEY=id:secret python examples/contacts.py [FILE]"""

import os
import sys
import time
from pathlib import Path

import httpx

FILE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("contacts.csv")
OPTIONS = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}

service = httpx.Client(
    base_url=os.environ.get("SLUICE_URL", "http://127.0.0.1:8000"),
    headers={"Authorization": f"apiKey {os.environ['SLUICE_KEY']}"},
    timeout=60,
)

with FILE.open("rb") as file:  # httpx reads it piece by piece, so its size does not matter
    answer = service.post("/imports", data=OPTIONS, files={"file": (FILE.name, file, "text/csv")})
if answer.is_error:
    sys.exit(answer.text)

while answer.json()["status"] not in {"finished", "error", "cancelled"}:
    time.sleep(float(answer.headers.get("Retry-After", 1)))
    answer = service.get(f"/imports/{answer.json()['id']}").raise_for_status()
    run = answer.json()
    print(f"{run['status']}: {run['success'] + run['errors']} of {run['total']} rows, {run['errors']} failed")

for group in answer.json().get("errorSummary", []):
    print(f"{group['count']:>6}  {group.get('column') or 'row'}: {group['message']}")
if "errorReportFileUrl" in answer.json():
    print(service.get(answer.json()["errorReportFileUrl"]).text, end="")
if "failure" in answer.json():  # it failed, or a limit or a quota has halted it and somebody has to decide
    sys.exit(answer.json()["failure"]["detail"])
