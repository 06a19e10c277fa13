# The image of the one binary, habeas: nothing else is in it but the certificates of
# public authorities and an empty folder for data. It runs as a user without a name.
#
#   docker build -t habeas .                         builds the binary, too
#   make image                                       takes the one that make has built:
#                                                    nothing is pulled
ARG GO_IMAGE=golang:1.26

FROM scratch AS base
# A volume that is mounted on one of these belongs to that user: docker-compose.yml mounts
# one for the objects of each system.
COPY --chown=65532:65532 deploy/image/volumes /var/lib/habeas
ENV HABEAS_CONFIG=/etc/habeas/habeas.yaml
# By number, so that Kubernetes sees that it isn't root.
USER 65532:65532
WORKDIR /var/lib/habeas
EXPOSE 8420 8421 8429
ENTRYPOINT ["/habeas"]
CMD ["--help"]

# By a pattern, which may match nothing: the older builder makes this stage for the
# last one, too.
FROM base AS prebuilt
COPY deploy/image/empty bin/imag[e] /

FROM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.work go.work.sum ./
COPY schemas schemas
COPY pkg pkg
COPY services services
ARG VERSION=development
ARG TAGS=
RUN CGO_ENABLED=0 go build -trimpath -tags "${TAGS}" -ldflags "-s -w -X main.version=${VERSION}" -o /habeas ./services/habeas

FROM base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /habeas /habeas
