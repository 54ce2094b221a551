package authlog

// parseV4 reads a dotted quad that fills b, by far the most frequent form of an
// address. Leading zeros are taken as decimal: sshd writes none.
func parseV4(b []byte) (ip uint32, ok bool) {
	var octet, dots, digits uint32
	if len(b) > 15 {
		return 0, false
	}
	for _, c := range b {
		switch {
		case c == '.' && digits > 0:
			ip, octet, digits = ip<<8|octet, 0, 0
			dots++
		case c >= '0' && c <= '9':
			octet = octet*10 + uint32(c-'0')
			if digits++; octet > 255 || digits > 3 {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	if dots != 3 || digits == 0 {
		return 0, false
	}
	return ip<<8 | octet, true
}
