package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// actor plays clients against the sshd of a box.
type actor struct {
	ctx context.Context // one actor serves one call of capture
	box *testpeers.Box
	to  netip.AddrPort
}

func newActor(ctx context.Context, box *testpeers.Box) *actor {
	return &actor{ctx: ctx, box: box, to: netip.AddrPortFrom(netip.MustParseAddr(server), 22)}
}

// login connects, does then with a client that got in (nil: nothing) and disconnects.
func (a *actor) login(user, from string, then func(*ssh.Client) error, auth ...ssh.AuthMethod) error {
	to := a.to
	if addr := netip.MustParseAddr(from); addr.Is6() {
		to = netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), 22)
	}
	got := a.box.Login(a.ctx, testpeers.Login{User: user, From: netip.MustParseAddr(from), To: to, Auth: auth})
	if got.Client == nil {
		return got.Err
	}
	defer func() { _ = got.Client.Close() }()
	if then == nil {
		return nil
	}
	return then(got.Client)
}

// in plays a login that must succeed, and out one that must not.
func (a *actor) in(user, from string, then func(*ssh.Client) error, auth ...ssh.AuthMethod) error {
	if err := a.login(user, from, then, auth...); err != nil {
		return fmt.Errorf("%s from %s should get in: %w", user, from, err)
	}
	return nil
}

func (a *actor) out(user, from string, auth ...ssh.AuthMethod) error {
	if err := a.login(user, from, nil, auth...); err == nil {
		return fmt.Errorf("%q from %s should stay out", user, from)
	}
	return nil
}

func offer(keys ...*testpeers.Key) ssh.AuthMethod {
	var signers []ssh.Signer
	for _, key := range keys {
		signers = append(signers, key.Signer)
	}
	return ssh.PublicKeys(signers...)
}

// passwords tries each in turn within one connection.
func passwords(all ...string) ssh.AuthMethod {
	next := 0
	return ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
		next++
		return all[next-1], nil
	}), len(all))
}

// interactive answers every question with the next of the answers.
func interactive(all ...string) ssh.AuthMethod {
	next := 0
	return ssh.RetryableAuthMethod(ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range answers {
			answers[i] = all[min(next, len(all)-1)]
			next++
		}
		return answers, nil
	}), len(all))
}

// command runs a command to its end.
func command(line string) func(*ssh.Client) error {
	return func(client *ssh.Client) error {
		session, err := client.NewSession()
		if err != nil {
			return err
		}
		return session.Run(line)
	}
}

// shell opens a shell on a terminal and leaves it.
func shell(client *ssh.Client) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	if err := session.RequestPty("xterm", 24, 80, ssh.TerminalModes{}); err != nil {
		return err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return err
	}
	if err := session.Shell(); err != nil {
		return err
	}
	if _, err := io.WriteString(in, "exit\n"); err != nil {
		return err
	}
	return session.Wait()
}

// sftp starts the subsystem and ends it.
func sftp(client *ssh.Client) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := errors.Join(session.RequestSubsystem("sftp"), in.Close()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, out)
	return err
}

// scan connects from the scanner, sends bytes, reads what comes within wait, and closes.
func (a *actor) scan(send string, wait time.Duration) error {
	conn, err := a.box.Dial(a.ctx, netip.AddrPortFrom(netip.MustParseAddr(scanner), 0), a.to)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, send); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(wait))
	// What sshd answers and how it ends the connection does not matter: its log does.
	_, _ = io.Copy(io.Discard, conn)
	return nil
}

// oldKex offers nothing that sshd accepts.
func (a *actor) oldKex() error {
	conn, err := a.box.Dial(a.ctx, netip.AddrPortFrom(netip.MustParseAddr(scanner), 0), a.to)
	if err != nil {
		return err
	}
	config := &ssh.ClientConfig{User: "root", HostKeyCallback: ssh.InsecureIgnoreHostKey()}
	config.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1}
	_, _, _, err = ssh.NewClientConn(conn, a.to.String(), config)
	if err == nil {
		return errors.New("sshd accepted diffie-hellman-group1-sha1")
	}
	return nil
}
