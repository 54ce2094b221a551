package fault

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads a fault as [Help] describes it. An error says what was expected, and what to write instead.
func Parse(text string) (Fault, error) {
	if len(text) > maxLine {
		return Fault{}, fmt.Errorf("%q: it is longer than %d bytes; write it as '%s'", short(text), maxLine, shapes()[0].example)
	}
	p := parser{words: words(text)}
	f, err := p.fault()
	if err != nil {
		return Fault{}, fmt.Errorf("%q: %w", short(text), err)
	}
	return f, nil
}

// short is as much of a text as an error quotes.
func short(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-3]) + "..."
	}
	return text
}

// maxSchedule bounds a schedule, in faults; maxLine a line of it, in bytes.
const (
	maxSchedule = 10_000
	maxLine     = 4 << 10
)

// ParseSchedule reads a fault a line; empty lines and what follows # are left out. An error names the line.
func ParseSchedule(r io.Reader) (all []Fault, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), "#") // some editors begin a file so
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		f, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if all = append(all, f); len(all) > maxSchedule {
			return nil, fmt.Errorf("line %d: more than %d faults: split them among several runs", n, maxSchedule)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d: it is longer than %d bytes; write one fault a line, such as '%s'", n, maxLine, shapes()[0].example)
	case err != nil:
		return nil, fmt.Errorf("reading line %d: %w", n, err)
	}
	return all, nil
}

// words takes a text apart at spaces; | and -> are words wherever they stand, and so is @.
func words(text string) []string {
	return strings.Fields(strings.NewReplacer("|", " | ", "->", " -> ", "@", " @ ", ",", " , ").Replace(text))
}

type parser struct {
	words []string
	shape shape
}

// next takes the first word, "" at the end.
func (p *parser) next() (word string) {
	if len(p.words) > 0 {
		word, p.words = p.words[0], p.words[1:]
	}
	return word
}

