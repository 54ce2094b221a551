package plancmd

import (
	"errors"
	"strings"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/systemd"
	"github.com/opsctl/opsctl/pkg/systemd/manager"
)

// Explain gives a component's error its code and the next step.
func Explain(err error) error {
	if _, typed := errors.AsType[*cli.Error](err); err == nil || typed {
		return err
	}
	for _, e := range explanations() {
		if errors.Is(err, e.is) {
			return &cli.Error{Code: e.code, ID: e.id, Err: err, Hint: e.hint}
		}
	}
	return err
}

type explanation struct {
	is   error
	code cli.Code
	id   string
	hint string
}

func explanations() []explanation {
	return []explanation{
		{manager.ErrNone, cli.CodeFailed, "install.systemd", "lay the files down in an image with --root DIR --systemd-version N"},
		{component.ErrNotInstalled, cli.CodeFailed, "component.missing", "opsctl service ls shows what is there"},
		{component.ErrNoRelease, cli.CodeFailed, "component.missing", "opsctl service ls shows what is there"},
		{component.ErrUnknown, cli.CodeUsage, "usage", ""},
		{component.ErrSetting, cli.CodeUsage, "usage", ""},
		{component.ErrVersion, cli.CodeUsage, "usage", ""},
		{component.ErrSecretMissing, cli.CodeUsage, "install.secret", "--secret NAME=FILE hands it over; - is standard input"},
		{systemd.ErrSecret, cli.CodeUsage, "install.secret", "--secret NAME=FILE hands one over where the component takes any"},
		{component.ErrForeign, cli.CodeDeclined, "install.foreign", "opsctl install COMPONENT --adopt --dry-run shows how it would be taken over"},
		{component.ErrKilled, cli.CodeDeclined, "install.killed", "opsctl service undo takes that run back, then begin anew"},
		{component.ErrFormat, cli.CodeDeclined, "install.format", "--snapshot copies the data first"},
		{component.ErrConfig, cli.CodeFailed, "install.config", "mend the configuration; what ran goes on running"},
		{component.ErrNoReload, cli.CodeUsage, "service.reload", ""},
		{component.ErrNotRunning, cli.CodeFailed, "service.down", "opsctl service status COMPONENT says how it is"},
		{component.ErrNoRun, cli.CodeFailed, "service.run", "opsctl service history lists the runs"},
		{component.ErrNotUndo, cli.CodeDeclined, "service.undo", "opsctl service history lists the runs that can be undone"},
		{component.ErrSinceRun, cli.CodeDeclined, "service.undo", "undo the later runs first, or put the file back as the run left it"},
	}
}

// Wrap breaks words into lines of at most width characters.
func Wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i > 0 && column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		case i > 0:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
