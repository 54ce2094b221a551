package testpeers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Account is a line of the box's passwd, group and shadow.
type Account struct {
	Name     string
	UID      int    // also the group's id
	Home     string // "" is /home/NAME, or /root for uid 0
	Shell    string // "" is /bin/sh
	Password string // in clear; "" means none ("*"), so that only key logins work
	Locked   bool   // passwd -l: without PAM sshd refuses the account
}

func (a Account) home() string {
	switch {
	case a.Home != "":
		return a.Home
	case a.UID == 0:
		return "/root"
	}
	return "/home/" + a.Name
}

// WriteAccounts replaces the box's accounts and makes their home folders, mode 0755 and owned by the account. The system
// accounts that sshd needs are added; root is added unless given.
func (b *Box) WriteAccounts(ctx context.Context, accounts []Account) error {
	all := append([]Account{
		{Name: "sshd", UID: 102, Home: "/run/sshd", Shell: "/usr/sbin/nologin"},
		{Name: "nobody", UID: 65534, Home: "/nonexistent", Shell: "/usr/sbin/nologin"},
	}, accounts...)
	hasRoot := false
	for _, a := range accounts {
		hasRoot = hasRoot || a.Name == "root"
	}
	if !hasRoot {
		all = append([]Account{{Name: "root"}}, all...)
	}
	var passwd, group, shadow strings.Builder
	for _, a := range all {
		hash := "*"
		if a.Password != "" {
			out, err := b.Run(ctx, "/bin/busybox", "mkpasswd", "-m", "sha512", "-S", "opsctltests", a.Password)
			if err != nil {
				return err
			}
			hash = strings.TrimSpace(string(out))
		}
		if a.Locked {
			hash = "!" + hash
		}
		shell := a.Shell
		if shell == "" {
			shell = "/bin/sh"
		}
		fmt.Fprintf(&passwd, "%s:x:%d:%d:%s:%s:%s\n", a.Name, a.UID, a.UID, a.Name, a.home(), shell)
		fmt.Fprintf(&group, "%s:x:%d:\n", a.Name, a.UID)
		fmt.Fprintf(&shadow, "%s:%s:20000:0:99999:7:::\n", a.Name, hash)
	}
	files := []File{
		{Name: "/etc/passwd", Text: passwd.String(), Mode: 0o644},
		{Name: "/etc/group", Text: group.String() + "tty:x:5:\nadm:x:4:\n", Mode: 0o644},
		{Name: "/etc/shadow", Text: shadow.String(), Mode: 0o640},
		{Name: "/etc/nsswitch.conf", Text: "passwd: files\ngroup: files\nshadow: files\nhosts: files\n", Mode: 0o644},
		{Name: "/etc/hosts", Text: "127.0.0.1 localhost\n", Mode: 0o644},
	}
	if err := b.WriteFiles(files...); err != nil {
		return err
	}
	for _, a := range accounts {
		home := b.Path(a.home())
		if err := os.MkdirAll(home, 0o755); err != nil {
			return err
		}
		if err := os.Chown(home, a.UID, a.UID); err != nil {
			return err
		}
	}
	return nil
}

// File is a file of a box with its owner (user and group share an id) and permission bits, whatever the umask.
type File struct {
	Name string // path inside the box
	Text string
	Mode os.FileMode
	UID  int
}

// WriteFiles writes files whole. Missing folders are made 0755 (".ssh" 0700) and given the file's owner.
func (b *Box) WriteFiles(files ...File) error {
	for _, f := range files {
		path := b.Path(f.Name)
		if err := b.makeParents(filepath.Dir(path), f.UID); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.Text), 0o600); err != nil {
			return err
		}
		if err := os.Chown(path, f.UID, f.UID); err != nil {
			return err
		}
		if err := os.Chmod(path, f.Mode); err != nil {
			return err
		}
	}
	return nil
}

func (b *Box) makeParents(dir string, uid int) error {
	if exists(dir) {
		return nil
	}
	if err := b.makeParents(filepath.Dir(dir), uid); err != nil {
		return err
	}
	mode := os.FileMode(0o755)
	if filepath.Base(dir) == ".ssh" {
		mode = 0o700
	}
	if err := os.Mkdir(dir, mode); err != nil {
		return err
	}
	return os.Chown(dir, uid, uid)
}
