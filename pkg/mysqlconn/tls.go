package mysqlconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// tlsConfig is what --ssl-mode asks for; nil: no TLS. fallback: to go on without where the server has none.
func (c *Config) tlsConfig() (config *tls.Config, fallback bool, err error) {
	if c.Mode == "DISABLED" || c.Mode == "PREFERRED" && c.Socket != "" {
		return nil, false, nil
	}
	config = &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		if config.RootCAs, err = authorities(c.CA); err != nil {
			return nil, false, err
		}
	}
	if c.Cert != "" && c.Key != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, false, fmt.Errorf("reading the client's certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	switch c.Mode {
	case "VERIFY_IDENTITY":
	case "VERIFY_CA":
		// The chain is verified below, without the name.
		config.InsecureSkipVerify = true
		config.VerifyConnection = verifyChain(config.RootCAs)
	default:
		config.InsecureSkipVerify = true // encrypted, to whomever: the client's PREFERRED and REQUIRED
	}
	return config, c.Mode == "PREFERRED", nil
}

func authorities(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading --ssl-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, &UsageError{fmt.Sprintf("the file of --ssl-ca, %s, holds no certificate", path)}
	}
	return pool, nil
}

func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server sent no certificate")
		}
		between := x509.NewCertPool()
		for _, cert := range state.PeerCertificates[1:] {
			between.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
}
