package systemd

import (
	"slices"

	"github.com/opsctl/opsctl/pkg/severity"
)

// Rule is one kind of finding. Its ID is stable.
type Rule struct {
	ID       string
	Severity severity.Severity
	What     string // what a unit with this fault does
	Source   string // where it is documented
}

// Rules are all rules, in the order of docs/unit-lint.md.
func Rules() []Rule {
	return slices.Concat(syntaxRules(), valueRules(), programRules(), componentRules())
}

func syntaxRules() []Rule {
	return []Rule{
		{"invalid-utf8", severity.Critical, "a line is not UTF-8: the whole unit is refused", "systemd.syntax(7), parse_line in conf-parser.c"},
		{"section-header", severity.Critical, "a section header has no closing bracket: the whole unit is refused", "systemd.syntax(7), parse_line in conf-parser.c"},
		{"line-too-long", severity.Critical, "a line with its continuations has over 1 MiB: the whole unit is refused", "systemd.syntax(7)"},
		{"not-an-assignment", severity.Medium, "a line is neither a header nor NAME=VALUE, or stands before the first section: it is ignored", "systemd.syntax(7)"},
		{"unknown-section", severity.Medium, "a section that this kind of unit does not have: everything in it is ignored", "systemd.unit(5)"},
		{"unknown-directive", severity.Medium, "a name that no systemd from 219 to 257 knows: the line is ignored", "systemd.directives(7)"},
		{"wrong-section", severity.Medium, "a directive stands in a section that does not have it: the line is ignored", "systemd.directives(7)"},
		{"directive-version", severity.Medium, "the host's systemd does not know the directive, or no longer: the line is ignored", "NEWS, systemd.directives(7)"},
		{"swallowed-line", severity.High, "a backslash at the end of a line makes the next directive a part of its value", "systemd.syntax(7)"},
		{"trailing-comment", severity.High, "a comment behind a value is part of the value: comments are lines of their own", "systemd.syntax(7)"},
		{"broken-continuation", severity.High, "a backslash that stands before blanks or a comment does not continue the line", "systemd.syntax(7)"},
		{"unbalanced-quoting", severity.High, "quotes do not end: the line is ignored, and a unit with such a command is refused", "systemd.syntax(7), QUOTING"},
		{"unknown-escape", severity.Low, "a backslash stands before a character that it does not escape, and stays", "systemd.syntax(7), QUOTING"},
	}
}

func valueRules() []Rule {
	return []Rule{
		{"user-nobody", severity.Medium, "the service runs as nobody, whose files and processes belong to every such service; systemd warns", "systemd.exec(5), User="},
		{"secret-in-environment", severity.High, "Environment= holds a secret: every user reads it with systemctl show, whatever the unit's mode", "systemd.exec(5), Environment="},
		{"secret-in-arguments", severity.High, "the command line holds a secret: every user reads it with ps and systemctl show", "systemd.exec(5), LoadCredential="},
		{"environment-word", severity.Medium, "a word of Environment= is no NAME=VALUE, and is ignored; values with blanks want quotes around all", "systemd.exec(5), Environment="},
		{"percent-unescaped", severity.Medium, "a percent sign that is no specifier, or is one by accident: %% is a literal one", "systemd.unit(5), SPECIFIERS"},
		{"dollar-expansion", severity.Medium, "${NAME} is replaced by systemd, in single quotes too, and nothing in the unit sets NAME: it becomes empty", "systemd.service(5), COMMAND LINES"},
	}
}

func programRules() []Rule {
	return []Rule{
		{"exec-not-absolute", severity.High, "the program is a relative path, or a bare name on systemd 238 or older: the unit is refused", "systemd.service(5), NEWS of 239"},
		{"missing-binary", severity.High, "the program is not there or not executable: the start fails, with Type=simple after systemctl said that it worked", "systemd.service(5), Type="},
		{"symlink-to-archive", severity.High, "the path leads through a link to an archive, not to what was unpacked from it", "path_resolution(7)"},
		{"link-inside-folder", severity.High, "the program is behind a link that ln put into a folder of its name instead of in its place", "ln(1), -T"},
		{"other-component-folder", severity.Medium, "the program lies in the folder of another component, which its upgrade or removal takes away", ""},
		{"shell-syntax", severity.Medium, "pipes, redirections and && are arguments: systemd starts programs without a shell", "systemd.service(5), COMMAND LINES"},
		{"daemon-reload-race", severity.Medium, "daemon-reload runs beside the restart that is to follow it, which takes the old unit at times", "systemctl(1)"},
		{"type-simple", severity.Info, "a start is done before the program is there: systemctl start succeeds for a program that is missing", "systemd.service(5), Type="},
		{"restart-forever", severity.Info, "restarts are too slow for StartLimitBurst= within StartLimitIntervalSec=, so that a broken start is tried for ever", "systemd.unit(5), StartLimitIntervalSec="},
		{"exposure", severity.Info, "what systemd-analyze security gives the unit", "systemd-analyze(1), security"},
	}
}

func componentRules() []Rule {
	return []Rule{
		{"protect-clock", severity.Medium, "node_exporter under ProtectClock=yes has no node_timex metrics: 17 families", "systemd.exec(5), ProtectClock="},
		{"address-families", severity.Medium, "node_exporter without AF_NETLINK has no arp and netdev metrics", "systemd.exec(5), RestrictAddressFamilies="},
		{"protect-home", severity.Low, "node_exporter under ProtectHome=yes does not see the size of file systems below /home", "systemd.exec(5), ProtectHome="},
		{"private-tmp", severity.Low, "node_exporter with a private /tmp does not see what is mounted there; DynamicUser= brings one", "systemd.exec(5), PrivateTmp="},
		{"process-visibility", severity.Medium, "process-exporter does not see other users' processes", "systemd.exec(5), ProtectProc="},
		{"data-source-name", severity.High, "mysqld_exporter from 0.15 on ignores DATA_SOURCE_NAME and does not start without a my.cnf", "mysqld_exporter's CHANGELOG, 0.15.0"},
		{"consoles", severity.Low, "Prometheus 3 comes without the folders of consoles that the command line names", "Prometheus' CHANGELOG, 3.0.0"},
		{"lifecycle", severity.High, "whoever reaches Prometheus can reload and stop it: the lifecycle API belongs on loopback", "Prometheus, Management API"},
		{"reload-unchecked", severity.Info, "systemctl reload succeeds with a configuration that Prometheus refuses", "systemd.service(5), ExecReload="},
		{"unversioned-binary", severity.Info, "the program lies in no folder of its version: an upgrade writes over what runs (ETXTBSY) and leaves no way back", "execve(2)"},
		{"no-restart", severity.Info, "nothing starts the service again after a crash", "systemd.service(5), Restart="},
	}
}

func severityOf(id string) severity.Severity {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return severity.Critical // a test holds every id to the table
	}
	return rules[i].Severity
}
