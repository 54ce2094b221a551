package datadir

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/pkg/innodb"
)

// Running says whether a server of this machine has the data folder in use: InnoDB locks the files of its system tablespace
// (os0file.cc, os_file_lock). Asking takes no lock.
func (t *Tree) Running() bool {
	for i := range t.Files {
		if f := &t.Files[i]; f.Kind == SystemFirst && !f.odd {
			return isLocked(t.abs(f.Path))
		}
	}
	return false
}

// maxAutoCnf bounds what is read of auto.cnf, which has two lines.
const maxAutoCnf = 4 << 10

// ServerUUID is what MySQL calls itself, as it writes into auto.cnf when it first starts on a folder (mysqld.cc,
// init_server_auto_options); "" where that is not there.
func (t *Tree) ServerUUID() string {
	text, err := readHead(t.abs("auto.cnf"), maxAutoCnf)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if uuid, found := strings.CutPrefix(strings.TrimSpace(line), "server-uuid="); found {
			return uuid
		}
	}
	return ""
}

func isLocked(name string) bool {
	f, err := open(name)
	if err != nil {
		return false
	}
	lock := unix.Flock_t{Type: unix.F_RDLCK}
	err = unix.FcntlFlock(uintptr(f.fd), unix.F_GETLK, &lock)
	// Closing gives up no lock but this process's own, and it has none.
	return errors.Join(err, f.Close()) == nil && lock.Type != unix.F_UNLCK
}

// unwritten says whether what is wrong is a page that a running server has in memory and did not write yet: zeros in the file.
func unwritten(s *innodb.Space, damage error) bool {
	var page *innodb.PageError
	if !errors.As(damage, &page) || page.Page == 0 {
		return false
	}
	content, err := s.Page(page.Page)
	return (err == nil || errors.Is(err, os.ErrNotExist)) && isZero(content)
}
