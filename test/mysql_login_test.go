package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
)

// typeAt runs a program at a terminal of its own, and answers its prompt.
func typeAt(t *testing.T, cmd *exec.Cmd, answer string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = master.Close() }()
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = errors.Join(cmd.Start(), terminal.Close())
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	buffer := make([]byte, 256)
	for !strings.Contains(said.String(), "password:") {
		n, err := master.Read(buffer)
		if err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		said.Write(buffer[:n])
	}
	if _, err := master.WriteString(answer + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestLoginFileOpensASession logs in with nothing else.
func TestLoginFileOpensASession(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("MySQL's programs run under OPSCTL_TORTURE")
	}
	d := testpeers.RequireMySQL(t)
	sql(t, d, "create user app@localhost identified by 'a b#c'")
	login := filepath.Join(t.TempDir(), "login")
	cmd := d.Tree().Command(t.Context(), "usr/bin/mysql_config_editor", "set", "--login-path=shop", "--user=app", "--socket="+d.Socket, "--password")
	cmd.Env = []string{"MYSQL_TEST_LOGIN_FILE=" + login}
	typeAt(t, cmd, "a b#c")
	config, err := mysqlconn.Resolve(t.Context(), mysqlconn.Options{LoginPath: "shop"}, mysqlconn.Env{Getenv: func(name string) string {
		return map[string]string{"MYSQL_TEST_LOGIN_FILE": login}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := config.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
