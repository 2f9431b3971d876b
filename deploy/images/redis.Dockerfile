# Stand-in for the public redis image: the same port, folder and command.
FROM vitals/debian:bookworm
RUN mkdir -p /data && chown redis:redis /data
WORKDIR /data
USER redis
EXPOSE 6379
ENTRYPOINT ["redis-server", "--protected-mode", "no", "--bind", "0.0.0.0", "--daemonize", "no"]
