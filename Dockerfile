# syntax=docker/dockerfile:1
# The image for `sluice api`, `sluice worker` and `sluice migrate`, without PostgreSQL and Valkey: see deploy/compose.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
WORKDIR /opt/sluice
RUN python -m venv .venv
# uv and the build backend are installed by hash, and everything else with uv.
COPY requirements-bootstrap.txt requirements-server.txt ./
RUN .venv/bin/pip install --require-hashes -r requirements-bootstrap.txt \
 && .venv/bin/uv pip install --only-binary :all: --compile-bytecode --require-hashes -r requirements-server.txt
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY workers workers
COPY migrations migrations
# Editable, because the migrations are next to the code. Tools that only the build needs are removed.
RUN .venv/bin/uv pip install --no-deps --no-build-isolation --editable . \
 && .venv/bin/python -m compileall -q app workers migrations \
 && .venv/bin/uv pip uninstall hatchling editables pathspec pluggy trove-classifiers pip setuptools \
 && .venv/bin/uv pip uninstall uv

FROM python:3.11-slim
# A fixed user id, so that the owner of a volume is the same on every machine.
RUN groupadd --system --gid 10001 sluice \
 && useradd --system --uid 10001 --gid sluice --home-dir /var/lib/sluice --shell /usr/sbin/nologin sluice \
 && install -d -o sluice -g sluice -m 0750 /var/lib/sluice
COPY --from=build /opt/sluice /opt/sluice
ENV PATH=/opt/sluice/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SLUICE_DATA=/var/lib/sluice
WORKDIR /var/lib/sluice
USER sluice
VOLUME /var/lib/sluice
EXPOSE 8000
# For the API. deploy/compose checks workers on SLUICE_WORKER_METRICS_PORT instead.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["sluice"]
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]
