package reclaim

import "strings"

// Identifier quotes a name for SQL, whatever sql_mode is.
func Identifier(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func qualified(schema, table string) string { return Identifier(schema) + "." + Identifier(table) }

// text quotes a string for SQL. A backslash is doubled: under NO_BACKSLASH_ESCAPES the statement then fails instead of
// naming another file.
func text(s string) string {
	return "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(s) + "'"
}

// shell quotes a word for a POSIX shell.
func shell(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
