package raftplay

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// sizes of the story in terminal columns.
const (
	timeColumn = 10
	leastText  = 28
	leastNode  = 5
	mostNode   = 9
)

// attempts are rows of elections without a leader, one behind the other, that are shown before the rest is folded.
const attempts = 12

// grid draws rows.
type grid struct {
	*pencil
	node, text int // widths
	nodes      int // columns
}

func (p *pencil) story(rec *trace.Recording) {
	t := tell(rec)
	g := grid{pencil: p, nodes: len(t.all)}
	g.node = min((p.width-timeColumn-leastText)/max(g.nodes, 1), mostNode)
	if g.node < leastNode { // then the words have to do
		g.node, g.nodes = 0, 0
	}
	g.text = p.width - timeColumn - g.node*g.nodes
	var head strings.Builder
	head.WriteString(pad("", timeColumn))
	for i := range g.nodes {
		head.WriteString(pad(measure.Truncate(t.all[i].Name, g.node-1, "~"), g.node))
	}
	p.line(head.String())
	rows := fold(t.rows)
	for i, r := range rows {
		if i > 0 {
			g.between(rows[i-1], r, rec)
		}
		g.row(r)
	}
}

// fold leaves rows out of long runs of elections that bring no leader.
func fold(rows []*row) (kept []*row) {
	for i := 0; i < len(rows); {
		k := i
		for k < len(rows) && rows[k].attempt {
			k++
		}
		if n := k - i; n > attempts {
			kept = append(kept, rows[i:i+attempts/2]...)
			folded := *rows[k-attempts/2-1]
			folded.marks, folded.colour = nil, dim
			folded.text = strconv.Itoa(n-attempts) + " more like these, and no leader"
			folded.before = counts{}
			for _, r := range rows[i+attempts/2 : k-attempts/2] {
				folded.before.add(r.before)
			}
			kept = append(kept, &folded)
			i = k - attempts/2
		}
		kept = append(kept, rows[i:k]...)
		if k < len(rows) {
			kept = append(kept, rows[k])
			k++
		}
		i = k
	}
	return kept
}

// between folds the time in which nothing happened but traffic.
func (g *grid) between(a, b *row, rec *trace.Recording) {
	gap := b.at - a.at
	if gap < 2*rec.HeartbeatInterval || gap == 0 {
		return
	}
	parts := []string{lasting(gap)}
	if c := b.before; c.answered+c.unanswered+c.messages > 0 {
		parts[0] += ":"
		if c.answered > 0 {
			parts = append(parts, count(c.answered, "operation")+" done,")
		}
		if c.unanswered > 0 {
			parts = append(parts, strconv.Itoa(c.unanswered)+" not,")
		}
		parts = append(parts, count(c.messages, "message"))
		if c.lost > 0 {
			parts = append(parts, fmt.Sprintf("(%d lost)", c.lost))
		}
	}
	g.lines("", a.life, nil, strings.Join(parts, " "), dim, true)
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

func (g *grid) row(r *row) {
	g.lines(strconv.FormatFloat(r.at.Seconds(), 'f', 4, 64), r.life, r.marks, r.text, r.colour, false)
}

// lines writes a row and what of its text does not fit into one line.
func (g *grid) lines(at string, life []glyph, marks map[int]mark, text string, colour paint, folded bool) {
	for i, part := range wrap(text, g.text-1) {
		if i > 0 {
			at, marks = "", nil
		}
		var line strings.Builder
		line.WriteString(g.paint(dim, pad(fmt.Sprintf("%*s", timeColumn-2, at), timeColumn)))
		for n := range g.nodes {
			if m, ok := marks[n]; ok {
				line.WriteString(g.paint(m.colour, pad(g.mark(m.text), g.node)))
				continue
			}
			line.WriteString(g.life(life[n], folded))
		}
		line.WriteString(g.paint(colour, part))
		g.line(line.String())
	}
}

// mark leaves the term out where there is no room.
func (g *grid) mark(text string) string {
	if word, _, ok := strings.Cut(text, " "); ok && len(text) >= g.node {
		text = word
	}
	return measure.Truncate(text, g.node-1, "")
}

// life is a node's line between the moments that mark it.
func (g *grid) life(of glyph, folded bool) string {
	text := map[glyph]string{following: "│", leading: "║", standing: "?", frozen: "░", dead: "·"}[of]
	if folded && of != dead && text != "" {
		text = ":"
		if of == leading {
			text = "::"
		}
	}
	return g.paint(of.colour, pad(text, g.node))
}
