package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/opsctl/opsctl/pkg/inert"
)

// writeYAML prints a JSON document as YAML with the same keys in the same
// order. JSON is YAML in flow style, so it is read as such and turned to block
// style.
func writeYAML(w io.Writer, data []byte) error {
	var doc yaml.Node
	// The YAML reader refuses control characters that JSON leaves as they are.
	if err := yaml.Unmarshal(escapeYAML(data), &doc); err != nil {
		return fmt.Errorf("encoding YAML: %w", err)
	}
	restyle(&doc)
	var buf bytes.Buffer
	encoder := yaml.NewEncoder(&buf)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return fmt.Errorf("encoding YAML: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return fmt.Errorf("encoding YAML: %w", err)
	}
	_, err := w.Write(escapeYAML(buf.Bytes()))
	return err
}

// restyle drops JSON's style, except that text with invisible characters stays
// in double quotes, where escapeYAML may write it as escapes. Double quotes
// also keep multi-line text on one line.
func restyle(node *yaml.Node) {
	node.Style &^= yaml.FlowStyle
	if node.Kind == yaml.ScalarNode && !visible(node.Value) {
		node.Style = yaml.DoubleQuotedStyle
	} else if node.Kind == yaml.ScalarNode {
		node.Style = 0
	}
	for _, child := range node.Content {
		restyle(child)
	}
	if len(node.Content) == 0 && (node.Kind == yaml.SequenceNode || node.Kind == yaml.MappingNode) {
		node.Style = yaml.FlowStyle // an empty list has no block form
	}
}

func visible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !inert.Rune(r) }) < 0
}

// escapeYAML is escapeInvisible in YAML's form, which has no surrogate pairs.
func escapeYAML(data []byte) []byte {
	return escape(data, func(out *bytes.Buffer, r rune) {
		if r > 0xffff {
			fmt.Fprintf(out, `\U%08X`, r)
			return
		}
		fmt.Fprintf(out, `\u%04X`, r)
	})
}
