# The image of the Action, of the service and of the command-line tool: one static binary and the CA certificates.
# There is no shell, so inputs with hyphens in their names reach the program as the runner sets them.
# GitHub builds this file at every run of the Action, so the build stage has one step and downloads only what it needs.

FROM golang:1.26-bookworm AS build
ARG VERSION=dev
WORKDIR /src
COPY . .
# timetzdata: time zones for schedules, which a scratch image has none of.
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o /image/bot ./cmd/bot \
    && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
    && install -d -m 1777 /image/tmp

FROM scratch
COPY --from=build /image /
# No USER: GitHub runs Actions as root, because the files that carry outputs and the step summary, and the workspace, are
# the runner's own. As a service the image runs as any user (see examples/service).
# No WORKDIR: GitHub mounts the workspace and starts the container in it.
ENTRYPOINT ["/bot"]
