package datadir

// For tests of what is not exported.
var (
	ParseIndex = parseIndex
	ParseFRM   = parseFRM
	ParseName  = parseName
)

// ParseISAM is parseISAM's figures.
func ParseISAM(head []byte, aria bool) (rows, data, empty int64, ok bool) {
	s, ok := parseISAM(head, aria)
	return s.rows, s.dataBytes, s.empty, ok
}
