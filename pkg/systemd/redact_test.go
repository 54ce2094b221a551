package systemd_test

import (
	"testing"

	"github.com/opsctl/opsctl/pkg/systemd"
)

func TestRedactHidesSecretsAndNothingElse(t *testing.T) {
	for before, after := range map[string]string{
		"-Environment=DATA_SOURCE_NAME=exporter:s3cret@(localhost:3306)/\n": "-Environment=DATA_SOURCE_NAME=[redacted]\n",
		"Environment=\"A=b\" 'X_PASSWORD=two words' C=d\r\n":                "Environment=\"A=b\" 'X_PASSWORD=[redacted]\r\n",
		"    --redis.password=hunter2 \\\n":                                 "    --redis.password=[redacted]\n",
		"ExecStart=/bin/x --token hunter2 --y\n":                            "ExecStart=/bin/x --token [redacted]\n",
		" basic_auth: {username: me, password: hunter2}\n":                  " basic_auth: {username: me, password: [redacted]\n",
		"      password: hunter2":                                           "      password: [redacted]",
		"+      credentials: 'abc'\n":                                       "+      credentials: [redacted]\n",
		"ExecStart=/bin/x --db=postgres://me:pw@h/db\n":                     "ExecStart=/bin/x --db=[redacted]\n",
		"Environment=X_PASSWORD_FILE=%d/password\n":                         "Environment=X_PASSWORD_FILE=%d/password\n",
		"ExecStart=/bin/x --web.listen-address=:9100 --log.level=warn\n":    "ExecStart=/bin/x --web.listen-address=:9100 --log.level=warn\n",
		"LoadCredential=my.cnf:/etc/mysqld_exporter/secrets/my.cnf\n":       "LoadCredential=my.cnf:/etc/mysqld_exporter/secrets/my.cnf\n",
		"  - targets: ['127.0.0.1:9100']\n":                                 "  - targets: ['127.0.0.1:9100']\n",
	} {
		if got := systemd.Redact(before); got != after {
			t.Errorf("%q: got %q, not %q", before, got, after)
		}
	}
}
