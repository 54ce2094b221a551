package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// jsonValues is the script command
//
//	json FILE PATH [WANT...]
//
// which takes values out of a JSON document and wants exactly these, in this
// order. FILE may be stdout or stderr. PATH is names with dots between them; a
// name of a list has [] for all items or [KEY=VALUE] for those items behind it,
// and .length at the end counts:
//
//	json stdout logins[ip=192.0.2.7].location.file /root/.ssh/authorized_keys
//	json stdout findings[].length 0
//
// Numbers are as written, null is null, lists and objects are JSON. A name that an
// object does not have, or a KEY that no item has, is an error: a misspelt test
// cannot pass, nor can its negation.
func jsonValues(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] json FILE PATH [WANT...]")
	}
	got, err := evalJSON([]byte(ts.ReadFile(args[0])), args[1])
	ts.Check(err)
	want := args[2:]
	if same := slices.Equal(got, want); same == neg {
		ts.Fatalf("%s: got %q, want%s %q", args[1], got, map[bool]string{true: " anything but"}[neg], want)
	}
}

// jsonCompare is the script command
//
//	jsoncmp FILE FILE
//
// which wants two documents of opsctl to say the same, but for when they did.
func jsonCompare(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jsoncmp FILE FILE")
	}
	var docs [2]map[string]any
	for i, name := range args {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &docs[i]))
		if docs[i]["apiVersion"] == nil {
			ts.Fatalf("%s is no document of opsctl", name)
		}
		delete(docs[i], "collectedAt")
	}
	if diff := cmp.Diff(docs[0], docs[1]); diff != "" {
		ts.Fatalf("%s and %s differ:\n%s", args[0], args[1], diff)
	}
}

var (
	jsonPath = regexp.MustCompile(`^([A-Za-z0-9_-]+(\[[^]]*\])?(\.|$))+$`)
	jsonStep = regexp.MustCompile(`([A-Za-z0-9_-]+)(\[([^]=]*)=?([^]]*)\])?`)
)

func evalJSON(data []byte, path string) ([]string, error) {
	path, count := strings.CutSuffix(path, ".length")
	if !jsonPath.MatchString(path) {
		return nil, fmt.Errorf("%q is no path", path)
	}
	var doc any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&doc); err != nil {
		return nil, err
	}
	values := []any{doc}
	for _, step := range jsonStep.FindAllStringSubmatch(path, -1) {
		var next []any
		for _, v := range values {
			found, err := stepJSON(v, step[1], step[2] != "", step[3], step[4])
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		values = next
	}
	if count {
		return []string{strconv.Itoa(len(values))}, nil
	}
	texts := []string{}
	for _, v := range values {
		texts = append(texts, jsonText(v))
	}
	return texts, nil
}

// stepJSON goes one name further.
func stepJSON(v any, name string, list bool, key, want string) ([]any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: %s is in no object", name, jsonText(v))
	}
	value, ok := object[name]
	if !ok {
		return nil, fmt.Errorf("no %s in %s", name, jsonText(v))
	}
	if !list {
		return []any{value}, nil
	}
	items, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is no list", name)
	}
	if key == "" {
		return items, nil
	}
	var kept []any
	known := len(items) == 0
	for _, item := range items {
		found, err := stepJSON(item, key, false, "", "")
		known = known || err == nil
		if err == nil && jsonText(found[0]) == want {
			kept = append(kept, item)
		}
	}
	if !known {
		return nil, fmt.Errorf("no item of %s has %s", name, key)
	}
	return kept, nil
}

// jsonText is a value as a test writes it.
func jsonText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestEvalJSON(t *testing.T) {
	doc := []byte(`{"n":1,"list":[{"ip":"192.0.2.7","in":{"x":"a"}},{"ip":"::1","in":{"x":null}}],"none":[]}`)
	for path, want := range map[string][]string{
		"n": {"1"}, "list[].length": {"2"}, "list[ip=192.0.2.7].in.x": {"a"}, "list[].in.x": {"a", "null"},
		"none": {"[]"}, "none[].length": {"0"}, "list[ip=].length": {"0"}, "list[ip=::1].in": {`{"x":null}`},
	} {
		got, err := evalJSON(doc, path)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n%s", path, err, cmp.Diff(want, got))
		}
	}
	for _, path := range []string{"m", "list.ip", "list[port=1].ip", "n[]", "", "length", "list[", "n n"} {
		if got, err := evalJSON(doc, path); err == nil {
			t.Errorf("%q gives %q", path, got)
		}
	}
}
