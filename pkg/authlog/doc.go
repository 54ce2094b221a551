// Package authlog turns what sshd wrote to syslog or the journal into events.
//
// It reads lines in three framings: syslog (RFC 3164, RFC 5424 and the ISO 8601
// form of rsyslog), journald's JSON export, and none (what `sshd -E` and `-e`
// write). A line's header is parsed first (stamp, host, tag[pid]) and the
// message forms are then anchored at the message's first byte, so that a user
// name or a certificate's key ID that holds the words of another message stays
// what it is: text that a stranger chose.
//
// The message forms come from OpenSSH's auth.c (auth_log, auth_log_authopts),
// auth2-pubkey.c, auth2-pubkeyfile.c, packet.c, session.c and sshd.c. Nothing
// here keeps more than one line in memory.
package authlog
