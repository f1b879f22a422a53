# The image of the Action, of the service and of the command-line tool: one static binary and the CA certificates.
# There is no shell, so inputs with hyphens in their names reach the program as the runner sets them.
# GitHub builds this file at every run of the Action, so the build stage has one step and downloads only what it needs.

# The newest image whose digest is known. GOTOOLCHAIN=auto: go.mod names the release of Go that builds this, and go fetches
# it, checked against the checksum database, while the image's own is older.
FROM golang:1.26.9-bookworm@sha256:d9c68c2c51161e12fd77e4c6320687c9cd86e1af1e3ad6e6cd63ff970641453c AS build
ARG VERSION=dev
WORKDIR /src
COPY . .
# timetzdata: time zones for schedules, which a scratch image has none of.
RUN CGO_ENABLED=0 GOTOOLCHAIN=auto go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" \
      -o /image/bot ./cmd/bot \
    && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
    && install -d -m 1777 /image/tmp

FROM scratch
COPY --from=build /image /
# No USER: GitHub runs Actions as root, because the files that carry outputs and the step summary, and the workspace, are
# the runner's own. As a service the image runs as any user (see examples/service).
# No WORKDIR: GitHub mounts the workspace and starts the container in it.
ENTRYPOINT ["/bot"]
