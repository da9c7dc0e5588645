# Builds `dango` and `dango-server`, and an image that serves the project mounted at /project.
#   docker build -t dango .
#   docker run -p 8800:8800 -v "$PWD:/project" dango
#   docker exec CONTAINER dango-server setup-link
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release -p dango-cli -p dango-server \
    && install -D -t /out target/release/dango target/release/dango-server

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /project --shell /usr/sbin/nologin dango \
    && install -d -o dango -g dango -m 0700 /project
COPY --from=build /out/ /usr/local/bin/
USER 10001:10001
WORKDIR /project
VOLUME /project
# Inside the container every address is its own; which of them is reached from outside is said when it is started.
ENV DANGO_SERVER_LISTEN=0.0.0.0:8800
EXPOSE 8800
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s \
    CMD ["curl", "--fail", "--silent", "--show-error", "--output", "/dev/null", "http://127.0.0.1:8800/api/health"]
ENTRYPOINT ["dango-server"]
