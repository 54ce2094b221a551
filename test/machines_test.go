package test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// eachMachine runs a test in a machine booted with systemd 252, and under OPSCTL_TORTURE with 247 and 257.
func eachMachine(t *testing.T, f func(*testing.T, *installRig)) {
	t.Helper()
	for version, recipe := range testpeers.Machines() {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			if version != 252 && numberOfCases(0, 1, 1) == 0 {
				t.Skip("booted under OPSCTL_TORTURE")
			}
			f(t, newInstallRigOf(t, recipe))
		})
	}
}

// mirror publishes one release on the machine's own loopback, for the time of the test: the mirror's address.
func (r *installRig) mirror(t *testing.T, project, version, program string) string {
	t.Helper()
	_, name, _ := strings.Cut(project, "/")
	release, err := testpeers.Pack(r.dir, name+"-"+version+".linux-amd64", map[string]string{name: program})
	if err != nil {
		t.Fatal(err)
	}
	mirror := &testpeers.Mirror{}
	mirror.Add(project, version, release)
	listener, err := r.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mirror, ReadHeaderTimeout: time.Minute}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}
