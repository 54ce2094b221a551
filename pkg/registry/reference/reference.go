// Package reference reads the names that people give to what a registry holds: [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], by
// the grammar of github.com/distribution/reference. It adds nothing to a name: docker's own registry is none that was left out.
package reference

import (
	"errors"
	"fmt"
	"strings"

	distribution "github.com/distribution/reference"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// ErrSyntax is wrapped by every error of this package.
var ErrSyntax = errors.New("not a reference")

// Reference is what a name says. What it does not say is "" or zero.
type Reference struct {
	Host, Repository, Tag string
	Digest                digest.Digest
}

// Parse reads a reference. The first part is a host when it holds a dot or a colon, or is localhost, as docker has it.
func Parse(s string) (Reference, error) {
	first, more, ok := strings.Cut(s, "/")
	if !ok || !strings.ContainsAny(first, ".:") && first != "localhost" {
		return Within(s)
	}
	ref, err := parse(first, more)
	if err != nil {
		return Reference{}, fmt.Errorf("%.200q: %w: %w", s, ErrSyntax, err)
	}
	return ref, nil
}

// Within reads what is named within a registry: a reference without a host.
func Within(s string) (Reference, error) {
	ref, err := parse("", s)
	if err != nil {
		return Reference{}, fmt.Errorf("%.200q: %w: %w", s, ErrSyntax, err)
	}
	return ref, nil
}

func parse(host, s string) (Reference, error) {
	ref := Reference{Host: host}
	rest, spelled, hasDigest := strings.Cut(s, "@")
	if hasDigest {
		var err error
		if ref.Digest, err = digest.Parse(spelled); err != nil {
			return ref, err
		}
	}
	var hasTag bool
	ref.Repository, ref.Tag, hasTag = strings.Cut(rest, ":")
	if host == "" {
		host = "localhost" // the grammar is that of names with a host; which one does not matter to it
	}
	named, err := distribution.WithName(host + "/" + ref.Repository)
	if err != nil {
		return ref, fmt.Errorf("the repository's name: %w", err)
	}
	if hasTag {
		if _, err := distribution.WithTag(named, ref.Tag); err != nil {
			return ref, fmt.Errorf("the tag: %w", err)
		}
	}
	return ref, nil
}

// String writes the reference as [Parse] reads it.
func (r Reference) String() string {
	var b strings.Builder
	if r.Host != "" {
		b.WriteString(r.Host + "/")
	}
	b.WriteString(r.Repository)
	if r.Tag != "" {
		b.WriteString(":" + r.Tag)
	}
	if !r.Digest.IsZero() {
		b.WriteString("@" + r.Digest.String())
	}
	return b.String()
}

// Object is the part behind the host: what is named within a registry.
func (r Reference) Object() string {
	r.Host = ""
	return r.String()
}
