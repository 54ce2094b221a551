package fault

// similar is the word that somebody may have meant, "" where none is near.
func similar(word string, of []string) (best string) {
	const longest = 40 // no word of the grammar is nearly as long
	if len(word) > longest {
		return ""
	}
	least := max(1, len(word)/2)
	for _, w := range of {
		if d := distance(word, w); d <= least && (best == "" || d < distance(word, best)) {
			best = w
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for i := range row {
		row[i] = i
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for k := range len(b) {
			change := before
			if a[i] != b[k] {
				change++
			}
			before = row[k+1]
			row[k+1] = min(change, before+1, row[k]+1)
		}
	}
	return row[len(b)]
}
