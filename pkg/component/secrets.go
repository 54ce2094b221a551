package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/opsctl/opsctl/pkg/plan"
)

// laySecret writes a secret with mode 0600 where it differs. Neither the plan nor a message shows what it holds.
func (in *Installer) laySecret(p *plan.Plan, t *target, name string) (changed bool, err error) {
	file := t.c.secretFile(name)
	was, err := in.look(file)
	if err != nil {
		return false, err
	}
	text, given := t.o.Secrets[name]
	if !given {
		if was.Absent {
			return false, fmt.Errorf("%s: secret %s %w: %s is gone", t.c.Name, name, ErrSecretMissing, in.Host.Path(file))
		}
		text = was.Text
	}
	reader, detail := owner{}, "mode 0600, for root; systemd hands it to the service"
	account := ""
	if t.c.serviceOf(t.want).CredentialFiles(in.Systemd) {
		account = t.c.account(t.want)
		detail = "mode 0600, for user " + account
		if reader, _, err = in.findAccount(account); err != nil {
			return false, err
		}
	}
	after := &formerFile{Path: file, Text: text, Mode: 0o600, Owner: reader}
	if account != "" && reader == (owner{}) {
		reader.UID = -1 // the account is to be made yet
	}
	if was.sameText(text) && was.Mode == after.Mode && was.Owner == reader {
		return false, nil
	}
	s := in.change(was, after)
	s.Detail = detail
	write := s.Do
	s.Do = func(ctx context.Context) error {
		if account != "" {
			to, found, err := in.findAccount(account)
			if err != nil || !found {
				return errors.Join(err, fmt.Errorf("account %s: %w", account, fs.ErrNotExist))
			}
			after.Owner = to
			was.Left = after.state()
		}
		return write(ctx)
	}
	p.Add(s)
	return true, nil
}
