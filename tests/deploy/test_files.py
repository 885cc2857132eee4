"""What is in `deploy/` fits the code, and the programs that will read it accept it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from app.cli.options import OTHER_VARIABLES
from app.observe.metrics import Metrics
from app.settings import Settings
from app.surfaces.native.translate import gauges
from docs.generate import environment

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
SETTINGS = {f"SLUICE_{name.upper()}" for name in Settings.model_fields}
OURS = ("api", "worker", "migrate")


def run(*command: object) -> str:
    """What it prints; skips where the program is not installed."""
    program, *arguments = map(str, command)
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed here")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_has_every_setting() -> None:
    assert environment.FILE.read_text() == environment.write(), "run `make deploy-env`"


@pytest.mark.parametrize("path", [path for path in DEPLOY.rglob("*") if path.is_file()], ids=lambda path: path.name)
def test_no_file_names_a_setting_that_is_none(path: Path) -> None:
    named = set(re.findall(r"\bSLUICE_[A-Z_]+\b", path.read_text()))
    assert named <= SETTINGS | {*OTHER_VARIABLES, "SLUICE_ENV_FILE"}


@pytest.mark.parametrize("name", OURS)
def test_compose_lets_a_part_write_only_its_data_and_waits_for_what_it_needs(name: str) -> None:
    part = COMPOSE["services"][name]
    assert part["read_only"]
    assert part["cap_drop"] == ["ALL"]
    assert part["env_file"] == [".env"]
    assert {each.split(":")[1] for each in part["volumes"]} == {"/var/lib/sluice"}
    for other, when in part["depends_on"].items():
        assert when["condition"] in ("service_healthy", "service_completed_successfully")
        assert "healthcheck" in COMPOSE["services"][other]


def test_compose_is_reached_from_its_own_machine_only() -> None:
    ports = [port for part in COMPOSE["services"].values() for port in part.get("ports", [])]
    assert ports == ["${SLUICE_BIND:-127.0.0.1}:${SLUICE_PORT:-8000}:8000"]


@pytest.mark.parametrize("unit", ["sluice-api.service", "sluice-worker@.service", "sluice-migrate.service"])
def test_systemd_accepts_the_unit(unit: str, tmp_path: Path) -> None:
    program = tmp_path / "sluice"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / unit
    copy.write_text((DEPLOY / "systemd" / unit).read_text().replace("/opt/sluice/.venv/bin/sluice", str(program)))
    run("systemd-analyze", "verify", copy)


def test_caddy_accepts_its_file() -> None:
    run("caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "proxies/Caddyfile")


def test_prometheus_accepts_rules_and_targets() -> None:
    assert "9 rules found" in run("promtool", "check", "rules", DEPLOY / "monitoring/alerts.yaml")
    run("promtool", "check", "config", DEPLOY / "monitoring/scrape.yaml")


@pytest.mark.parametrize("name", ["alerts.yaml", "grafana.json"])
def test_each_figure_that_is_watched_exists(name: str) -> None:
    text = Metrics().text().decode() + gauges(())
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    shown = {f"{metric}{end}" for metric, kind in kinds.items() for end in ("_bucket", "_count") if kind == "histogram"}
    named = set(re.findall(r"\bsluice_\w+", (DEPLOY / "monitoring" / name).read_text()))
    assert named
    assert named <= shown | set(kinds)


def test_no_panel_lies_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads((DEPLOY / "monitoring/grafana.json").read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
