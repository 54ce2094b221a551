package mysqlspace

import (
	"fmt"
	"os"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// identify refuses files that are not those of the server that was asked, as far as that can be told: replicas have tables of the same
// names in tablespaces of the same ids. A limit says where it cannot.
func (o *Options) identify(tree *datadir.Tree, report *space.Report) error {
	v := o.Snapshot.Variables
	if in, asked := tree.ServerUUID(), v["server_uuid"]; in != "" && asked != "" {
		if !strings.EqualFold(in, asked) {
			return fmt.Errorf("%s is of the server %s, and %s answers: %w", tree.Root, in, asked, ErrOtherServer)
		}
		return nil
	}
	host, err := os.Hostname()
	here := err == nil && strings.EqualFold(v["hostname"], host)
	switch own := sameFolder(v["datadir"], tree.Root); {
	case here && own:
		return nil
	case here && tree.Running():
		return fmt.Errorf("another server has %s in use, the one that answers has %s: %w", tree.Root, v["datadir"], ErrOtherServer)
	}
	report.Limits = append(report.Limits, space.Limit{
		What: "whether the files are those of the server that answers: names and tablespaces agree, as they do with a replica's",
		Help: "name a server of the same host and its own data folder, or one of the two alone",
	})
	return nil
}

// sameFolder tells whether two names are of one folder here.
func sameFolder(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
