package test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

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

// words are what no secret may show.
func words() []string { return []string{exporterWord, laterWord, redisWord, postgresWord} }

// isNotShown looks for the passwords in what opsctl said, and in all that services and systemd show of themselves.
func (f *fleet) isNotShown(t *testing.T, said string) {
	t.Helper()
	f.ask(t, "journalctl", "--sync")
	places := map[string]string{
		"opsctl's output":  said,
		"the journal":      f.ask(t, "journalctl", "--no-pager", "--all", "-o", "export"),
		"opsctl's journal": f.ask(t, "cat", "/var/lib/opsctl/journal"),
	}
	for name := range secrets() {
		pid := strings.TrimSpace(f.ask(t, "systemctl", "show", "-P", "MainPID", name))
		metrics, _ := f.get(t, ports()[name], "/metrics")
		maps.Copy(places, map[string]string{
			name + "'s unit":         f.ask(t, "systemctl", "cat", name),
			name + "'s properties":   f.ask(t, "systemctl", "show", "--all", name),
			name + "'s status":       f.ask(t, "systemctl", "status", "--no-pager", "--full", name),
			name + "'s command line": strings.Join(f.strings(t, path.Join("/proc", pid, "cmdline")), " "),
			name + "'s environment":  strings.Join(f.strings(t, path.Join("/proc", pid, "environ")), " "),
			name + "'s settings":     f.ask(t, "cat", "/etc/"+name+"/opsctl.yaml"),
			name + "'s metrics":      metrics,
		})
	}
	for place, text := range places {
		if len(text) < 20 {
			t.Errorf("%s: nothing was seen: %q", place, text)
		}
		for _, word := range words() {
			if strings.Contains(text, word) {
				t.Errorf("%s shows the password %s", place, word)
			}
		}
	}
}

// secrets are the files in which components have theirs.
func secrets() map[string]string {
	return map[string]string{"mysqld_exporter": "my.cnf", "redis_exporter": "passwords.json", "postgres_exporter": "password"}
}

// isNotRead searches the machine as a user who is nobody.
func (f *fleet) isNotRead(t *testing.T) {
	t.Helper()
	var files, handed []string
	for name, secret := range secrets() {
		file := path.Join("/etc", name, "secrets", secret)
		files, handed = append(files, file), append(handed, path.Join("/run/credentials", name+".service", secret))
		// Where systemd hands no credentials over, the service reads the file itself.
		owner := "root"
		if f.systemd < 252 {
			owner = name
		}
		if got := f.ask(t, "stat", "--format=%a %U", file); got != "600 "+owner+"\n" {
			t.Errorf("%s: %s", file, got)
		}
	}
	// grep says with its status too that some files could not be read.
	grep := []string{"--", "grep", "--recursive", "--devices=skip", "--files-with-matches", "--no-messages", "--text"}
	for _, word := range words() {
		grep = append(grep, "--regexp="+word)
	}
	search := func(user []string, names ...string) []string {
		out, _ := f.Run(t.Context(), "setpriv", slices.Concat(user, grep, names)...)
		return slices.Sorted(slices.Values(strings.Fields(string(out))))
	}
	nobody := []string{"--reuid=65534", "--regid=65534", "--clear-groups"}
	if found := search(nobody, slices.Concat([]string{"/etc", "/opt", "/run", "/var", "/tmp", "/home"}, files, handed)...); len(found) > 0 {
		t.Errorf("nobody finds a password in %s", found)
	}
	slices.Sort(files)
	if found := search([]string{"--reuid=0"}, "/etc"); !slices.Equal(found, files) {
		t.Errorf("root finds the passwords in %s, not %s", found, files)
	}
}
