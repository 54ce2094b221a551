package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
)

const (
	backup     = "198.51.100.30"
	contractor = "198.51.100.91"
	cafe       = "203.0.113.25"
)

// formerKeyFiles are those key files that looked different in summer: an intern's key that is gone, and root's team key
// before it was bound to the office.
func (w *world) formerKeyFiles() []testpeers.File {
	var former []testpeers.File
	for _, f := range w.keyFiles() {
		switch f.Name {
		case "/home/deploy/.ssh/authorized_keys":
			f.Text += w.line("intern@laptop") + "\n"
		case "/root/.ssh/authorized_keys":
			f.Text = strings.ReplaceAll(f.Text, `from="198.51.100.0/24" `, "")
		}
		former = append(former, f)
	}
	return former
}

// weekly repeats a moment every seven days.
func weekly(first string, times int, do func() error) []moment {
	t, err := time.Parse(time.DateTime, first)
	if err != nil {
		panic(err)
	}
	var all []moment
	for i := range times {
		// Nobody and no cron job is punctual to the second.
		at := t.AddDate(0, 0, 7*i).Add(time.Duration(i*i*37%240) * time.Second)
		all = append(all, moment{at.Format(time.DateTime), do})
	}
	return all
}

func (s *stage) summer() []moment {
	moments := []moment{
		{"2026-08-12 08:31:07", s.ssh("alice", laptop, "alice@laptop", "uptime || true")},
		{"2026-08-12 09:02:40", func() error { return s.actor.in("alice", laptop, sftp, offer(s.w.keys["alice@laptop"])) }},
		{"2026-08-14 07:55:13", s.ssh("alice", office, "alice@old-desktop")},
		{"2026-08-17 10:11:59", s.ssh("root", office, "root@rescue")},
		{"2026-08-19 16:20:03", s.ssh("root", cafe, "shared@team")},
		{"2026-08-20 13:37:21", s.ssh("deploy", contractor, "old@contractor")},
		{"2026-08-27 11:45:00", s.ssh("deploy", office, "intern@laptop")},
		{"2026-09-02 11:12:48", s.ssh("deploy", office, "intern@laptop")},
		{"2026-09-03 02:10:11", func() error { return s.actor.scan("", time.Millisecond) }},
		{"2026-09-03 02:10:12", func() error { return s.actor.scan("GET / HTTP/1.1\r\n\r\n", 200*time.Millisecond) }},
		{"2026-09-08 14:03:30", s.ssh("bob", office, "bob@workstation")},
	}
	moments = append(moments, weekly("2026-08-10 03:00:02", 6, s.ssh("deploy", backup, "legacy@backup"))...)
	moments = append(moments, weekly("2026-08-11 08:58:30", 6, s.ssh("bob", office, "bob@office"))...)
	moments = append(moments, weekly("2026-08-13 17:30:00", 6, s.ssh("deploy", ciRunner, "deploy@jenkins"))...)
	moments = append(moments, weekly("2026-08-15 06:25:01", 6, s.other("CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"))...)
	return append(moments, s.guesses("2026-08-30 22:14:05", botnet, "admin", "test", "ubuntu", "pi")...)
}

