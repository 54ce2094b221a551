package authlog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// journalEntry holds the fields of journald's JSON export that matter here
// (systemd.journal-fields(7)); those with an underscore are written by journald
// itself and cannot be forged by the sender.
type journalEntry struct {
	Realtime   string          `json:"__REALTIME_TIMESTAMP"`
	Hostname   string          `json:"_HOSTNAME"`
	Comm       string          `json:"_COMM"`
	UID        string          `json:"_UID"`
	PID        string          `json:"_PID"`
	Identifier string          `json:"SYSLOG_IDENTIFIER"`
	SyslogPID  string          `json:"SYSLOG_PID"`
	Message    json.RawMessage `json:"MESSAGE"`
	Raw        json.RawMessage `json:"SYSLOG_RAW"`
}

// Journal reads one line of `journalctl -o json`. A message of sshd whose
// trusted fields name another program, or a user other than root, is not of the
// sshd that lets people in: its status is Other, foreign is true and h.Msg the
// message. Unlike Parse's, the slices in h are copies.
func Journal(line []byte, h *Header) (status Status, foreign bool) {
	if !bytes.Contains(line, []byte("sshd")) {
		return journalOther(line, h), false
	}
	var e journalEntry
	if err := json.Unmarshal(line, &e); err != nil {
		return Unframed, false
	}
	t, err := strconv.ParseInt(e.Realtime, 10, 64)
	if err != nil || t < 0 {
		return Unframed, false
	}
	h.Time = t / int64(time.Second/time.Microsecond)
	comm := isSSHD([]byte(e.Comm))
	if !comm && !isSSHD([]byte(e.Identifier)) {
		return Other, false
	}
	if !comm && e.Comm != "" || e.UID != "" && e.UID != "0" {
		h.Msg = journalMessage(e.Message)
		return Other, true
	}
	pid := e.PID
	if pid == "" {
		pid = e.SyslogPID
	}
	h.PID, _ = number([]byte(pid))
	h.Host, h.Msg, h.Run = []byte(e.Hostname), untrimmed(journalMessage(e.Message), journalMessage(e.Raw)), 0
	return SSHD, false
}

// untrimmed gives a message that syslog cut the spaces back that journald took off its end, so that it is known as one.
// journald keeps what it received as SYSLOG_RAW when it took anything off (journald-syslog.c, since systemd 240).
func untrimmed(msg, raw []byte) []byte {
	spaces := len(raw) - len(bytes.TrimRight(raw, " \t\r\n"))
	if spaces == 0 || len(msg)+spaces < cutAt {
		return msg
	}
	return append(msg, raw[len(raw)-spaces:]...)
}

// journalOther finds the time of an entry that is not sshd's.
func journalOther(line []byte, h *Header) Status {
	const field = `"__REALTIME_TIMESTAMP":"`
	line = bytes.TrimSpace(line)
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return Unframed
	}
	i := bytes.Index(line, []byte(field))
	if i < 0 {
		// Spaces after colons: journalctl writes none, jq does.
		var e journalEntry
		if json.Unmarshal(line, &e) != nil || e.Realtime == "" {
			return Unframed
		}
		line, i = []byte(field+e.Realtime+`"`), 0
	}
	digits := line[i+len(field):]
	end := bytes.IndexByte(digits, '"')
	if end < 1 {
		return Unframed
	}
	t, err := strconv.ParseInt(string(digits[:end]), 10, 64)
	if err != nil || t < 0 {
		return Unframed
	}
	h.Time = t / int64(time.Second/time.Microsecond)
	return Other
}

// journalMessage decodes a string, or the array of bytes that journald writes
// for text that is not clean UTF-8; nil for what it left out as too long.
func journalMessage(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return nil
	}
	if raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return nil
		}
		return []byte(s)
	}
	var numbers []uint16
	if json.Unmarshal(raw, &numbers) != nil {
		return nil
	}
	msg := make([]byte, len(numbers))
	for i, n := range numbers {
		msg[i] = byte(n)
	}
	return msg
}
