package deploy

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// options are possible ones.
func options() Options {
	return Options{
		Name: "registry", Image: "registry:2", Listen: netip.MustParseAddrPort("127.0.0.1:5000"),
		UIImage: "ui:2", UIListen: netip.MustParseAddrPort("127.0.0.1:5080"),
	}
}

func TestOptionsAreChecked(t *testing.T) {
	open := netip.MustParseAddrPort("[::]:5000")
	for name, tt := range map[string]struct {
		change func(*Options)
		want   error
	}{
		"loopback":                                 {func(*Options) {}, nil},
		"IPv6's loopback":                          {func(o *Options) { o.Listen = netip.MustParseAddrPort("[::1]:5000") }, nil},
		"all addresses":                            {func(o *Options) { o.Listen = open }, ErrExposed},
		"all addresses, users":                     {func(o *Options) { o.Listen, o.Htpasswd = open, "f" }, ErrExposed},
		"all addresses, TLS":                       {func(o *Options) { o.Listen, o.TLSCert, o.TLSKey = open, "f", "g" }, ErrExposed},
		"all addresses, both":                      {func(o *Options) { o.Listen, o.Htpasswd, o.TLSCert, o.TLSKey = open, "u", "f", "g" }, nil},
		"all addresses, on purpose":                {func(o *Options) { o.Listen, o.Insecure = open, true }, nil},
		"an interface that all reach":              {func(o *Options) { o.UI, o.UIListen = true, netip.MustParseAddrPort("192.0.2.1:80") }, ErrExposed},
		"an interface that all would reach":        {func(o *Options) { o.UIListen = netip.MustParseAddrPort("192.0.2.1:80") }, nil},
		"one port for two":                         {func(o *Options) { o.UI, o.UIListen = true, o.Listen }, ErrOptions},
		"the kernel's choice":                      {func(o *Options) { o.Listen = netip.MustParseAddrPort("127.0.0.1:0") }, ErrOptions},
		"a name of one letter":                     {func(o *Options) { o.Name = "r" }, ErrOptions},
		"a name that is a path":                    {func(o *Options) { o.Name = "../r" }, ErrOptions},
		"a volume that would be mounted elsewhere": {func(o *Options) { o.Volume = "v:/etc" }, ErrOptions},
		"a volume that is a folder":                {func(o *Options) { o.Volume = "/srv" }, ErrOptions},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			tt.change(&o)
			if err := o.Check(); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDataAreInAVolumeUnlessAFolderIsNamed(t *testing.T) {
	for dir, want := range map[string]string{"": "registry", "/srv/../srv/r": "/srv/r"} {
		o := options()
		o.Dir = dir
		if err := o.Check(); err != nil || o.data() != want {
			t.Errorf("%q: %q, %v", dir, o.data(), err)
		}
	}
}

func FuzzHtpasswd(f *testing.F) {
	// htpasswd -B of Apache 2.4, and its other kinds.
	f.Add([]byte("alice:$2y$05$4BDkqhQYiBMWBJjBLPOYHO8vxLbGNvn4vTzvPQfY5yzR5sQlbTr1W\n"))
	f.Add([]byte("# a comment\n\nbob:$apr1$dLBzGtFk$7YcZJNGCbx1eEfYWcMCvC/\n"))
	f.Add([]byte("carol:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"))
	f.Add([]byte(":$2y$\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := checkHtpasswd(text); err == nil && !strings.Contains(string(text), ":$2") {
			t.Errorf("%q has users", text)
		}
	})
}
