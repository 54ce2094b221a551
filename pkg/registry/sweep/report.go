package sweep

import (
	"time"

	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// Amount is how much of a store is meant. Manifests are counted once a repository, by their links, and blobs once a store: a
// manifest's blob is one of them.
type Amount struct {
	Manifests int   `json:"manifests"`
	Blobs     int   `json:"blobs"`
	Bytes     int64 `json:"bytes"`
}

// Row is what a collection does to one repository.
type Row struct {
	Name string `json:"name"`
	// Tags and Manifests are those that stay.
	Tags      int `json:"tags"`
	Manifests int `json:"manifests"`
	// Dead links go to the quarantine: of manifests, of layers and configurations, fallback tags, uploads given up.
	DeadManifests int `json:"deadManifests"`
	DeadLayers    int `json:"deadLayers"`
	DeadTags      int `json:"deadTags"`
	StaleUploads  int `json:"staleUploads"`
	// Removed: nothing of the repository is left.
	Removed bool `json:"removed"`
	// Why the repository is left alone: "damaged", "busy" for an upload under way, "" when it is not.
	Left string `json:"left,omitempty"`
}

// Quiet reports whether nothing of the repository goes.
func (r *Row) Quiet() bool {
	return r.DeadManifests+r.DeadLayers+r.DeadTags+r.StaleUploads == 0 && !r.Removed && r.Left == ""
}

// Report is what a collection found and did; of a plan, what it would do.
type Report struct {
	DeleteUntagged bool `json:"deleteUntagged"`
	// Kept stays in the store. Of blobs it counts those that are in use, without bytes, which nobody has asked the disk for.
	Kept Amount `json:"kept"`
	// Quarantined was put away by this run: off the registry, still on the disk.
	Quarantined Amount `json:"quarantined"`
	// Waiting are blobs that nothing needs and whose links have been away for less than the grace; WaitingUntil is when the
	// last of them may go.
	Waiting      Amount     `json:"waiting"`
	WaitingUntil *time.Time `json:"waitingUntil,omitempty"`
	// Cached are blobs that nothing needs, and that a running registry may still believe to have until it is restarted.
	Cached Amount `json:"cached"`
	// Restored came back since something refers to it again.
	Restored Amount `json:"restored"`
	// Freed left the disk: quarantined by earlier runs, longer ago than asked for.
	Freed Amount `json:"freed"`
	// Held is what lies in quarantine at the end, of all runs; HeldUntil is when the first of it may leave the disk.
	Held      Amount     `json:"held"`
	HeldUntil *time.Time `json:"heldUntil,omitempty"`
	// Untagged is what deleting untagged manifests would add; nil where they are deleted, or the run was no plan.
	Untagged *Amount `json:"untagged,omitempty"`

	Repositories []Row             `json:"repositories"` // by name, those to which something happens
	Problems     []*layout.Problem `json:"problems"`
	// Incomplete: not all of the store could be read, so no blob went.
	Incomplete bool `json:"incomplete"`
	// Unpurged: what was old enough to be deleted stayed, for what could not be read may refer to it.
	Unpurged bool `json:"unpurged"`
	// Unsettled: the registry went on changing for so long that the run stopped watching.
	Unsettled bool `json:"unsettled"`
	// UndoID takes the run back; "" when it put nothing away.
	UndoID string `json:"undoId,omitempty"`
	// Seconds by phase, in the order in which they came.
	Seconds []Phase `json:"seconds"`
}

// Phase is how long a part of the run took.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}
