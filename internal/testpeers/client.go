package testpeers

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/crypto/ssh"
)

// Login is one connection of a client that a test knows everything about.
type Login struct {
	User string // any bytes
	From netip.Addr
	Auth []ssh.AuthMethod
	To   netip.AddrPort // zero is the box's 127.0.0.1:22
}

// Attempt is what the client saw.
type Attempt struct {
	Client *ssh.Client    // nil unless the login succeeded; the caller closes it
	Local  netip.AddrPort // the source address as sshd sees it
	Err    error          // why there is no client
}

// loginTimeout bounds a connection up to the end of authentication.
const loginTimeout = 20 * time.Second

// Login connects and authenticates.
func (b *Box) Login(ctx context.Context, l Login) Attempt {
	to := l.To
	if !to.IsValid() {
		to = netip.MustParseAddrPort("127.0.0.1:22")
	}
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	conn, err := b.Dial(ctx, netip.AddrPortFrom(l.From, 0), to)
	if err != nil {
		return Attempt{Err: err}
	}
	a := Attempt{Local: conn.LocalAddr().(*net.TCPAddr).AddrPort()}
	_ = conn.SetDeadline(time.Now().Add(loginTimeout))
	sshConn, channels, requests, err := ssh.NewClientConn(conn, to.String(), &ssh.ClientConfig{
		User: l.User,
		Auth: l.Auth,
		// The box has one sshd, reachable from this process alone.
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		_ = conn.Close()
		a.Err = err
		return a
	}
	client := ssh.NewClient(sshConn, channels, requests)
	// The unprivileged half of sshd can say success and the privileged half still refuse: 9.2 does so for root under
	// PermitRootLogin forced-commands-only without a command. Only an answer from beyond that point is a login.
	if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		_ = client.Close()
		a.Err = fmt.Errorf("sshd withdrew its acceptance: %w", err)
		return a
	}
	_ = conn.SetDeadline(time.Time{})
	a.Client = client
	return a
}
