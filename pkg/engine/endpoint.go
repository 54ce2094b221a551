package engine

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// ErrContext says that a Docker context cannot be used.
var ErrContext = errors.New("this Docker context cannot be used")

// endpoint is where an engine listens.
type endpoint struct {
	host         string // unix://PATH, tcp://HOST:PORT
	ca, cert     string // files, "" for none
	key          string
	tls, skipTLS bool // skipTLS: the server's certificate is not verified
}

// defaultContext is the context that the environment makes.
const defaultContext = "default"

// findEndpoint chooses as the docker program does: DOCKER_HOST, then DOCKER_CONTEXT, then currentContext of config.json, then
// the socket of this machine (docker-context(1)).
func findEndpoint(getenv func(string) string) (endpoint, error) {
	dir := getenv("DOCKER_CONFIG")
	if dir == "" {
		dir = filepath.Join(getenv("HOME"), ".docker")
	}
	if getenv("DOCKER_HOST") != "" {
		return fromEnvironment(getenv, dir), nil
	}
	name := getenv("DOCKER_CONTEXT")
	if name == "" {
		var err error
		if name, err = currentContext(dir); err != nil {
			return endpoint{}, err
		}
	}
	if name == "" || name == defaultContext {
		return fromEnvironment(getenv, dir), nil
	}
	return readContext(dir, name)
}

func fromEnvironment(getenv func(string) string, dir string) endpoint {
	at := endpoint{host: getenv("DOCKER_HOST")}
	if at.host == "" {
		at.host = client.DefaultDockerHost
	}
	if certs := getenv("DOCKER_CERT_PATH"); certs != "" {
		dir = certs
		at.tls = true
	}
	verify := getenv("DOCKER_TLS_VERIFY") != ""
	at.tls = (at.tls || verify) && !strings.HasPrefix(at.host, "unix://")
	if at.tls {
		at.ca, at.cert, at.key = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		at.skipTLS = !verify
	}
	return at
}

// currentContext is what `docker context use` wrote, "" for none.
func currentContext(dir string) (string, error) {
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading Docker's configuration: %w", err)
	}
	var config struct {
		CurrentContext string `json:"currentContext"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return config.CurrentContext, nil
}

// readContext reads contexts/meta/ID/meta.json and the certificates in contexts/tls/ID/docker, where ID is the sum of the name.
func readContext(dir, name string) (endpoint, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	path := filepath.Join(dir, "contexts", "meta", id, "meta.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return endpoint{}, fmt.Errorf("%w: there is none of the name %q", ErrContext, name)
	}
	if err != nil {
		return endpoint{}, fmt.Errorf("%w: %q: %w", ErrContext, name, err)
	}
	var meta struct {
		Endpoints map[string]struct {
			Host          string `json:"Host"`
			SkipTLSVerify bool   `json:"SkipTLSVerify"`
		} `json:"Endpoints"`
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return endpoint{}, fmt.Errorf("%w: %q: reading %s: %w", ErrContext, name, path, err)
	}
	docker := meta.Endpoints["docker"]
	if docker.Host == "" {
		return endpoint{}, fmt.Errorf("%w: %q names no Docker engine in %s", ErrContext, name, path)
	}
	at := endpoint{host: docker.Host, skipTLS: docker.SkipTLSVerify}
	certs := filepath.Join(dir, "contexts", "tls", id, "docker")
	for file, to := range map[string]*string{"ca.pem": &at.ca, "cert.pem": &at.cert, "key.pem": &at.key} {
		if _, err := os.Stat(filepath.Join(certs, file)); err == nil {
			*to, at.tls = filepath.Join(certs, file), true
		}
	}
	at.tls = at.tls || at.skipTLS
	return at, nil
}

// options are those of a client that talks to the endpoint.
func (at endpoint) options() ([]client.Opt, error) {
	scheme, _, _ := strings.Cut(at.host, "://")
	switch scheme {
	case "unix", "tcp", "http":
	case "ssh":
		return nil, fmt.Errorf("%w: %s: ssh is not spoken here: forward the socket with ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST, and set DOCKER_HOST=unix:///tmp/docker.sock", ErrContext, at.host)
	default:
		return nil, fmt.Errorf("%w: %s: the address begins with unix:// or tcp://", ErrContext, at.host)
	}
	options := []client.Opt{client.WithUserAgent("opsctl")}
	if at.tls {
		config, err := at.tlsConfig()
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrContext, at.host, err)
		}
		transport := &http.Transport{TLSClientConfig: config, MaxIdleConns: 6, IdleConnTimeout: 30 * time.Second}
		options = append(options, client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}))
	}
	return append(options, client.WithHost(at.host)), nil
}

// tlsConfig verifies the engine by the given authority alone, where there is one, and shows it the given certificate.
func (at endpoint) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: at.skipTLS, //nolint:gosec // as the context, or an unset DOCKER_TLS_VERIFY, says
	}
	if at.ca != "" && !at.skipTLS {
		text, err := os.ReadFile(at.ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", at.ca)
		}
	}
	if at.cert == "" || at.key == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(at.cert, at.key)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
