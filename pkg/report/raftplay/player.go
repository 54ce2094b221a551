package raftplay

import (
	"fmt"
	"io"
	"strings"

	"github.com/opsctl/opsctl/pkg/raftsim/trace"
	"github.com/opsctl/opsctl/pkg/report/onepage"
	"github.com/opsctl/opsctl/templates"
)

// textWidth is that of the timeline in the page, for those who cannot see it play.
const textWidth = 120

// WritePage writes a page that plays the run: HTML with a script of its own that loads nothing, and the run as text for where
// scripts are off.
func WritePage(w io.Writer, rec *trace.Recording) error {
	s, err := onepage.Load(templates.Raftplay, "raftplay", "raftplay-model", "raftplay-story", "raftplay-stage", "raftplay-panels")
	if err != nil {
		return err
	}
	data, err := encode(rec)
	if err != nil {
		return fmt.Errorf("encoding the recording: %w", err)
	}
	var text strings.Builder
	if err := Timeline(&text, rec, textWidth, false); err != nil {
		return err
	}
	title := fmt.Sprintf("A Raft cluster of %s, seed %d", count(len(rec.Nodes), "node"), rec.Seed)
	lead := fmt.Sprintf("%s of virtual time; heartbeats every %s, elections after %s without one.", lasting(end(rec)), rec.HeartbeatInterval, rec.ElectionTimeout)
	if rec.Omitted > 0 {
		lead += fmt.Sprintf(" The recording was full: %d later events are not in it.", rec.Omitted)
	}
	return s.Write(w, map[string]string{
		"title":    onepage.Text(title),
		"heading":  onepage.Text(title),
		"lead":     onepage.Text(lead),
		"sentence": onepage.Text(rec.Sentence),
		"text":     lines(text.String()),
		"data":     string(data),
	})
}

// lines is text of several lines as HTML.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i := range parts {
		parts[i] = onepage.Text(parts[i])
	}
	return strings.Join(parts, "\n")
}
