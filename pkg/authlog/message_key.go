package authlog

import "bytes"

// parseKeyInfo reads "TYPE FP[, MORE]" and "TYPE-CERT [FP ]ID KEYID (serial N)[ CA
// TYPE FP]" (auth2-pubkey.c, format_method_key). Whoever signed a certificate chose its
// key ID, so what follows it is sought from the right, and must be whole.
func parseKeyInfo(b []byte, e *Event) {
	e.keyed = true
	kind, rest, ok := cut(b)
	if !ok {
		return
	}
	if !bytes.HasSuffix(kind, []byte("-CERT")) {
		e.Type, e.Fingerprint = kind, firstField(rest)
		return
	}
	e.Type, e.IsCert = kind, true
	if !has(rest, "ID ") {
		fp, more, ok := cut(rest)
		if !ok || !has(more, "ID ") {
			e.Fingerprint = firstField(rest)
			return
		}
		e.Fingerprint, rest = fp, more
	}
	parseCertID(rest[3:], e)
}

// parseCertID reads "KEYID (serial N)[ CA TYPE FP]".
func parseCertID(b []byte, e *Event) {
	for end := len(b); ; {
		i := bytes.LastIndex(b[:end], []byte(" (serial "))
		if i < 0 {
			e.CertID = b
			return
		}
		if serial, more, ok := serialAt(b[i+len(" (serial "):]); ok && certTail(more, e) {
			e.CertID, e.Serial = b[:i], serial
			return
		}
		end = i
	}
}

// serialAt reads "N)".
func serialAt(b []byte) (serial uint64, more []byte, ok bool) {
	i := 0
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		d := uint64(b[i] - '0')
		if serial > (1<<64-1-d)/10 {
			return 0, nil, false
		}
		serial = serial*10 + d
		i++
	}
	if i == 0 || i >= len(b) || b[i] != ')' {
		return 0, nil, false
	}
	return serial, b[i+1:], true
}

// certTail reads the whole of " CA TYPE FP[, MORE]". One that is not whole was cut, and its front may be the end of a key ID.
func certTail(b []byte, e *Event) bool {
	rest, ok := after(b, " CA ")
	if !ok {
		return false
	}
	caType, rest, ok := cut(rest)
	fp := firstField(rest)
	if !ok || !isFingerprint(fp) || len(rest) > len(fp) && rest[len(fp)] != ',' {
		return false
	}
	e.CAType, e.CA = caType, fp
	return true
}

// isFingerprint tells a whole fingerprint: "SHA256:" and 43 digits of base64, or MD5's 16 bytes with colons, which had no
// prefix before OpenSSH 6.8.
func isFingerprint(b []byte) bool {
	if digits, ok := after(b, "SHA256:"); ok {
		return len(digits) == 43
	}
	b = bytes.TrimPrefix(b, []byte("MD5:"))
	return len(b) == 47 && bytes.Count(b, []byte(":")) == 15
}

// firstField gives b up to its first space or comma.
func firstField(b []byte) []byte {
	for _, end := range []byte{' ', ','} { // faster than IndexAny
		if i := bytes.IndexByte(b, end); i >= 0 {
			b = b[:i]
		}
	}
	return b
}

// parseFoundKey reads "TYPE FP found at FILE:LINE" (auth2-pubkeyfile.c).
func parseFoundKey(b []byte, e *Event) {
	kind, b, ok := cut(b)
	if !ok {
		return
	}
	fp, b, ok := cut(b)
	if !ok {
		return
	}
	if loc, ok := after(b, "found at "); ok && location(loc, e) {
		e.Kind, e.Type, e.Fingerprint = Found, kind, fp
	}
}

// parseFoundCert reads `"KEYID" (serial N) signed by CA TYPE FP found at
// FILE:LINE` and `... signed by TYPE CA FP via FILE`, from the right. A long key
// ID leaves no room for the rest.
func parseFoundCert(b []byte, e *Event) {
	e.Kind = Noise
	i := bytes.LastIndex(b, []byte(" signed by "))
	if i < 0 {
		return
	}
	who := bytes.Fields(b[i+len(" signed by "):])
	if len(who) < 5 {
		return
	}
	caType, fp := who[0], who[2]
	if string(caType) == "CA" {
		caType = who[1]
	}
	tail := b[i+len(" signed by "):]
	if _, after, ok := bytes.Cut(tail, []byte(" found at ")); ok {
		if !location(after, e) {
			return
		}
	} else if _, after, ok := bytes.Cut(tail, []byte(" via ")); ok {
		e.File = after
	} else {
		return
	}
	e.Kind, e.IsCert, e.CAType, e.CA = Found, true, caType, fp
	e.Fingerprint = fp
}

// location reads "FILE:LINE".
func location(b []byte, e *Event) bool {
	i := bytes.LastIndexByte(b, ':')
	if i <= 0 {
		return false
	}
	n, ok := number(b[i+1:])
	if !ok {
		return false
	}
	e.File, e.Line = b[:i], n
	return true
}

// parseRefused reads "Authentication refused: bad ownership or modes for file
// FILE" (or directory), and "Authentication key TYPE FP revoked by file FILE".
func parseRefused(b []byte, e *Event) {
	if rest, ok := after(b, "Authentication refused: "); ok {
		e.Kind = Noise
		for _, what := range []string{"file ", "directory "} {
			if file, ok := after(rest, "bad ownership or modes for "+what); ok {
				e.Kind, e.File = BadModes, file
			}
		}
		return
	}
	if rest, ok := after(b, "Authentication key "); ok {
		f := bytes.SplitN(rest, []byte(" "), 3)
		if len(f) == 3 {
			if file, ok := after(f[2], "revoked by file "); ok {
				e.Kind, e.Type, e.Fingerprint, e.File = Revoked, f[0], f[1], file
			}
		}
		return
	}
	if has(b, "Authentication tried for ") {
		parseWrongAddr(b, e)
	}
}
