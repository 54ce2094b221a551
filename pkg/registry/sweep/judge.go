package sweep

import (
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// StaleUpload is the age at which an upload has been given up: what the registry's own purging takes (configuration,
// storage.maintenance.uploadpurging.age).
const StaleUpload = 168 * time.Hour

// Why a repository is left alone.
const (
	leftDamaged = "damaged"
	leftBusy    = "busy"
)

// verdict is what of one repository nothing needs.
type verdict struct {
	row   Row
	parts []part
	// layers are the digests among the parts that a running registry may have in its cache.
	layers []digest.Digest
	// fenced are the digests among the parts, of layers and manifests.
	fenced []digest.Digest
	// needed are blobs that have to stay for this repository's sake: what its roots reach, and what it links.
	needed []digest.Digest
	// extra are the manifests that deleting untagged ones would add.
	extra    int
	tagged   []digest.Digest // needed without them; nil unless asked for
	problems []*layout.Problem
	// unsure: links could not be listed.
	unsure bool
	// warm: something came to the repository a moment ago.
	warm bool
}

// part is entries of one folder.
type part struct {
	dir   string
	names []string
}

// judge finds what of a repository can go. Cutoff is the time since which nothing is touched.
type judge struct {
	store  *layout.Store
	roots  mark.Roots
	cutoff time.Time
	// aged: only what is older than the cutoff goes; else the times are not looked at.
	aged bool
	now  time.Time
	// compare also finds what deleting untagged manifests would add.
	compare bool
}

func (j *judge) repository(g *mark.Graph) *verdict {
	v := &verdict{row: Row{Name: g.Name}, problems: g.Problems}
	stale, idle := j.uploads(g, v)
	if g.Damaged {
		v.row.Left = leftDamaged
	}
	roots := j.roots
	if v.row.Left != "" {
		roots = mark.Roots{}
	}
	live := g.Live(roots)
	for d := range live.Digests {
		v.needed = append(v.needed, d)
	}
	tags := j.tags(g, live, v)
	kept := idle + v.row.Tags
	v.row.Manifests, v.row.DeadManifests = j.links(layout.RevisionsDir(g.Name), live, v, nil)
	layers, dead := j.links(layout.LayersDir(g.Name), live, v, &v.layers)
	v.row.DeadLayers = dead
	kept += v.row.Manifests + layers
	if v.row.Left != "" || v.unsure {
		v.parts, v.layers, v.fenced = nil, nil, nil
		v.row.DeadManifests, v.row.DeadLayers = 0, 0
		return v
	}
	v.row.DeadTags, v.row.StaleUploads = len(tags), len(stale)
	switch {
	case kept > 0:
		v.add(layout.TagsDir(g.Name), tags)
		v.add(layout.UploadsDir(g.Name), stale)
	case j.old(g.Name, v):
		v.row.Removed = true
		v.parts = []part{{layout.RepositoryDir(g.Name), []string{"_manifests", "_layers", "_uploads"}}}
	}
	if j.compare {
		j.untagged(g, v)
	}
	return v
}

func (v *verdict) add(dir string, names []string) {
	if len(names) > 0 {
		v.parts = append(v.parts, part{dir, names})
	}
}

// uploads tells the uploads that were given up from those that may go on. One to which something has come since the cutoff
// makes the repository busy: its links are those of an image that is being pushed.
func (j *judge) uploads(g *mark.Graph, v *verdict) (stale []string, idle int) {
	for upload, trouble := range j.store.Uploads(g.Name) {
		if trouble != nil && upload.ID == "" {
			if !errors.Is(trouble, layout.ErrStray) {
				v.problems = append(v.problems, trouble)
				v.row.Left = leftDamaged
			}
			continue
		}
		last := upload.Started
		if upload.Modified.After(last) {
			last = upload.Modified
		}
		switch {
		case last.IsZero() || j.aged && !last.Before(j.cutoff):
			v.row.Left = leftBusy
		case j.now.Sub(last) > StaleUpload:
			stale = append(stale, upload.ID)
		default:
			idle++
		}
	}
	return stale, idle
}

// tags are the fallback tags whose subject is gone.
func (j *judge) tags(g *mark.Graph, live *mark.Reach, v *verdict) (dead []string) {
	for _, tag := range g.Tags {
		if g.Weak(tag) && !live.Has(tag.Digest) {
			dead = append(dead, tag.Name)
			continue
		}
		v.row.Tags++
	}
	return dead
}

// links sorts a repository's links of one kind into those that stay, which their blobs have to as well, and parts.
func (j *judge) links(dir string, live *mark.Reach, v *verdict, dead *[]digest.Digest) (stay, gone int) {
	parts := map[string][]string{}
	for d, trouble := range j.store.LinkFolders(dir) {
		if trouble != nil {
			if !errors.Is(trouble, layout.ErrStray) {
				v.problems = append(v.problems, trouble)
				v.unsure = true
			}
			continue
		}
		if v.row.Left != "" || live.Has(d) || j.young(dir, d, v) {
			stay++
			v.needed = append(v.needed, d)
			continue
		}
		gone++
		parts[d.Algorithm()] = append(parts[d.Algorithm()], d.Hex())
		v.fenced = append(v.fenced, d)
		if dead != nil {
			*dead = append(*dead, d)
		}
	}
	for algorithm, names := range parts {
		v.add(path.Join(dir, algorithm), names)
	}
	return stay, gone
}

// young reports whether a link was written since the cutoff, or cannot be told from such.
func (j *judge) young(dir string, d digest.Digest, v *verdict) bool {
	if !j.aged {
		return false
	}
	at, trouble := j.store.LinkTime(dir, d)
	if trouble != nil {
		if !errors.Is(trouble, fs.ErrNotExist) {
			v.problems = append(v.problems, trouble)
		}
		return true
	}
	return !at.Before(j.cutoff)
}

// old reports whether a repository of which nothing stays may go as a whole: an empty one could be new.
func (j *judge) old(repository string, v *verdict) bool {
	if !j.aged {
		return true
	}
	for _, dir := range []string{layout.UploadsDir(repository), layout.LayersDir(repository), layout.TagsDir(repository)} {
		if at, err := j.store.Modified(dir); err == nil && !at.Before(j.cutoff) && len(v.parts) == 0 {
			return false
		}
	}
	return true
}

// untagged finds what deleting untagged manifests would add.
func (j *judge) untagged(g *mark.Graph, v *verdict) {
	roots := j.roots
	roots.DeleteUntagged = true
	live := g.Live(roots)
	v.tagged = []digest.Digest{}
	for d := range live.Digests {
		v.tagged = append(v.tagged, d)
	}
	for d := range g.Revisions {
		if !live.Has(d) {
			v.extra++
		}
	}
}
