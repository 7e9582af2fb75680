# The operator's image. `make build` first: the bundle and Node come from the checkout.
# test/cluster/images/mesh-operator.ts assembles the same image without docker; a test compares the two.
FROM debian:bookworm-slim

COPY --chmod=755 node_modules/node/bin/node /usr/local/bin/node
COPY --chmod=644 package.json dist/*.js /app/

LABEL org.opencontainers.image.title="mesh-operator"
ENV NODE_ENV=production
# A small young generation, an old one that grows slowly, and code kept small rather than fast: 200 meshes fit in 150 MB (docs/reference/performance.md).
ENV NODE_OPTIONS="--max-semi-space-size=2 --max-old-space-size=256"
ENV MALLOC_ARENA_MAX=1
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "--optimize-for-size", "/app/mesh-operator.js"]
