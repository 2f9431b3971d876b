# Vitals as an image: one static binary, nobody's user, nothing else. It serves the
# clinic API; with other arguments it is any vitals command (docs/ci.md).
#
#   make build
#   cp /etc/ssl/certs/ca-certificates.crt bin/   # for https, Sentry, SMTP, TLS to Postgres or Redis
#   docker build -t vitals/api:dev .
#
# The binary comes from the host's Go toolchain, so that building the image asks
# no registry for anything. bin/ is the build context (.dockerignore) and holds
# the binary and, if wanted, the CA bundle.
FROM scratch
COPY bin/ /
# Run with a read-only root. WORKERS above 1 needs a writable /tmp for the
# workers' sockets: --tmpfs /tmp:mode=1777.
ENV SSL_CERT_FILE=/ca-certificates.crt
USER 65532:65532
EXPOSE 8000 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/vitals", "serve", "check"]
ENTRYPOINT ["/vitals"]
CMD ["serve"]