func (s *stage) autumn() []moment {
	moments := []moment{
		{"2026-09-23 08:40:44", s.ssh("alice", laptop, "alice@laptop")},
		{"2026-10-01 12:00:31", func() error { return s.actor.in("alice", cafe, nil, offer(s.w.keys["alice@phone"])) }},
		{"2026-10-05 09:15:27", func() error {
			return errors.Join(s.certificate("alice@cert", "alice@corp", 42, "alice"), s.ssh("alice", office, "alice@cert")())
		}},
		{"2026-10-12 18:22:06", func() error { return s.actor.in("alice", office, nil, passwords("wrong", "correct horse")) }},
		{"2026-10-15 08:05:12", func() error { return s.actor.out("carol", office, offer(s.w.keys["carol@desk"])) }},
		{"2026-10-15 08:05:31", func() error { return s.actor.out("carol", office, offer(s.w.keys["carol@desk"])) }},
		{"2026-10-20 15:44:09", func() error { return s.actor.in("alice", laptop6, nil, offer(s.w.keys["alice@yubikey"])) }},
		{"2026-10-25 01:30:00", func() error {
			return s.actor.out("u from 5.5.5.5 port 2 ssh2: RSA SHA256:x", botnet, passwords("x"))
		}},
	}
	moments = append(moments, weekly("2026-09-21 03:00:02", 6, s.ssh("deploy", backup, "legacy@backup"))...)
	moments = append(moments, weekly("2026-09-22 08:57:10", 6, s.ssh("bob", office, "bob@office"))...)
	moments = append(moments, weekly("2026-09-24 17:30:00", 6, s.ssh("deploy", ciRunner, "deploy@jenkins"))...)
	return append(moments, s.guesses("2026-10-18 05:31:40", botnet, "oracle", "git", "root", "postgres", "root")...)
}

func (s *stage) november() []moment {
	alice := func(auth string) func() error {
		return func() error { return s.actor.out("alice", attacker, passwords(auth)) }
	}
	moments := []moment{
		{"2026-11-02 08:12:19", s.ssh("alice", laptop, "alice@laptop")},
		{"2026-11-03 14:26:58", s.ssh("deploy", office, "deploy@ansible")},
		{"2026-11-06 10:09:42", func() error {
			return errors.Join(s.certificate("alice@cert", "alice@corp", 57, "alice"), s.ssh("alice", office, "alice@cert")())
		}},
		{"2026-11-09 21:17:33", func() error { return s.actor.out("bob", laptop, offer(s.w.keys["bob@office"])) }},
		{"2026-11-10 09:30:00", s.ssh("root", office, "shared@team")},
		{"2026-11-11 16:05:50", s.ssh("deploy", office, "shared@team")},
		{"2026-11-12 11:00:05", func() error { return s.actor.out("bob", office, offer(s.w.keys["bob@expired"])) }},
		{"2026-11-12 11:03:05", func() error { return s.actor.out("bob", office, offer(s.w.keys["ops@revoked"])) }},
		{"2026-11-13 23:59:58", alice("summer2026")},
		{"2026-11-14 03:20:47", func() error { return s.actor.in("bob", attacker, command("id || true"), passwords("123456")) }},
		{"2026-11-14 03:24:15", func() error { return s.actor.in("bob", attacker, sftp, passwords("123456")) }},
		{"2026-11-17 08:51:02", s.ssh("alice", laptop, "alice@laptop", "systemctl status nginx || true")},
		{"2026-11-18 13:13:13", func() error { return s.actor.in("alice", laptop, sftp, offer(s.w.keys["alice@laptop"])) }},
		{"2026-11-19 07:44:20", s.other("sudo", "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt update")},
	}
	moments = append(moments, weekly("2026-11-02 03:00:02", 3, s.ssh("deploy", backup, "legacy@backup"))...)
	moments = append(moments, weekly("2026-11-03 08:59:44", 3, s.ssh("bob", office, "bob@office"))...)
	moments = append(moments, weekly("2026-11-05 17:30:00", 3, s.ssh("deploy", ciRunner, "deploy@jenkins"))...)
	names := strings.Fields("root admin root oracle test root ubuntu git root postgres ftp root pi user root mysql guest root www root nagios bob bob bob bob bob")
	return append(moments, s.guesses("2026-11-14 03:12:01", attacker, names...)...)
}

// guesses are refused passwords, one connection every twenty seconds.
func (s *stage) guesses(first, from string, names ...string) []moment {
	t, err := time.Parse(time.DateTime, first)
	if err != nil {
		panic(err)
	}
	var all []moment
	for i, name := range names {
		at := t.Add(time.Duration(i) * 20 * time.Second)
		all = append(all, moment{at.Format(time.DateTime), func() error {
			return s.actor.out(name, from, passwords(fmt.Sprintf("guess%d", i)))
		}})
	}
	return all
}
