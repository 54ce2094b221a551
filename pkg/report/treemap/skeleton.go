package treemap

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/opsctl/opsctl/templates"
)

// skeleton is the embedded page: HTML with marks <!--name-->, the text between <style> tags and that between <script> tags.
type skeleton struct {
	page, style, script string
}

func load() (*skeleton, error) {
	var s skeleton
	for name, to := range map[string]*string{"treemap.html": &s.page, "treemap.css": &s.style, "treemap.js": &s.script} {
		text, err := templates.Treemap.ReadFile("reports/" + name)
		if err != nil {
			return nil, fmt.Errorf("loading the page: %w", err)
		}
		*to = string(text)
	}
	return &s, nil
}

// policy forbids everything but the page's own style and script, by what they hash to (CSP 3, section 2.3.1): a script that
// came in with a name would not run, and nothing could be fetched or sent.
func (s *skeleton) policy() string {
	return fmt.Sprintf(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'">`,
		hash(s.script), hash(s.style))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// splice writes the page with each mark replaced. What is put in is not looked at again: a name that reads like a mark is
// text. A mark without text, and text without a mark, are errors.
func (s *skeleton) splice(w io.Writer, texts map[string]string) error {
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
		if !closed || !known {
			return fmt.Errorf("the page has a mark %q that nothing stands for", name)
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		rest = tail
		used++
	}
	if used != len(texts) {
		return fmt.Errorf("the page has %d marks for %d texts", used, len(texts))
	}
	return nil
}
