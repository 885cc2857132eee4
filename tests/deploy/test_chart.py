"""The Helm chart renders what a cluster may run: no root, nothing written but data, the schema before the pods."""

import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).resolve().parents[2] / "deploy/helm/sluice"
pytestmark = pytest.mark.skipif(not shutil.which("helm"), reason="helm is not installed here")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["helm", *arguments], capture_output=True, text=True, check=False)


def rendered(*values: str) -> list[dict[str, Any]]:
    sets = [part for value in ("existingSecret=mine", *values) for part in ("--set", value)]
    done = helm("template", "night", str(CHART), "--kube-version", "1.30.0", *sets)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in objects if "template" in each["spec"]
    }


def test_it_passes_helms_lint() -> None:
    done = helm("lint", str(CHART), "--strict", "--set", "existingSecret=mine")
    assert done.returncode == 0, done.stdout


def test_no_pod_runs_as_root_or_writes_anything_but_its_data() -> None:
    found = pods(rendered())
    assert set(found) == {"night-api", "night-worker", "night-migrate"}
    for pod in found.values():
        assert pod["securityContext"]["runAsNonRoot"]
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert {each["mountPath"] for each in container["volumeMounts"]} == {"/tmp", "/var/lib/sluice"}
        assert container["envFrom"] == [{"secretRef": {"name": "mine"}}]


def test_settings_reach_every_pod_and_the_schema_comes_first() -> None:
    objects = rendered("settings.SLUICE_BLOBS=s3://bucket/x", "storage.enabled=false")
    for pod in pods(objects).values():
        assert {"name": "SLUICE_BLOBS", "value": "s3://bucket/x"} in pod["containers"][0]["env"]
    assert not [each for each in objects if each["kind"] == "PersistentVolumeClaim"]
    (job,) = [each for each in objects if each["kind"] == "Job"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_without_a_secret_it_says_what_to_do() -> None:
    done = helm("template", "night", str(CHART), "--kube-version", "1.30.0")
    assert "name a Secret with SLUICE_DATABASE_URL" in done.stderr


def test_it_installs_the_version_of_the_code() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == metadata.version("sluice")
