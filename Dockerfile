# The update server as a container: `docker build -t skyslot .`. It runs as an ordinary user and keeps everything in /data.

# With a digest, `node@sha256:…`, it is the same one whenever it is built; compose.yaml says how it is learned.
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS libraries
WORKDIR /app
# For the SQLite library, where there is no built one for this processor.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=libraries /app/node_modules node_modules
COPY package.json tsconfig.json ./
COPY bin bin
COPY firmware firmware
COPY host-sim host-sim
COPY partitions partitions
COPY release release
COPY server server
# The command is built here: the user that it runs as may not write.
RUN node bin/skyslot.js --version
# Sources keep the modes that they have where the image is built, and a strict umask lets only their owner read them.
# A volume takes its owner from the folder that it is put upon.
RUN chmod -R a+rX bin build firmware host-sim partitions release server package.json tsconfig.json && install -d -o node -g node -m 700 /data
USER node
VOLUME /data
EXPOSE 8080
# With --tls-cert or another --port this has to be another one.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# More flags come behind it: `docker run skyslot server --host 0.0.0.0 --data /data --demo`.
ENTRYPOINT ["node", "bin/skyslot.js"]
CMD ["server", "--host", "0.0.0.0", "--data", "/data", "--drain-seconds", "5"]
