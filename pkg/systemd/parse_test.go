package systemd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What systemd 252 said to these units (systemd-analyze verify, with names that it does not know) is what is wanted here.
func TestParse(t *testing.T) {
	type row struct {
		line, last           int
		section, name, value string
	}
	tests := map[string]struct {
		text     string
		want     []row
		problems []ProblemKind
	}{
		"comments are lines of their own": {
			text: "# a\n[Service]\n  ; b\nUser=x # c\n\t# d=e\n",
			want: []row{{4, 4, "Service", "User", "x # c"}},
		},
		"a backslash joins lines with a blank, over comments": {
			text: "[Service]\nExecStart=/a \\\n# b \\\n  c \\\n;d\n e\nType=exec",
			want: []row{{2, 6, "Service", "ExecStart", "/a    c   e"}, {7, 7, "Service", "Type", "exec"}},
		},
		"an empty line ends a continuation": {
			text: "[Service]\nExecStart=/a \\\n\nType=exec\n",
			want: []row{{2, 3, "Service", "ExecStart", "/a"}, {4, 4, "Service", "Type", "exec"}},
		},
		"two backslashes join nothing": {
			text: "[Service]\nExecStart=/a \\\\\nType=exec\n",
			want: []row{{2, 2, "Service", "ExecStart", `/a \\`}, {3, 3, "Service", "Type", "exec"}},
		},
		"a continuation at the end of the file counts": {
			text: "[Service]\nExecStart=/a \\\n b \\",
			want: []row{{2, 3, "Service", "ExecStart", "/a   b"}},
		},
		"CR, LF and NUL end lines, in pairs too": {
			text: "[Service]\r\nA=1\rB=2\n\rC=3\x00D=4\n\nE=5",
			want: []row{{2, 2, "Service", "A", "1"}, {3, 3, "Service", "B", "2"}, {4, 4, "Service", "C", "3"}, {5, 5, "Service", "D", "4"}, {7, 7, "Service", "E", "5"}},
		},
		"one byte order mark is taken from the beginning of a line": {
			text: bom + "[Service]\nA=1\n" + bom + "B=1\n",
			want: []row{{2, 2, "Service", "A", "1"}, {3, 3, "Service", bom + "B", "1"}},
		},
		"a mark behind blanks is none": {
			text: "  " + bom + "[Service]\nA=1\n", problems: []ProblemKind{ProblemOutside, ProblemOutside},
		},
		"what systemd cannot read": {
			text:     "A=1\n[Service]\nB\n=1\n[Unit\nC=\xff\n D = 1 \n",
			want:     []row{{7, 7, "Service", "D", "1"}},
			problems: []ProblemKind{ProblemOutside, ProblemNoEqual, ProblemNoName, ProblemHeader, ProblemUTF8},
		},
		"a line over 1 MiB": {
			text: "[Service]\nA=" + strings.Repeat("x", maxLine) + "\nB=1\n", want: []row{{3, 3, "Service", "B", "1"}}, problems: []ProblemKind{ProblemLong},
		},
		"lines of 4 KiB are short": {
			text: "[Service]\nA=" + strings.Repeat("x", 4096) + "\n", want: []row{{2, 2, "Service", "A", strings.Repeat("x", 4096)}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			u := Parse("a.service", []byte(test.text))
			var got []row
			for _, a := range u.Assignments {
				got = append(got, row{a.Line, a.Last, a.Section, a.Name, a.Value})
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(row{})); diff != "" {
				t.Error(diff)
			}
			var problems []ProblemKind
			for _, p := range u.Problems {
				problems = append(problems, p.Kind)
			}
			if diff := cmp.Diff(test.problems, problems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDropInsComeAfterTheUnit(t *testing.T) {
	u := Parse("a.service", []byte("[Service]\nExecStart=/a\nUser=a\nEnvironment=A=1\n"))
	u.Append(Parse("a.service.d/1.conf", []byte("[Service]\nExecStart=\nExecStart=/b\nUser=b\nEnvironment=B=1\n")))
	if all := u.All("Service", "ExecStart"); len(all) != 1 || all[0].Value != "/b" || all[0].File != "a.service.d/1.conf" || all[0].Line != 3 {
		t.Errorf("ExecStart: %+v", all)
	}
	if got := u.Value("Service", "User"); got != "b" {
		t.Errorf("User: %q", got)
	}
	if all := u.All("Service", "Environment"); len(all) != 2 {
		t.Errorf("Environment: %+v", all)
	}
	u.Append(Parse("a.service.d/2.conf", []byte("[Service]\nUser=\nPrivateTmp=on\n")))
	if _, ok := u.Last("Service", "User"); ok || !u.Bool("Service", "PrivateTmp") {
		t.Error("an empty value resets, and on is true")
	}
}
