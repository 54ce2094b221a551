package systemd

import "strings"

// Redacted stands where a secret stood.
const Redacted = "[redacted]"

// Redact hides what looks like a secret in a unit, in a file of settings, or in differences of such: of each line all from the
// value on of the first name that says so, as Environment=X_PASSWORD=..., --token ..., or password: ... do.
func Redact(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(redactLine(line))
	}
	return b.String()
}

func redactLine(line string) string {
	at := 0
	wanted := false // the word before was the name of a secret
	for word := range strings.FieldsSeq(line) {
		begin := at + strings.Index(line[at:], word)
		at = begin + len(word)
		from := secretIn(word)
		if wanted && word != "=" {
			from = 0
		}
		if from >= 0 {
			ending := line[len(strings.TrimRight(line, "\r\n")):]
			return line[:begin+from] + Redacted + ending
		}
		name := strings.TrimRight(strings.Trim(word, `"'`), ":")
		isName := strings.HasPrefix(word, "-") || strings.HasSuffix(word, ":")
		wanted = isName && (secretName(name) || name == "credentials") || wanted && word == "="
	}
	return line
}

// secretIn is where in a word NAME=VALUE, of which DIRECTIVE= may come before, a secret begins; -1 for none.
func secretIn(word string) int {
	from := 0
	for {
		name, value, ok := strings.Cut(word[from:], "=")
		if !ok {
			break
		}
		from += len(name) + 1
		name = strings.Trim(name, `"'+ -`)
		if value := strings.Trim(value, `"'`); name != "Environment" && secretVariable(name, value) {
			return from
		}
	}
	if secretValue(strings.Trim(word, `"'`)) {
		return 0
	}
	return -1
}
