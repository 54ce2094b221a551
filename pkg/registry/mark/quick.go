package mark

// quick reads the manifests that registries hold without reflection. It takes down a document only when encoding/json
// would read the same from it: plain strings where strings belong, no name twice, none that is the same but for its case, no
// null among what matters, nothing nested deep. Anything else, and whatever is no JSON at all, is left to encoding/json.
func quick(data []byte) (doc document, ok bool) {
	q := scanner{data: data}
	q.space()
	ok = q.object(func(name []byte) bool { return q.field(&doc, name) }) && q.end()
	return doc, ok
}

// field reads a value of the top level.
func (q *scanner) field(doc *document, name []byte) bool {
	switch string(name) {
	case "mediaType":
		return q.once(seenMediaType) && q.text(&doc.MediaType)
	case "config":
		doc.Config = &descriptor{}
		return q.once(seenConfig) && q.descriptor(doc.Config)
	case "subject":
		doc.Subject = &descriptor{}
		return q.once(seenSubject) && q.descriptor(doc.Subject)
	case "layers":
		return q.once(seenLayers) && q.descriptors(&doc.Layers)
	case "blobs":
		return q.once(seenBlobs) && q.descriptors(&doc.Blobs)
	case "manifests":
		return q.once(seenManifests) && q.descriptors(&doc.Manifests)
	case "schemaVersion":
		return q.once(seenVersion) && q.digit(&doc.SchemaVersion)
	case "annotations", "artifactType":
		return q.skip()
	}
	// Names are matched whatever their case, and fsLayers are rare.
	return !folds(name, "mediaType", "config", "subject", "layers", "blobs", "manifests", "schemaVersion", "fsLayers") && q.skip()
}

// The fields that may come once: of two encoding/json makes one.
const (
	seenMediaType = 1 << iota
	seenConfig
	seenSubject
	seenLayers
	seenBlobs
	seenManifests
	seenVersion
)

func (q *scanner) descriptors(to *[]descriptor) bool {
	*to = []descriptor{}
	return q.array(func() bool {
		*to = append(*to, descriptor{})
		return q.descriptor(&(*to)[len(*to)-1])
	})
}

func (q *scanner) descriptor(d *descriptor) bool {
	var digest, mediaType bool
	return q.object(func(name []byte) bool {
		switch string(name) {
		case "digest":
			first := !digest
			digest = true
			return first && q.text(&d.Digest)
		case "mediaType":
			first := !mediaType
			mediaType = true
			return first && q.text(&d.MediaType)
		case "size", "platform", "annotations":
			return q.skip()
		}
		return !folds(name, "digest", "mediaType") && q.skip()
	})
}
