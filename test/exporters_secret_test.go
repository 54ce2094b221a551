package test

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// mysqldSecret is where opsctl keeps the option file.
const mysqldSecret = "/etc/mysqld_exporter/secrets/my.cnf"

// keepsSecret looks for the password wherever others can look, through a run with the same one, one with another, and all that
// opsctl says.
func (f *fleet) keepsSecret(t *testing.T) {
	said := ""
	run := func(args ...string) {
		t.Helper()
		out, err := f.Command(t.Context(), f.program, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		said += string(out)
	}
	install := func(password string, more ...string) {
		t.Helper()
		run(slices.Concat([]string{"install", "mysqld_exporter", "--secret", "my.cnf=" + f.secret(t, optionFile(password)), "--settle", "100ms"}, more)...)
	}
	first := f.service(t, "mysqld_exporter")
	install(exporterPassword, "--yes", "-v")
	if f.service(t, "mysqld_exporter") != first {
		t.Error("the same secret restarted the service")
	}
	install(laterPassword, "--dry-run", "-v")
	install(laterPassword, "--dry-run", "-v", "-o", "json")
	if f.service(t, "mysqld_exporter") != first {
		t.Error("a dry run restarted the service")
	}
	if _, err := f.mariadb.SQL(t.Context(), "set password for exporter@localhost = password('"+laterPassword+"')"); err != nil {
		t.Fatal(err)
	}
	install(laterPassword, "--yes", "-v", "-o", "json")
	second := f.service(t, "mysqld_exporter")
	if second == first {
		t.Error("another secret did not restart the service")
	}
	f.mysqlIsUp(t)
	install(laterPassword, "--yes", "-o", "json")
	if f.service(t, "mysqld_exporter") != second {
		t.Error("the same other secret restarted the service")
	}
	run("service", "status", "mysqld_exporter", "-v", "-o", "json")
	run("service", "history", "-v", "-o", "json")
	run("service", "unit", "mysqld_exporter")
	f.isNotShown(t, said)
	f.isNotRead(t)
}

// isNotShown looks for the passwords in what opsctl said, and in all that the service and systemd show of themselves.
func (f *fleet) isNotShown(t *testing.T, said string) {
	t.Helper()
	f.ask(t, "journalctl", "--sync")
	pid := strings.TrimSpace(f.ask(t, "systemctl", "show", "-P", "MainPID", "mysqld_exporter"))
	for place, text := range map[string]string{
		"opsctl's output":  said,
		"the unit":         f.ask(t, "systemctl", "cat", "mysqld_exporter"),
		"systemctl show":   f.ask(t, "systemctl", "show", "--all", "mysqld_exporter"),
		"systemctl status": f.ask(t, "systemctl", "status", "--no-pager", "--full", "mysqld_exporter"),
		"the command line": strings.Join(f.strings(t, path.Join("/proc", pid, "cmdline")), " "),
		"the environment":  strings.Join(f.strings(t, path.Join("/proc", pid, "environ")), " "),
		"the journal":      f.ask(t, "journalctl", "--no-pager", "--all", "-o", "export"),
		"opsctl's journal": f.ask(t, "cat", "/var/lib/opsctl/journal"),
		"the settings":     f.ask(t, "cat", "/etc/mysqld_exporter/opsctl.yaml"),
		"the metrics":      f.ask(t, "curl", "-sf", "http://127.0.0.1:9104/metrics"),
	} {
		if len(text) < 20 {
			t.Errorf("%s: nothing was seen: %q", place, text)
		}
		if strings.Contains(text, exporterWord) || strings.Contains(text, laterWord) {
			t.Errorf("%s shows the password", place)
		}
	}
}

// isNotRead searches the machine as a user who is nobody.
func (f *fleet) isNotRead(t *testing.T) {
	t.Helper()
	// Where systemd hands no credentials over, the service reads the file itself.
	owner := "root"
	if f.systemd < 252 {
		owner = "mysqld_exporter"
	}
	if got := f.ask(t, "stat", "--format=%a %U", mysqldSecret); got != "600 "+owner+"\n" {
		t.Errorf("%s: %s", mysqldSecret, got)
	}
	// grep says with its status too that some files could not be read.
	grep := []string{"--recursive", "--devices=skip", "--files-with-matches", "--no-messages", "--text", "--regexp=" + exporterWord, "--regexp=" + laterWord}
	search := func(user []string, names ...string) string {
		out, _ := f.Run(t.Context(), "setpriv", slices.Concat(user, []string{"--", "grep"}, grep, names)...)
		return string(out)
	}
	nobody := []string{"--reuid=65534", "--regid=65534", "--clear-groups"}
	if found := search(nobody, "/etc", "/opt", "/run", "/var", "/tmp", "/home", mysqldSecret, "/run/credentials/mysqld_exporter.service/my.cnf"); found != "" {
		t.Errorf("nobody finds the password in\n%s", found)
	}
	if found := search([]string{"--reuid=0"}, "/etc"); found != mysqldSecret+"\n" {
		t.Errorf("root finds the password in\n%s", found)
	}
}
