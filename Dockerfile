# syntax=docker/dockerfile:1
# Two images: `bot` (a chat platform; small, no torch) and `engine` (renders).
#   docker build --target bot -t vivant-bot .
#   docker build --target engine -t vivant-engine .                             with torch, for a GPU
#   docker build --target engine --build-arg EXTRAS=puppet -t vivant-engine-cpu .    without torch
ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/vivant
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY vivant vivant

FROM source AS bot-packages
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/vivant/bin/pip install ".[telegram,discord,look,heic,postgres]"

FROM source AS engine-packages
ARG EXTRAS=engine
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/vivant/bin/pip install ".[${EXTRAS},postgres]"

# What both run in: a user who owns its data folder and nothing else.
FROM python:${PYTHON} AS runtime
ENV PATH=/opt/vivant/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VIVANT_DATA_DIR=/data
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin vivant \
    && install --directory --owner=vivant --group=vivant --mode=0700 \
       /data /data/media /data/models
WORKDIR /data
ENTRYPOINT ["vivant"]

FROM runtime AS bot
COPY --from=bot-packages /opt/vivant /opt/vivant
USER 10001:10001
# The networks that look at a photo: a new volume begins with what lies here.
RUN vivant engine download puppet
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["vivant", "doctor", "--alive"]
CMD ["bot", "--help"]

FROM runtime AS engine
ENV HF_HOME=/data/models/huggingface \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=engine-packages /opt/vivant /opt/vivant
USER 10001:10001
RUN vivant engine download puppet
# The first start may fetch a preset's weights.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30m CMD ["vivant", "doctor", "--alive"]
CMD ["engine"]
