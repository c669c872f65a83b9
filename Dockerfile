# Build:  docker build -t dunlin .
# Run:    docker run -p 1883:1883 -p 8080:8080 -v dunlin:/data -e DUNLIN_ALLOW_ANONYMOUS=true dunlin
#
# A container listens on all its addresses, or nobody could reach it. As the broker has no passwords
# yet, it refuses to do so until DUNLIN_ALLOW_ANONYMOUS=true says that everybody who reaches the
# published ports is trusted. The image does not say it for you: nothing starts open in silence.

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build:broker
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production \
    DUNLIN_DATA=/data \
    DUNLIN_LISTEN=mqtt://0.0.0.0:1883,ws://0.0.0.0:8080/mqtt
WORKDIR /dunlin
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY LICENSE ./
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 1883 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["node", "dist/server/main.js", "health"]
CMD ["node", "dist/server/main.js"]
