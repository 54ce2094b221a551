package test

import (
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/opsctl/opsctl/pkg/authkeys"
)

// report is all that is needed to play a case by hand.
func (g *rig) report(c attempt, v authkeys.Verdict, got truth) string {
	var out strings.Builder
	fmt.Fprintf(&out, "login: user %q from %s with %s\n  %s\n", c.user, c.from, c.key.name, c.key.line(""))
	if cert := c.certificate(); cert != nil {
		fmt.Fprintf(&out, "  certificate: type %d serial %d principals %q valid %d..%d options %v\n",
			cert.CertType, cert.Serial, cert.ValidPrincipals, cert.ValidAfter, cert.ValidBefore, cert.CriticalOptions)
	}
	fmt.Fprintf(&out, "predicted: allowed %v %s:%d (%s)\n", v.Allowed, v.File, v.Line, v.Reason)
	for _, candidate := range v.Candidates {
		fmt.Fprintf(&out, "  %s:%d %s allowed %v (%s)\n", candidate.File, candidate.Line, candidate.Fingerprint, candidate.Allowed, candidate.Reason)
	}
	fmt.Fprintf(&out, "sshd's log:\n  %s\n", strings.Join(got.log, "\n  "))
	fmt.Fprintf(&out, "sshd_config:\n  %s\n", strings.Join(g.config, "\n  "))
	for _, a := range g.accounts {
		if a.Name == c.user {
			fmt.Fprintf(&out, "account: %+v\n", a)
			g.reportFiles(&out, a.Name, homeOf(a))
		}
	}
	return out.String()
}

func (g *rig) reportFiles(out *strings.Builder, user, home string) {
	for _, dir := range []string{home, home + "/.ssh"} {
		fmt.Fprintf(out, "%s %s\n", dir, modeOf(g.box.Path(dir)))
	}
	for _, f := range g.files {
		if strings.HasPrefix(f.Name, home) || strings.Contains(path.Base(f.Name), user) || path.Dir(f.Name) == "/etc/ssh" || f.Name == "/etc/group" {
			fmt.Fprintf(out, "%s %s\n", f.Name, modeOf(g.box.Path(f.Name)))
			for i, line := range strings.SplitAfter(f.Text, "\n") {
				fmt.Fprintf(out, "  %d %s\n", i+1, shorten(fmt.Sprintf("%q", line)))
			}
		}
	}
	for _, c := range g.after {
		fmt.Fprintf(out, "changed: %s %o uid %d -> %q\n", c.path, c.mode, c.uid, c.link)
	}
	if g.revoke != "" {
		fmt.Fprintf(out, "KRL of: %q\n", g.revoke)
	}
}

func modeOf(name string) string {
	info, err := os.Lstat(name)
	if err != nil {
		return err.Error()
	}
	uid := uint32(0)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		uid = stat.Uid
	}
	return fmt.Sprintf("%v uid %d", info.Mode(), uid)
}

// shorten leaves out the middle of 9,000-byte comments.
func shorten(s string) string {
	if len(s) > 2500 {
		return s[:1200] + " ... " + s[len(s)-100:]
	}
	return s
}
