# The server without an embedded PostgreSQL: give it DATABASE_URL and the key ring (WANGGE_KEYS) at run time.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /srv/wangge
RUN python -m venv /opt/venv
COPY requirements/runtime.txt requirements/runtime.txt
RUN /opt/venv/bin/pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml LICENSE NOTICE alembic.ini ./
COPY alembic alembic
COPY app app
# Editable: the migrations lie beside the package, where a clone has them too.
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation --editable . \
    && /opt/venv/bin/python -m compileall -q app alembic

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin wangge \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/wangge
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/wangge /srv/wangge
WORKDIR /srv/wangge
ENV PATH=/opt/venv/bin:$PATH \
    PORT=8000 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WANGGE_DATA=/var/lib/wangge \
    WANGGE_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8000
# /readyz: the database answers, its migrations are at head, and the server is not draining.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz', timeout=4)"]
CMD ["wangge", "serve"]
