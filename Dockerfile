# unflicker on a CPU:
#   docker build -t unflicker .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/films" unflicker film.mp4
# --user lets it write into your folder; without it, it runs as a user of its own, 1000.
# In pipes: docker run --rm -i unflicker - -o -
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY docs/unflicker.1 docs/unflicker.1
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
COPY constraints.txt /tmp/constraints.txt
COPY --from=build /wheels /tmp/wheels
# EXTRAS=images,neural adds preset best; torch then comes with its libraries for GPUs.
ARG EXTRAS=images
RUN pip install --no-cache-dir -c /tmp/constraints.txt "$(ls /tmp/wheels/*.whl)[${EXTRAS}]" \
    && rm -r /tmp/wheels
# Inner loops are compiled now, for the kind of processor that builds; on another they are
# compiled again, into the user's cache.
RUN python -c "import numpy as np, unflicker; \
    unflicker.deflicker(np.random.default_rng(0).integers(0, 255, (24, 96, 128, 3), np.uint8))"
RUN useradd --create-home films
USER films
WORKDIR /films
ENTRYPOINT ["unflicker"]
CMD ["--help"]