// accept takes the first word where it is one of those.
func (p *parser) accept(words ...string) bool {
	if len(p.words) == 0 || !slices.Contains(words, p.words[0]) {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) fault() (f Fault, err error) {
	kind := strings.ToLower(p.next())
	shape, found := shapeOf(Kind(kind))
	if !found && len(p.words) > 0 { // "slow disk" is said as well
		if both := kind + "-" + strings.ToLower(p.words[0]); isKind(both) {
			p.next()
			kind = both
			shape, found = shapeOf(Kind(kind))
		}
	}
	if !found {
		return f, unknownKind(kind)
	}
	p.shape, f.Kind = shape, Kind(kind)
	for _, read := range []func(*Fault) error{p.targets, p.by, p.at, p.lasts} {
		if err := read(&f); err != nil {
			return f, fmt.Errorf("%w; write it as '%s'", err, shape.example)
		}
	}
	if rest := p.next(); rest != "" {
		return f, fmt.Errorf("%q is one word too many; write it as '%s'", rest, shape.example)
	}
	return f, nil
}

func isKind(word string) bool {
	_, found := shapeOf(Kind(word))
	return found
}

func unknownKind(kind string) error {
	if kind == "" {
		return fmt.Errorf("it is empty; write it as '%s'", shapes()[0].example)
	}
	var all []string
	for _, s := range shapes() {
		all = append(all, string(s.kind))
	}
	if best := similar(kind, all); best != "" {
		s, _ := shapeOf(Kind(best))
		return fmt.Errorf("there is no fault %q; did you mean %s, as in '%s'?", short(kind), best, s.example)
	}
	return fmt.Errorf("there is no fault %q; there are %s", short(kind), strings.Join(all, ", "))
}

// targets reads whom a fault is done to, as the kind has it.
func (p *parser) targets(f *Fault) (err error) {
	switch p.shape.targets {
	case targetNone:
		return nil
	case targetTo:
		if p.accept("to", "->") {
			f.To, err = p.nodes()
		}
		return err
	}
	if f.From, err = p.nodes(); err != nil {
		return err
	}
	separator := map[string]string{targetSides: "|", targetLink: "->"}[p.shape.targets]
	if separator != "" && p.accept(separator) {
		if f.To, err = p.nodes(); err == nil && len(f.To) == 0 {
			err = errors.New("\"all\" is no side of its own: leave it out for all others")
		}
	}
	switch {
	case err != nil:
		return err
	case len(f.From) == 0 && p.shape.targets != targetLink:
		return errors.New("\"all\" is not meant here: name nodes, a zone or a role")
	case len(f.From) == 0 && len(f.To) > 0:
		return errors.New("\"all ->\" is not meant here: name the nodes that send")
	case p.shape.kind == OneWay && len(f.From) == 0:
		return errors.New("it has to be said whose messages are lost")
	}
	return nil
}

// nodes reads a list of targets; none for "all".
func (p *parser) nodes() (all []Target, err error) {
	if p.accept(everybody) {
		return nil, nil
	}
	for {
		t, err := target(p.next())
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
		if !p.accept(",") {
			return all, nil
		}
	}
}

func target(word string) (Target, error) {
	lower := strings.ToLower(word)
	if slices.Contains(roles(), Role(lower)) {
		return Target{Role: Role(lower)}, nil
	}
	if zone, found := strings.CutPrefix(word, "zone:"); found {
		if !IsName(zone) {
			return Target{}, fmt.Errorf("%q names no zone: those have letters, digits, dots and dashes, such as zone:eu-1", short(word))
		}
		return Target{Zone: zone}, nil
	}
	if digits, found := strings.CutPrefix(lower, "n"); found {
		if id, err := strconv.ParseUint(digits, 10, 32); err == nil && id > 0 {
			return Target{Node: id}, nil
		}
	}
	if word == "" || slices.Contains([]string{",", "|", "->", "@", "by", "for"}, word) {
		return Target{}, errors.New("a node is missing")
	}
	known := []string{everybody}
	for _, r := range roles() {
		known = append(known, string(r))
	}
	if best := similar(lower, known); best != "" {
		return Target{}, fmt.Errorf("%q is no node; did you mean %s?", short(word), best)
	}
	if id, err := strconv.ParseUint(word, 10, 32); err == nil && id > 0 {
		return Target{}, fmt.Errorf("%q is no node; did you mean n%d?", word, id)
	}
	return Target{}, fmt.Errorf("%q is no node: n1, zone:NAME, leader, follower, random, majority, minority and all are", short(word))
}

// everybody stands for all links.
const everybody = "all"

// IsName says whether a text can name a zone or a node: it stands in faults, in pages and in file names.
func IsName(text string) bool {
	const most = 63
	for i, c := range []byte(text) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return text != "" && len(text) <= most && !strings.Contains(text, "->")
}

// by reads how much.
func (p *parser) by(f *Fault) (err error) {
	if p.shape.by == "" {
		return nil
	}
	if !p.accept("by") {
		return errors.New("it has to be said by how much")
	}
	word := p.next()
	switch p.shape.by {
	case byDuration:
		f.Amount, err = duration(word)
		if err == nil && f.Amount <= 0 {
			err = fmt.Errorf("by %s changes nothing", word)
		}
	case byShare:
		f.Factor, err = share(word)
	case bySpeed:
		f.Factor, err = strconv.ParseFloat(strings.TrimSuffix(word, "x"), 64)
		if err != nil || !(f.Factor >= 0.01 && f.Factor <= 100) {
			err = fmt.Errorf("%q is no speed of a clock from 0.01x to 100x, such as 1.5x", short(word))
		}
	}
	return err
}

func share(word string) (float64, error) {
	number, percent := strings.CutSuffix(word, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || math.IsNaN(v) || v <= 0 || v > 1 {
		if err == nil && !percent && v > 1 && v <= 100 {
			return 0, fmt.Errorf("%q is no share from 0%% to 100%%; did you mean %s%%?", short(word), number)
		}
		return 0, fmt.Errorf("%q is no share from 0%% to 100%%, such as 5%%", short(word))
	}
	return v, nil
}

// maxTime bounds times: a schedule is of seconds and minutes.
const maxTime = 1000 * time.Hour

func duration(word string) (time.Duration, error) {
	d, err := time.ParseDuration(word)
	switch {
	case word == "":
		return 0, errors.New("a time is missing, such as 10s")
	case err == nil && d > maxTime:
		return 0, fmt.Errorf("%q is longer than %v", short(word), maxTime)
	case err == nil && d >= 0:
		return d, nil
	}
	if d, err := time.ParseDuration(word + "s"); err == nil && d >= 0 && d <= maxTime {
		return 0, fmt.Errorf("%q has no unit; did you mean %ss?", word, word)
	}
	return 0, fmt.Errorf("%q is no time such as 500ms or 10s", short(word))
}

func (p *parser) at(f *Fault) (err error) {
	if !p.accept("@", "at") {
		return errors.New("it has to be said when, such as @10s")
	}
	if f.At, err = duration(p.next()); err != nil || len(p.words) == 0 {
		return err
	}
	number, found := strings.CutPrefix(p.words[0], "election")
	if !found {
		return nil
	}
	number, behind, later := strings.Cut(number, "+")
	f.Election = 1
	if number != "" {
		f.Election, err = strconv.Atoi(number)
	}
	if err != nil || f.Election < 1 || f.Election > maxElection {
		return fmt.Errorf("%q is not election+TIME, such as election+5ms, or election2+5ms for the second one", short(p.words[0]))
	}
	if p.next(); later {
		f.Behind, err = duration(behind)
	}
	return err
}

// maxElection bounds how many elections a fault waits for.
const maxElection = 1000

func (p *parser) lasts(f *Fault) (err error) {
	if len(p.words) > 0 && slices.Contains([]string{"for", "until"}, p.words[0]) && !p.shape.lasts {
		return fmt.Errorf("%s has no end", f.Kind)
	}
	if p.accept("for") {
		if f.For, err = duration(p.next()); err == nil && f.For == 0 {
			err = errors.New("for 0s is no time")
		}
		if err != nil {
			return err
		}
	}
	if f.Until = p.accept("until"); f.Until && !p.accept("election") {
		return fmt.Errorf("%q is nothing that a fault can wait for: it ends 'until election', or 'for' a time", short(p.next()))
	}
	return nil
}
