package registrycmd

import (
	"io/fs"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/inspect"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/policy"
	"github.com/opsctl/opsctl/pkg/registry/remote"
	"github.com/opsctl/opsctl/pkg/registry/remove"
	"github.com/opsctl/opsctl/pkg/registry/usage"
)

type explanation struct {
	is   error
	code cli.Code
	id   string
	hint string
}

// explanations say what to do about the errors of the packages below.
func explanations() []explanation {
	return []explanation{
		{
			layout.ErrNotRegistry, cli.CodeFailed, "registry.root",
			"give the rootdirectory of the registry's configuration; before the first push there is nothing in it",
		},
		{
			quarantine.ErrFileSystem, cli.CodeFailed, "registry.filesystem",
			"blobs and repositories have to lie on the file system of docker/registry/v2 itself",
		},
		{quarantine.ErrNoSet, cli.CodeFailed, "registry.run", "what can be taken back lies in opsctl-quarantine, in docker/registry/v2"},
		{usage.ErrNoRepository, cli.CodeFailed, "registry.repository", "opsctl registry ls lists the repositories"},
		{usage.ErrNoBlob, cli.CodeFailed, "registry.blob", "over the API only what tags lead to can be seen; --root sees everything"},
		{policy.ErrRules, cli.CodeUsage, "usage", "opsctl registry rm --help says how tags are chosen"},
		{remove.ErrNoTag, cli.CodeFailed, "registry.tag", "opsctl registry ls REPO lists the tags"},
		{remove.ErrNoRepo, cli.CodeFailed, "registry.repository", "opsctl registry ls lists the repositories"},
		{
			remote.ErrNoDelete, cli.CodeFailed, "registry.delete",
			"set storage.delete.enabled: true in its configuration (REGISTRY_STORAGE_DELETE_ENABLED=true) and restart it",
		},
		{remote.ErrChanged, cli.CodeFailed, "registry.changed", "look at what it names now, and run this again"},
		{inspect.ErrNoImage, cli.CodeFailed, "registry.image", "opsctl registry ls REPO lists the tags"},
		{remote.ErrName, cli.CodeUsage, "usage", "--registry takes HOST or HOST:PORT, such as 127.0.0.1:5000"},
		{
			remote.ErrPlainHTTP, cli.CodeFailed, "registry.http",
			"let it speak https (http: tls: in its configuration, or a proxy), or run this on its host against 127.0.0.1",
		},
		{remote.ErrCertificate, cli.CodeFailed, "registry.certificate", "--ca-file FILE names the authority that signed it"},
		{fs.ErrPermission, cli.CodeDenied, "registry.denied", "run it as root, or as the user as whom the registry runs"},
		{remote.ErrDenied, cli.CodeDenied, "registry.denied", "docker login HOST[:PORT] keeps the credentials that are used"},
	}
}
