// Package onepage puts pages together that are one file each: HTML with marks, one style and one script. Such a page loads
// nothing: its Content-Security-Policy permits its own style and script, by their hashes, and nothing else.
package onepage

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"io/fs"
	"strings"

	"github.com/opsctl/opsctl/pkg/inert"
)

// Text is foreign text as HTML: escaped, with control and direction characters replaced.
func Text(s string) string { return html.EscapeString(inert.String(s)) }

// Skeleton is HTML with marks <!--name-->, the text between <style> tags and that between <script> tags.
type Skeleton struct {
	page, style, script string
}

// Load reads name.html, name.css and name.js from the folder reports. The script may be cut into several: those named by before
// come before name.js.
func Load(from fs.FS, name string, before ...string) (*Skeleton, error) {
	var s Skeleton
	for end, to := range map[string]*string{".html": &s.page, ".css": &s.style, ".js": &s.script} {
		text, err := fs.ReadFile(from, "reports/"+name+end)
		if err != nil {
			return nil, fmt.Errorf("loading the page: %w", err)
		}
		*to = string(text)
	}
	var scripts strings.Builder
	for _, part := range before {
		text, err := fs.ReadFile(from, "reports/"+part+".js")
		if err != nil {
			return nil, fmt.Errorf("loading the page: %w", err)
		}
		scripts.Write(text)
	}
	s.script = scripts.String() + s.script
	return &s, nil
}

// Write writes the page with each mark replaced: policy, style and script by the skeleton's own, the others by texts, which are
// HTML already. What is put in is not looked at again: a name that reads like a mark is text. A mark without text, and text
// without a mark, are errors.
func (s *Skeleton) Write(w io.Writer, texts map[string]string) error {
	own := map[string]string{"policy": s.policy(), "style": s.style, "script": s.script}
	rest, used := s.page, 0
	for {
		before, after, found := strings.Cut(rest, "<!--")
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "-->")
		text, known := texts[name]
		if known {
			used++
		} else {
			text, known = own[name]
		}
		if !closed || !known {
			return fmt.Errorf("the page has a mark %q that nothing stands for", name)
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		rest = tail
	}
	if used != len(texts) {
		return fmt.Errorf("the page has %d marks for %d texts", used, len(texts))
	}
	return nil
}

// policy forbids everything but the page's own style and script, by what they hash to (CSP 3, section 2.3.1): a script that
// came in with a name would not run, and nothing could be fetched or sent.
func (s *Skeleton) policy() string {
	return fmt.Sprintf(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'">`,
		hash(s.script), hash(s.style))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
