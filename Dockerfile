# The operator's image. `make build` first: the bundle and Node come from the checkout.
# test/cluster/images/mesh-operator.ts assembles the same image without docker; a test compares the two.
FROM debian:bookworm-slim

COPY --chmod=755 node_modules/node/bin/node /usr/local/bin/node
COPY --chmod=644 package.json dist/mesh-operator.js /app/

LABEL org.opencontainers.image.title="mesh-operator"
ENV NODE_ENV=production
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/app/mesh-operator.js"]
